package suite

import (
	"sync"
	"sync/atomic"
	"time"
)

// Verdict is what came of a vector before a driver.
type Verdict string

// The verdicts. A listed vector is one with an exception; it does not count, but fails where the
// driver does not do what the exception says instead.
const (
	Passed       Verdict = "passed"
	Failed       Verdict = "failed"
	Listed       Verdict = "listed"
	Inapplicable Verdict = "not applicable"
)

// Result is the verdict on one vector before one driver.
type Result struct {
	Driver  string
	Vector  *Vector
	Verdict Verdict
	Faults  []Fault
	Reason  string // of a vector that is listed or not applicable
	Took    time.Duration
	Again   bool // it was put before the driver again, since the machine stood still
}

// Suite is what drivers are put to.
type Suite struct {
	File       *File
	Exceptions Exceptions
	Workers    int // vectors before one driver at once
	// quiet is held alone by a vector that would slow the others down.
	quiet sync.RWMutex
	// repeated counts vectors that were put before a driver again.
	repeated atomic.Int64
}

// Run puts every vector before a driver. The results come in the order of the vectors.
func (s *Suite) Run(driver Driver) []Result {
	results := make([]Result, len(s.File.Vectors))
	next := make(chan int)
	pulse := startPulse()
	defer pulse.end()
	var workers sync.WaitGroup
	for range max(1, s.Workers) {
		workers.Go(func() {
			w := worker{suite: s, driver: driver}
			for i := range next {
				results[i] = w.fairly(pulse, &s.File.Vectors[i])
			}
			w.end()
		})
	}
	for i := range results {
		next <- i
	}
	close(next)
	workers.Wait()
	return results
}

// worker keeps a session for vector after vector.
type worker struct {
	suite   *Suite
	driver  Driver
	session Session
}

func (w *worker) end() {
	if w.session != nil {
		w.session.Close()
		w.session = nil
	}
}

// fairly repeats a vector that failed while the machine stood still, then alone and in a quiet time.
// A driver that fails at everything is not put to everything again.
func (w *worker) fairly(pulse *pulse, vector *Vector) Result {
	const most, tries = 30, 3 // vectors of a run, and times
	began := time.Now()
	lock, unlock := w.suite.quiet.RLock, w.suite.quiet.RUnlock
	if heavy(vector) {
		lock, unlock = w.suite.quiet.Lock, w.suite.quiet.Unlock
	}
	lock()
	result := w.judge(vector)
	unlock()
	if result.Verdict != Failed || !pulse.stalledSince(began) || w.suite.repeated.Add(1) > most {
		return result
	}
	w.suite.quiet.Lock()
	defer w.suite.quiet.Unlock()
	for try := 0; try < tries && result.Verdict == Failed && pulse.stalledSince(began); try++ {
		pulse.settle()
		began = time.Now()
		result = w.judge(vector)
		result.Again = true
	}
	return result
}

func (w *worker) judge(vector *Vector) Result {
	result := Result{Driver: w.driver.Name, Vector: vector}
	if w.session == nil {
		session, err := w.driver.Start()
		if err != nil {
			result.Verdict, result.Faults = Failed, []Fault{{"the driver", "that it starts", err.Error()}}
			return result
		}
		w.session = session
	}
	exception, listed := w.suite.Exceptions[vector.ID]
	if listed && exception.Expect == nil {
		result.Verdict, result.Reason = Listed, exception.Reason
		return result
	}
	began := time.Now()
	trial := judge(w.suite.File, vector, w.session, exception.Expect)
	result.Took, result.Faults = time.Since(began), trial.faults
	switch {
	case len(trial.faults) > 0:
		result.Verdict = Failed
	case trial.skip != "":
		result.Verdict, result.Reason = Inapplicable, trial.skip
	case listed:
		result.Verdict, result.Reason = Listed, exception.Reason
	default:
		result.Verdict = Passed
	}
	if trial.broken {
		w.end()
	}
	return result
}
