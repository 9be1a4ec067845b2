package core

import "time"

// A thread that sleeps has to be woken, and where its processor went idle meanwhile that takes longer
// than a server near by takes to answer. So whoever waits for what comes within microseconds stays
// awake for a moment, and yields to the threads that are ready, the server's among them where it is
// on the same machine.
//
// A leader does so twice. Before it sends, where a few threads call at the same time: those whose
// replies one leader has brought come back within microseconds of each other, and the first of them
// would have its own request alone in the exchange, and the others would wait for the next. And before
// it sleeps for the reply. Where many call, enough of them are ready without that, and to wait
// would only keep them from their work. Those who wait for a leader do the same in C, see ticket.c.

const (
	// Up to how many requests may be under way on a client for a leader to gather others, and to
	// stay awake for its reply.
	fewToGather, fewToWatch = 9, 4
	// vigilTime is how long it stays awake for a reply.
	vigilTime = 100 * time.Microsecond
	// A machine that is busy with something else runs that, for a slice of its scheduler: so long at
	// least.
	longYield = 1500 * time.Microsecond
	// A vigil in vain is followed by none for so many times what it took, and for more after each
	// further one: twice as many, or where a yield was long, which is dear, eight times. Each that
	// was not in vain halves that.
	leastPause, mostPause  = 16, 1024
	vainFactor, longFactor = 2, 8
)

// vigil decides whether to stay awake by how that went before: where the server is far away, or the
// machine runs something else meanwhile, it is in vain. One leader at a time uses it.
type vigil struct {
	from  time.Time // none before that
	pause int       // after the last one in vain, in times of what it took; halved by each since that was not
}

// ended notes how a vigil went that was kept from one time to another.
func (v *vigil) ended(came, long bool, began, ended time.Time) {
	factor := vainFactor
	switch {
	case long:
		factor = longFactor
	case came:
		v.pause /= 2
		return
	}
	v.pause = min(max(factor*v.pause, leastPause), mostPause)
	v.from = ended.Add(time.Duration(v.pause) * ended.Sub(began))
}

// atOnce is what to keep a vigil for that is to be one yield.
func atOnce() bool { return true }

// keep stays awake until something has come, for a while, and says whether it has. It yields before
// it asks.
func (v *vigil) keep(come func() bool) (came bool) {
	began := time.Now()
	if began.Before(v.from) {
		return false
	}
	for now := began; ; {
		yieldThread()
		came = come()
		last := now
		now = time.Now()
		long := now.Sub(last) >= longYield
		if came || long || now.Sub(began) > vigilTime {
			v.ended(came, long, began, now)
			return came
		}
	}
}
