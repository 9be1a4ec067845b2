package chaos

import (
	"strconv"
	"time"

	"libglide/core"
)

// queue pushes unique elements to a list, from which a popper takes them with BLPOP.
type queue struct {
	tag    string
	log    []call
	popper *popper
}

// popper takes from a list, waiting for what is not there yet.
type popper struct {
	tag, key string
	taken    map[int][]call
	failed   []call // pops that may have taken something
}

func newQueue(tag string) *queue {
	return &queue{tag: tag, popper: &popper{tag: tag, key: "{" + tag + "}queue", taken: make(map[int][]call)}}
}

// wait is what a pop asks for, and blockingTime what it then has.
const (
	wait         = "0.2"
	blockingTime = 700 * time.Millisecond
)

func (p *popper) step(c *caller) {
	request := new(core.Request)
	request.Words = words("BLPOP", p.key, wait)
	response, done := c.execute(request, blockingTime)
	switch {
	case done.verdict == unsure:
		p.failed = append(p.failed, done)
	case done.verdict == good && len(response.Value.Items) == 2:
		n, _ := strconv.Atoi(string(response.Value.Items[1].Text))
		p.taken[n] = append(p.taken[n], done)
	}
}

// check leaves everything to the queue.
func (p *popper) check(truth, *excuses) (finding, error) { return finding{}, nil }

func (w *queue) step(c *caller) {
	n := len(w.log)
	_, done := c.run("RPUSH", w.popper.key, strconv.Itoa(n))
	w.log = append(w.log, done)
}

// check finds every element that was pushed either taken or still there. As many may be missing
// as pops failed that may have taken one.
func (w *queue) check(t truth, e *excuses) (f finding, err error) {
	rest, err := t.list(w.popper.key)
	if err != nil {
		return f, err
	}
	count := make(map[int]int)
	for _, element := range rest {
		n, _ := strconv.Atoi(element)
		count[n]++
	}
	missing := 0
	for n, told := range w.log {
		taken := w.popper.taken[n]
		times := count[n] + len(taken)
		if told.verdict == good {
			f.acknowledged++
		}
		switch {
		case times == 0 && told.verdict == good && e.cover(w.tag, told):
			f.excused++
		case times == 0 && told.verdict == good:
			missing++
		case times > 1 && len(taken) > 0 && e.cover(w.tag, taken[0]):
			f.excused++ // the server lost that it had been taken
		case times > 1, times == 1 && told.verdict == refused:
			f.doubled++
			f.note("element %d of %s was taken %d times and is there %d times", n, w.popper.key, len(taken), count[n])
		}
	}
	if f.lost = max(0, missing-len(w.popper.failed)); f.lost > 0 {
		f.note("%d elements of %s are missing, after %d pops that may have taken one", missing, w.popper.key, len(w.popper.failed))
	}
	return f, nil
}
