package core

import (
	"slices"
	"sync"
)

// turns lets calls have something one after another, in the order in which they came.
type turns struct {
	mu      sync.Mutex
	taken   bool
	waiting []place // the first to come first
}

// place is where a call stands in the line: readable when its turn has come.
type place chan struct{}

// line puts a call at the end of the line. It must take its turn and end it, or leave.
func (t *turns) line() place {
	t.mu.Lock()
	defer t.mu.Unlock()
	mine := make(place)
	if t.taken {
		t.waiting = append(t.waiting, mine)
	} else {
		t.taken = true
		close(mine)
	}
	return mine
}

// end gives the turn to the next one.
func (t *turns) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken = len(t.waiting) > 0; t.taken {
		close(t.waiting[0])
		t.waiting = slices.Delete(t.waiting, 0, 1)
	}
}

// leave takes a call out of the line, also where its turn has come meanwhile.
func (t *turns) leave(mine place) {
	t.mu.Lock()
	at := slices.Index(t.waiting, mine)
	if at >= 0 {
		t.waiting = slices.Delete(t.waiting, at, at+1)
	}
	t.mu.Unlock()
	if at < 0 {
		t.end()
	}
}
