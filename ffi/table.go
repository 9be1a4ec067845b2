package main

import (
	"sync"
	"sync/atomic"
)

// table gives out handles for things of one kind. A handle is a place in the table and the
// generation of the thing there, so it is never given out twice: a stale one is known as closed,
// and a made-up one as never given.
//
// A look-up takes no lock. The garbage collector keeps what a running call still uses.
type table[T any] struct {
	kind   uint64 // in the handle's topmost bits, so that one of another table is none of this
	mu     sync.Mutex
	places atomic.Pointer[[]*tablePlace[T]]
	free   []uint32
}

type tablePlace[T any] struct {
	generation atomic.Uint64 // of the thing here, or of the last one
	thing      atomic.Pointer[T]
}

type handleState uint8

const (
	handleLive handleState = iota
	handleClosed
	handleUnknown
)

// A handle is, from its low bits up, the place, from 1 on, the generation, from 1 on, 8 bits that
// are 0 here and in which forked children count (fork.h), and the kind.
const (
	placeBits      = 24
	generationBits = 28
	kindShift      = 60
)

func (t *table[T]) add(thing *T) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	var index uint32
	if n := len(t.free); n > 0 {
		index, t.free = t.free[n-1], t.free[:n-1]
	} else {
		var grown []*tablePlace[T]
		if places := t.places.Load(); places != nil {
			grown = append(grown, *places...)
		}
		index = uint32(len(grown))
		grown = append(grown, new(tablePlace[T]))
		t.places.Store(&grown)
	}
	place := (*t.places.Load())[index]
	generation := place.generation.Add(1)
	place.thing.Store(thing)
	return t.kind<<kindShift | generation<<placeBits | uint64(index+1)
}

func (t *table[T]) get(handle uint64) (*T, handleState) {
	place, generation := t.place(handle)
	if place == nil || generation == 0 {
		return nil, handleUnknown
	}
	thing := place.thing.Load()
	// The generation is read after the thing: a place that was given to another meanwhile shows it.
	switch now := place.generation.Load(); {
	case generation > now:
		return nil, handleUnknown
	case generation < now || thing == nil:
		return nil, handleClosed
	}
	return thing, handleLive
}

// take is get for the last time: of several callers one gets the thing.
func (t *table[T]) take(handle uint64) (*T, handleState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	thing, state := t.get(handle)
	if state == handleLive {
		place, _ := t.place(handle)
		place.thing.Store(nil)
		if place.generation.Load() < 1<<generationBits-1 {
			t.free = append(t.free, uint32(handle&(1<<placeBits-1))-1)
		}
	}
	return thing, state
}

func (t *table[T]) place(handle uint64) (*tablePlace[T], uint64) {
	if handle>>kindShift != t.kind {
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
