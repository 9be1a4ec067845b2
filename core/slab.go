package core

import (
	"math/bits"
	"sync"
)

// A long string comes in many parts. In the text of a room, which would grow with it, its bytes would be
// moved twice over, along with those of all other replies. So it is read to where it stays: a slab, of
// memory that is used again.

const (
	// Strings longer than the first, and no longer than the second, have slabs: the server's word for
	// the length is enough to make room for so much.
	longString = 64 << 10
	mostSlab   = 4 << 20
	// Several replies whose long strings are more than this are left to the library.
	mostSlabs = 64 << 20
)

// slab is one long string, and where it belongs.
type slab struct {
	at     int     // in the text, which goes on after it
	memory *[]byte // the string with the two bytes that end it
}

func (s slab) bytes() []byte { return *s.memory }

// sound says that the string ends as it should.
func (s slab) sound() bool {
	b := s.bytes()
	return b[len(b)-2] == '\r' && b[len(b)-1] == '\n'
}

// slabs are those that nobody uses, by the classes of their sizes.
var slabs [4 * (mostSlabBits + 1)]sync.Pool

const mostSlabBits = 23 // of mostSlab and the end of the string

// classOf is the class of a size, and the largest size in it: there are four for each doubling.
func classOf(size int) (class, largest int) {
	doublings := bits.Len(uint(size - 1))
	quarter := 1 << (doublings - 3) // of what lies between this power of two and the one before
	quarters := (size + quarter - 1) / quarter
	return 4*doublings + quarters - 5, quarters * quarter
}

// takeSlab is memory of so many bytes, of any content.
func takeSlab(size int) *[]byte {
	class, largest := classOf(size)
	if memory, is := slabs[class].Get().(*[]byte); is {
		*memory = (*memory)[:size]
		return memory
	}
	memory := make([]byte, size, largest)
	return &memory
}

func giveSlab(memory *[]byte) {
	class, _ := classOf(cap(*memory))
	slabs[class].Put(memory)
}
