package chaos

import (
	"fmt"
	"strconv"

	"libglide/core"
	"libglide/routing"
)

// scanner scans the whole cluster again and again. Keys that are there throughout have to be in
// every scan that comes to its end.
type scanner struct {
	stable  map[string]bool
	request core.ScanRequest
	seen    map[string]bool
	ended   int
	missed  finding
}

// stableKeys are keys that nobody touches: all over the cluster, and in the slots that move.
func stableKeys(tags []string) (keys []string) {
	for i := range 300 {
		keys = append(keys, "stable:"+strconv.Itoa(i))
	}
	for _, tag := range tags {
		for i := range 20 {
			keys = append(keys, "stable:{"+tag+"}:"+strconv.Itoa(i))
		}
	}
	return keys
}

func newScanner(tags []string) *scanner {
	w := &scanner{stable: make(map[string]bool)}
	for _, key := range stableKeys(tags) {
		w.stable[key] = true
	}
	w.begin()
	return w
}

func (w *scanner) begin() {
	w.request = core.ScanRequest{Match: []byte("stable:*"), Count: 500}
	w.seen = make(map[string]bool)
}

func (w *scanner) step(c *caller) {
	w.request.Timeout = c.timeout
	var cursor string
	var keys []routing.Value
	done := c.calls.do("SCAN", c.timeout, func() (err error) {
		cursor, keys, err = c.subject.Scan(&w.request)
		return err
	})
	if done.verdict != good {
		return // from the same cursor once more
	}
	for _, key := range keys {
		w.seen[string(key.Text)] = true
	}
	if w.request.Cursor = cursor; cursor != routing.ScanFinished {
		return
	}
	w.ended++
	for key := range w.stable {
		if !w.seen[key] {
			w.missed.lost++
			w.missed.note("scan %d did not give %s", w.ended, key)
		}
	}
	w.begin()
}

func (w *scanner) check(truth, *excuses) (finding, error) {
	if w.ended == 0 {
		return w.missed, fmt.Errorf("no scan came to its end")
	}
	return w.missed, nil
}

// reader reads: one key, keys of many slots, all nodes, a replica.
type reader struct {
	tags []string
	turn int
}

func (w *reader) step(c *caller) {
	w.turn++
	tag := w.tags[w.turn%len(w.tags)]
	switch w.turn % 4 {
	case 0:
		c.run("GET", "{"+tag+"}counter:0")
	case 1:
		c.run("MGET", "stable:1", "stable:2", "stable:3", "stable:4")
	case 2:
		c.run("DBSIZE")
	case 3:
		request := &core.Request{Timeout: c.timeout}
		request.Words = words("GET", "{"+tag+"}counter:0")
		request.Route = routing.Route{Kind: routing.RouteSlotKey, Role: routing.Replica, Key: []byte(tag)}
		c.execute(request, c.timeout)
	}
}

func (w *reader) check(truth, *excuses) (finding, error) { return finding{}, nil }
