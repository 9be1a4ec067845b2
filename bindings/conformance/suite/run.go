package suite

import (
	"sync"
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
}

// Suite is what drivers are put to.
type Suite struct {
	File       *File
	Exceptions Exceptions
	Workers    int // vectors before one driver at once
	// quiet is held alone by a vector that would slow the others down.
	quiet sync.RWMutex
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

// fairly repeats a vector that failed while the machine stood still.
func (w *worker) fairly(pulse *pulse, vector *Vector) (result Result) {
	const tries = 4
	for range tries {
		before := pulse.stalls.Load()
		if result = w.judge(vector); result.Verdict != Failed || pulse.stalls.Load() == before {
			break
		}
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
	if heavy(vector) {
		w.suite.quiet.Lock()
		defer w.suite.quiet.Unlock()
	} else {
		w.suite.quiet.RLock()
		defer w.suite.quiet.RUnlock()
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
