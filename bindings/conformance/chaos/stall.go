package chaos

import (
	"runtime"
	"sort"
	"sync"
	"syscall"
	"time"
)

// stalls watches how long goroutines and threads that want to run do not get to: the machine's part
// of a delay, for which no client is to blame.
type stalls struct {
	goroutine, thread pulse
	done              sync.WaitGroup
	stop              chan struct{}
}

// pulse is something that sleeps for a beat again and again, and how much longer that took.
type pulse struct {
	mu  sync.Mutex
	all []stall
}

type stall struct {
	ended time.Time
	took  time.Duration
}

// The pulse, and the delay of one from which it counts.
const (
	beat       = 2 * time.Millisecond
	leastStall = time.Millisecond
)

func watchStalls() *stalls {
	s := &stalls{stop: make(chan struct{})}
	s.done.Go(func() { s.goroutine.watch(s.stop, time.Sleep) })
	s.done.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		s.thread.watch(s.stop, func(pause time.Duration) {
			span := syscall.NsecToTimespec(pause.Nanoseconds())
			_ = syscall.Nanosleep(&span, nil)
		})
	})
	return s
}

func (p *pulse) watch(stop <-chan struct{}, sleep func(time.Duration)) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		began := time.Now()
		sleep(beat)
		now := time.Now()
		if late := now.Sub(began) - beat; late > leastStall {
			p.mu.Lock()
			p.all = append(p.all, stall{now, late})
			p.mu.Unlock()
		}
	}
}

func (s *stalls) end() {
	close(s.stop)
	s.done.Wait()
}

// between is how long the machine stood still within a stretch of time.
func (s *stalls) between(from, to time.Time) time.Duration {
	return max(s.goroutine.between(from, to), s.thread.between(from, to))
}

func (s *stalls) longest() time.Duration { return max(s.goroutine.longest(), s.thread.longest()) }

// between adds up the stalls that touch a stretch of time.
func (p *pulse) between(from, to time.Time) (sum time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := sort.Search(len(p.all), func(i int) bool { return !p.all[i].ended.Before(from) })
	for _, each := range p.all[first:] {
		if each.ended.Add(-each.took).After(to) {
			break
		}
		sum += each.took
	}
	return sum
}

func (p *pulse) longest() (longest time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, each := range p.all {
		longest = max(longest, each.took)
	}
	return longest
}
