// Package handles gives out the 64-bit handles that stand for Go things beyond the C border.
package handles

import (
	"sync"
	"sync/atomic"
)

// Table gives out handles for things of one kind. A handle is a place in the table and the
// generation of the thing there, so it is never given out twice: a stale one is known as closed,
// and a made-up one as never given.
//
// A look-up takes no lock. The garbage collector keeps what a running call still uses.
type Table[T any] struct {
	Kind   uint64 // in the handle's topmost bits, so that one of another table is none of this
	mu     sync.Mutex
	places atomic.Pointer[[]*place[T]]
	free   []uint32
	live   int
}

type place[T any] struct {
	generation atomic.Uint64 // of the thing here, or of the last one
	thing      atomic.Pointer[T]
}

// State says what a handle stands for.
type State uint8

const (
	Live    State = iota
	Closed        // it was given out, and its thing has been taken
	Unknown       // it was never given out
)

// A handle is, from its low bits up, the place, from 1 on, the generation, from 1 on, 8 bits that
// are 0 here and in which forked children count (fork.h), and the kind.
const (
	placeBits      = 24
	generationBits = 28
	kindShift      = 60
)

// Add gives thing its handle, which is never 0 where the table has a Kind.
func (t *Table[T]) Add(thing *T) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	var index uint32
	if n := len(t.free); n > 0 {
		index, t.free = t.free[n-1], t.free[:n-1]
	} else {
		var grown []*place[T]
		if places := t.places.Load(); places != nil {
			grown = *places
		}
		index = uint32(len(grown))
		grown = append(grown, new(place[T])) // beyond what those who look now can see
		t.places.Store(&grown)
	}
	place := (*t.places.Load())[index]
	generation := place.generation.Add(1)
	place.thing.Store(thing)
	t.live++
	return t.Kind<<kindShift | generation<<placeBits | uint64(index+1)
}

// Get is the thing of a handle, nil unless it is Live.
func (t *Table[T]) Get(handle uint64) (*T, State) {
	place, generation := t.place(handle)
	if place == nil || generation == 0 {
		return nil, Unknown
	}
	thing := place.thing.Load()
	// The generation is read after the thing: a place that was given to another meanwhile shows it.
	switch now := place.generation.Load(); {
	case generation > now:
		return nil, Unknown
	case generation < now || thing == nil:
		return nil, Closed
	}
	return thing, Live
}

// Take is Get for the last time: of several callers one gets the thing.
func (t *Table[T]) Take(handle uint64) (*T, State) {
	t.mu.Lock()
	defer t.mu.Unlock()
	thing, state := t.Get(handle)
	if state == Live {
		place, _ := t.place(handle)
		place.thing.Store(nil)
		t.live--
		if place.generation.Load() < 1<<generationBits-1 {
			t.free = append(t.free, uint32(handle&(1<<placeBits-1))-1)
		}
	}
	return thing, state
}

// Count is how many things are in the table.
func (t *Table[T]) Count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.live
}

// Each runs do on every thing that is in the table.
func (t *Table[T]) Each(do func(*T)) {
	places := t.places.Load()
	if places == nil {
		return
	}
	for _, place := range *places {
		if thing := place.thing.Load(); thing != nil {
			do(thing)
		}
	}
}

func (t *Table[T]) place(handle uint64) (*place[T], uint64) {
	if handle>>kindShift != t.Kind {
		return nil, 0
	}
	places := t.places.Load()
	handle &= 1<<kindShift - 1
	index := handle & (1<<placeBits - 1)
	if places == nil || index == 0 || index > uint64(len(*places)) {
		return nil, 0
	}
	return (*places)[index-1], handle >> placeBits
}
