package chaos

import (
	"errors"
	"strconv"

	"libglide/core"
	"libglide/routing"
)

// register overwrites keys with growing numbers, all in one command: keys of one slot, which
// change together or not at all, or keys of many, each of which changes for itself.
type register struct {
	tags  []string
	keys  []string
	whole bool
	logs  [][]call // of each key; the n-th call wrote n+1
}

// newQuad is a register of four keys of one slot. While the slot moves, its keys are on two nodes.
func newQuad(tag string) *register {
	w := &register{whole: true}
	for i := range 4 {
		w.add(tag, "{"+tag+"}quad:"+strconv.Itoa(i))
	}
	return w
}

// newSpread is a register of a key for each tag.
func newSpread(tags []string, name string) *register {
	w := new(register)
	for _, tag := range tags {
		w.add(tag, "{"+tag+"}spread:"+name)
	}
	return w
}

func (w *register) add(tag, key string) {
	w.tags, w.keys = append(w.tags, tag), append(w.keys, key)
	w.logs = append(w.logs, nil)
}

func (w *register) step(c *caller) {
	number := strconv.Itoa(len(w.logs[0]) + 1)
	text := []string{"MSET"}
	for _, key := range w.keys {
		text = append(text, key, number)
	}
	response, done := c.run(text...)
	for i := range w.keys {
		each := done
		if done.verdict != good && !w.whole {
			each.verdict = legOf(response.Outcomes, w.keys[i])
		}
		w.logs[i] = append(w.logs[i], each)
	}
	c.run(append([]string{"MGET"}, w.keys...)...)
}

// legOf is the verdict on the part of a split command that held a key.
func legOf(outcomes []core.Outcome, key string) verdict {
	slot := routing.SlotOf([]byte(key))
	for _, outcome := range outcomes {
		for _, held := range outcome.Slots {
			switch {
			case held.First > slot || slot > held.Last:
			case outcome.Err == nil:
				return good
			default:
				return judge(outcome.Err)
			}
		}
	}
	return unsure
}

func (w *register) check(t truth, e *excuses) (f finding, err error) {
	var all []int
	for i, key := range w.keys {
		found, failed := t.number(key)
		err = errors.Join(err, failed)
		all = append(all, found)
		f.add(w.weigh(i, found, e))
	}
	for _, found := range all {
		if w.whole && found != all[0] {
			f.torn++
			f.note("an MSET of one slot was torn: %v are %v", w.keys, all)
			break
		}
	}
	return f, err
}

// weigh judges the value of one key. It is the last that was acknowledged, or any of those that
// may have run: nobody knows when the server got to them.
func (w *register) weigh(i, found int, e *excuses) (f finding) {
	log := w.logs[i]
	last := 0
	for n, each := range log {
		if each.verdict == good {
			f.acknowledged++
			last = n + 1
		}
	}
	switch {
	case found == last || found > 0 && found <= len(log) && log[found-1].verdict == unsure:
	case found > len(log) || found > 0 && log[found-1].verdict == refused:
		f.doubled++
		f.note("%s is %d, which was not to be written", w.keys[i], found)
	default:
		// Everything that was acknowledged after what is there has to be excused.
		for n := found; n < last; n++ {
			switch each := log[n]; {
			case each.verdict != good:
			case e.cover(w.tags[i], each):
				f.excused++
			default:
				f.lost++
			}
		}
		if f.lost > 0 {
			f.note("%s is %d after %d was acknowledged", w.keys[i], found, last)
		}
	}
	return f
}
