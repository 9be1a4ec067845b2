package chaos

import (
	"fmt"
	"sync"
	"time"
)

// finding is what a look at the data says of the commands of one worker.
type finding struct {
	acknowledged int
	lost         int // acknowledged, not there, and nothing excuses it
	excused      int // acknowledged and not there, as asynchronous replication allows
	doubled      int // applied more often than acknowledged or unsure, or though refused
	torn         int // half of something that is done as a whole
	notes        []string
}

func (f *finding) add(other finding) {
	f.acknowledged += other.acknowledged
	f.lost += other.lost
	f.excused += other.excused
	f.doubled += other.doubled
	f.torn += other.torn
	for _, note := range other.notes {
		f.note("%s", note)
	}
}

func (f *finding) note(format string, args ...any) {
	if len(f.notes) < shown {
		f.notes = append(f.notes, fmt.Sprintf(format, args...))
	}
}

// excuses are the times in which a server may acknowledge a write and lose it all the same,
// without a client that could do anything about it: before a primary ends whose replica takes
// over, since it acknowledges before it replicates, and after a primary goes on that was replaced
// while it stood still, until it has heard of that.
type excuses struct {
	mu  sync.Mutex
	all map[string][]window // by hash tag
}

type window struct{ from, to time.Time }

// unreplicated is how long before its end a primary may have acknowledged what its replica never
// got: the last round of its event loop, and whatever the machine makes of that.
const unreplicated = 250 * time.Millisecond

func (e *excuses) add(tags []string, from, to time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, tag := range tags {
		e.all[tag] = append(e.all[tag], window{from, to})
	}
}

// cover says whether the acknowledgement of a call on a tag falls into an excused time.
func (e *excuses) cover(tag string, c call) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, w := range e.all[tag] {
		if c.ended.After(w.from) && c.began.Before(w.to) {
			return true
		}
	}
	return false
}
