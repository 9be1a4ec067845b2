package suite

import (
	"slices"
	"strings"

	"libglide/bindings/conformance/fakenode"
)

// scanned: a scan over the whole cluster goes through every node that it must, and ends. Each node
// has two steps with a key each.
func (t *trial) scanned(topology *Topology) {
	settings := t.settings()
	words, _ := get[[]string](t, t.request, "cmd")
	if len(words) < 2 || len(words)%2 != 0 || strings.ToUpper(words[0]) != "SCAN" {
		t.misread("request.cmd", words)
		return
	}
	var options []string
	for pair := range slices.Chunk(words[2:], 2) {
		name := strings.ToLower(pair[0])
		if !slices.Contains([]string{"match", "count", "type"}, name) {
			t.misread("request.cmd", words)
			return
		}
		value := pair[1]
		if name == "match" {
			value = hexWord(value)
		}
		options = append(options, option(name, value))
	}
	if gaps, _ := get[bool](t, t.config, "allow_non_covered_slots"); gaps {
		options = append(options, option("allow_non_covered", 1))
	}
	script := newScript(t)
	script.own = [][]string{{"SCAN"}}
	w := t.build(topology, script)
	defer w.close()
	var keys []string
	for _, n := range w.nodes {
		first, second := "first of "+n.name, "second of "+n.name
		n.fake.On("SCAN 0", scanStep("7", first))
		n.fake.On("SCAN 7", scanStep("0", second))
		keys = append(keys, first, second)
	}
	if !w.connect(t.clientOptions(settings)...) {
		return
	}
	w.begin()
	seen, last := w.scan(words[1], options)
	if last == nil {
		return
	}
	if t.expect.has("error") {
		t.settled(last, w.sends())
		return
	}
	if last.Status != StatusOK {
		t.differ("scan", StatusOK, last.said())
	}
	w.visited(seen, keys)
}

func scanStep(cursor, key string) fakenode.Value {
	return fakenode.Array(fakenode.Bulk(cursor), fakenode.Array(fakenode.Bulk(key)))
}

const scanEnd = "finished"

// scan takes all steps and gives the keys, and the last answer.
func (w *world) scan(cursor string, options []string) (keys []string, last *Answer) {
	const most = 100 // steps; a scan of some nodes with two each has ended long before
	t := w.trial
	for range most {
		answer := t.call(slices.Concat([]string{"scan", subject}, options, []string{hexWord(w.back.Replace(cursor))})...)
		if answer == nil || answer.Status != StatusOK {
			return keys, answer
		}
		if answer.Value == nil || len(answer.Value.Items) != 2 || answer.Value.Items[1].Kind != "a" {
			t.differ("scan", "a cursor and keys", answer.said())
			return keys, nil
		}
		for _, key := range answer.Value.Items[1].Items {
			keys = append(keys, key.Text)
		}
		if cursor = answer.Value.Items[0].Text; cursor == scanEnd {
			return keys, answer
		}
	}
	t.differ("scan", "its end within "+number(most)+" steps", "cursor "+cursor)
	return keys, nil
}

// visited checks the nodes that were scanned, in their order, and that no key of theirs is missing.
func (w *world) visited(seen, all []string) {
	t := w.trial
	var nodes []string
	for _, send := range w.sends() {
		if len(nodes) == 0 || nodes[len(nodes)-1] != send.node.name {
			nodes = append(nodes, send.node.name)
		}
	}
	want, has := get[[]string](t, t.expect, "nodes_visited")
	if has {
		t.same("nodes_visited", want, nodes)
	}
	if finished, has := get[bool](t, t.expect, "finished"); has {
		t.same("finished", finished, true) // scan gives an answer only then
	}
	for _, key := range all {
		_, name, _ := strings.Cut(key, " of ")
		if slices.Contains(nodes, name) && !slices.Contains(seen, key) {
			t.differ("keys", key, told(seen))
		}
	}
}
