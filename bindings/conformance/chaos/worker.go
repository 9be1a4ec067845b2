package chaos

import (
	"errors"
	"strconv"
	"time"

	"libglide/core"
	"libglide/routing"
)

// worker does one kind of command on keys of its own again and again. Only its own goroutine
// calls step, and check is called when that has ended.
type worker interface {
	step(c *caller)
	check(t truth, e *excuses) (finding, error)
}

// caller runs commands on the subject for workers.
type caller struct {
	subject Subject
	calls   *calls
	timeout time.Duration
}

func words(text ...string) [][]byte {
	words := make([][]byte, len(text))
	for i, word := range text {
		words[i] = []byte(word)
	}
	return words
}

// run executes one command.
func (c *caller) run(text ...string) (core.Response, call) {
	request := &core.Request{Timeout: c.timeout}
	request.Words = words(text...)
	return c.execute(request, c.timeout)
}

func (c *caller) execute(request *core.Request, deadline time.Duration) (response core.Response, done call) {
	done = c.calls.do(routing.CommandName(request.Words), deadline, func() (err error) {
		response, err = c.subject.Execute(request)
		return err
	})
	return response, done
}

// batch executes commands as one, and gives the verdict on each.
func (c *caller) batch(atomic bool, commands ...[][]byte) ([]verdict, call) {
	request := &core.BatchRequest{Timeout: c.timeout}
	request.Atomic, request.Commands = atomic, commands
	var response core.Response
	done := c.calls.do("batch", c.timeout, func() (err error) {
		response, err = c.subject.ExecuteBatch(request)
		return err
	})
	verdicts := make([]verdict, len(commands))
	for i := range verdicts {
		verdicts[i] = done.verdict
		if done.verdict == good && response.Failures != nil && response.Failures[i] != nil {
			verdicts[i] = judge(response.Failures[i])
		}
	}
	return verdicts, done
}

// counter increments one key.
type counter struct {
	tag, key string
	log      []call
}

func newCounter(tag, name string) *counter {
	return &counter{tag: tag, key: "{" + tag + "}counter:" + name}
}

func (w *counter) step(c *caller) {
	_, done := c.run("INCR", w.key)
	w.log = append(w.log, done)
}

func (w *counter) check(t truth, e *excuses) (finding, error) {
	found, err := t.number(w.key)
	return tally(w.key, w.tag, w.log, found, e), err
}

// tally holds a number of increments against what their callers were told.
func tally(key, tag string, log []call, found int, e *excuses) (f finding) {
	excusable, uncertain := 0, 0
	for _, each := range log {
		switch each.verdict {
		case good:
			f.acknowledged++
			if e.cover(tag, each) {
				excusable++
			}
		case unsure:
			uncertain++
		}
	}
	if missing := f.acknowledged - found; missing > 0 {
		f.excused = min(missing, excusable)
		if f.lost = missing - f.excused; f.lost > 0 {
			f.note("%s is %d after %d acknowledged increments, %d of them excused", key, found, f.acknowledged, excusable)
		}
	}
	if f.doubled = max(0, found-f.acknowledged-uncertain); f.doubled > 0 {
		f.note("%s is %d after %d acknowledged increments and %d that may have run", key, found, f.acknowledged, uncertain)
	}
	return f
}

// transaction increments two counters as one.
type transaction struct {
	first *counter
	other string
}

func newTransaction(tag string) *transaction {
	return &transaction{newCounter(tag, "transaction"), "{" + tag + "}counter:other"}
}

func (w *transaction) step(c *caller) {
	_, done := c.batch(true, words("INCR", w.first.key), words("INCR", w.other))
	w.first.log = append(w.first.log, done)
}

func (w *transaction) check(t truth, e *excuses) (finding, error) {
	f, err := w.first.check(t, e)
	first, one := t.number(w.first.key)
	other, two := t.number(w.other)
	if first != other {
		f.torn++
		f.note("a transaction was torn: %s is %d, %s is %d", w.first.key, first, w.other, other)
	}
	return f, errors.Join(err, one, two)
}

// pipeline increments a counter for each of its tags in one batch.
type pipeline []*counter

func newPipeline(tags []string, name string) pipeline {
	var w pipeline
	for _, tag := range tags {
		w = append(w, newCounter(tag, "pipeline:"+name))
	}
	return w
}

func (w pipeline) step(c *caller) {
	commands := make([][][]byte, len(w))
	for i, each := range w {
		commands[i] = words("INCR", each.key)
	}
	verdicts, done := c.batch(false, commands...)
	for i, each := range w {
		done.verdict = verdicts[i]
		each.log = append(each.log, done)
	}
}

func (w pipeline) check(t truth, e *excuses) (f finding, err error) {
	for _, each := range w {
		found, failed := each.check(t, e)
		f.add(found)
		err = errors.Join(err, failed)
	}
	return f, err
}

// collector adds a unique element with every command: to a list, or to a set, which says itself
// where an element came twice.
type collector struct {
	tag, word string
	log       []call
	again     int // elements that the set had when their first addition was acknowledged
}

// perKey is how many elements go into one key, so that keys can still move in one step.
const perKey = 1000

func (w *collector) key(n int) string {
	return "{" + w.tag + "}" + w.word + ":" + strconv.Itoa(n/perKey)
}

func (w *collector) step(c *caller) {
	n := len(w.log)
	response, done := c.run(w.word, w.key(n), strconv.Itoa(n))
	if w.word == "SADD" && done.verdict == good && response.Value.Integer != 1 {
		w.again++
	}
	w.log = append(w.log, done)
}

func (w *collector) check(t truth, e *excuses) (f finding, err error) {
	if f.doubled = w.again; w.again > 0 {
		f.note("%s of %s: %d elements were there before they were added", w.word, w.tag, w.again)
	}
	for first := 0; first < len(w.log); first += perKey {
		read := t.members
		if w.word == "RPUSH" {
			read = t.list
		}
		elements, failed := read(w.key(first))
		if failed != nil {
			return f, failed
		}
		count := make(map[string]int)
		for _, element := range elements {
			count[element]++
		}
		for n := first; n < min(first+perKey, len(w.log)); n++ {
			w.weigh(&f, e, n, count[strconv.Itoa(n)])
		}
	}
	return f, nil
}

// weigh judges the n-th element, which is there so many times.
func (w *collector) weigh(f *finding, e *excuses, n, count int) {
	told := w.log[n]
	if told.verdict == good {
		f.acknowledged++
	}
	switch {
	case told.verdict == good && count == 0 && e.cover(w.tag, told):
		f.excused++
	case told.verdict == good && count == 0:
		f.lost++
		f.note("%s %s %d was acknowledged at %s and is missing", w.word, w.key(n), n, told.ended.Format(clock))
	case count > 1, count == 1 && told.verdict == refused:
		f.doubled++
		f.note("%s %s %d is there %d times", w.word, w.key(n), n, count)
	}
}

const clock = "15:04:05.000"
