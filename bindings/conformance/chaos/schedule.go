package chaos

import (
	"math/rand/v2"
	"slices"
	"time"
)

// turn is one fault of a schedule. Which node it meets is a number, taken modulo the nodes that
// there are, so that the schedule depends on its seed alone.
type turn struct {
	fault string
	pick  int           // of a node, a slot
	span  float64       // 0..1: how long, between the bounds of the fault
	calm  time.Duration // before it
}

// schedule deals the faults like cards: all of them come before one comes again.
type schedule struct {
	random *rand.Rand
	names  []string
	deck   []string
}

// The calm before a fault: long enough to measure what is usual.
const (
	leastCalm = 500 * time.Millisecond
	mostCalm  = 1500 * time.Millisecond
)

func newSchedule(seed uint64, names []string) *schedule {
	return &schedule{random: rand.New(rand.NewPCG(seed, 0)), names: names}
}

func (s *schedule) next() turn {
	if len(s.deck) == 0 {
		s.deck = slices.Clone(s.names)
		s.random.Shuffle(len(s.deck), func(i, j int) { s.deck[i], s.deck[j] = s.deck[j], s.deck[i] })
	}
	fault := s.deck[0]
	s.deck = s.deck[1:]
	return turn{
		fault: fault,
		pick:  s.random.IntN(1 << 20),
		span:  s.random.Float64(),
		calm:  leastCalm + time.Duration(s.random.Int64N(int64(mostCalm-leastCalm))),
	}
}

// within is a time between bounds, as the schedule has it.
func (t turn) within(least, most time.Duration) time.Duration {
	return least + time.Duration(t.span*float64(most-least))
}

// pick takes one of some things.
func pick[T any](t turn, from []T) T { return from[t.pick%len(from)] }
