package suite

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Fault is a way in which a driver did not do what a vector expects.
type Fault struct{ What, Want, Seen string }

func (f Fault) String() string {
	return fmt.Sprintf("%s: expected %s, seen %s", f.What, f.Want, f.Seen)
}

// trial is one vector before one driver. It collects faults rather than to stop at the first.
type trial struct {
	file    *File
	vector  *Vector
	session Session
	broken  bool   // the session
	stopped bool   // half-way, so that not all of the vector was looked at
	skip    string // why the driver cannot be asked
	faults  []Fault
	objects []*members
	rename  *strings.Replacer // addresses in answers, from real ones to those of the vector

	config, request, state, replies, expect *members
}

// checks are the groups of the format, and how a vector of each is judged.
var checks = map[string]func(*trial){
	"hash": (*trial).hash, "parse": (*trial).parsed, "views": (*trial).views, "aggregate": (*trial).aggregated,
	"route": (*trial).requested, "default": (*trial).requested, "split": (*trial).requested,
	"redirect": (*trial).requested, "retry": (*trial).requested, "read_from": (*trial).requested,
	"standalone": (*trial).requested, "batch": (*trial).requested, "scan": (*trial).requested,
	"refresh": (*trial).refreshed,
}

// judge puts a vector before a session. Another expectation takes the place of the vector's where
// the vector is known to be wrong.
func judge(file *File, vector *Vector, session Session, instead map[string]json.RawMessage) *trial {
	t := &trial{file: file, vector: vector, session: session}
	root := t.object(vector.ID, nil)
	root.raw = vector.members
	for _, name := range []string{"id", "group", "glide", "note"} {
		root.read[name] = true
	}
	t.config, t.request = t.inner(root, "config"), t.inner(root, "request")
	t.replies, t.expect = t.inner(root, "replies"), t.inner(root, "expect")
	t.state = t.inner(t.request, "state")
	t.expect.with(instead)
	if topology := root.raw["topology"]; topology != nil {
		root.read["topology"] = true
	}
	check := checks[vector.Group]
	if check == nil {
		t.misread(vector.ID+".group", root.raw["group"])
		return t
	}
	if len(t.expect.raw) == 0 {
		t.misread(vector.ID+".expect", nil)
		return t
	}
	check(t)
	if t.skip == "" && !t.broken && !t.stopped {
		t.unread()
	}
	return t
}

// topology is that of the vector.
func (t *trial) topology() *Topology {
	var name string
	topology := new(Topology)
	raw := t.vector.members["topology"]
	if raw == nil || json.Unmarshal(raw, &name) != nil || t.file.topologies[name] == nil {
		t.misread("topology", raw)
		return topology
	}
	if err := decode(t.file.topologies[name], topology); err != nil {
		t.differ("topology "+name, "members that this suite knows", err)
	}
	return topology
}

func (t *trial) differ(what string, want, seen any) {
	t.faults = append(t.faults, Fault{what, told(want), told(seen)})
}

func told(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case json.RawMessage:
		var text bytes.Buffer
		if json.Compact(&text, value) != nil {
			return "none"
		}
		return text.String()
	case fmt.Stringer:
		return value.String()
	case error:
		return value.Error()
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}

// same compares two things by how they are told.
func (t *trial) same(what string, want, seen any) {
	if told(want) != told(seen) {
		t.differ(what, want, seen)
	}
}

// misread counts what the suite does not understand as a failure: it cannot vouch for it.
func (t *trial) misread(what string, raw any) {
	t.faults = append(t.faults, Fault{what, "something that this suite understands", told(raw)})
}

// call asks the driver. It gives nil where the driver is broken or has no such call; the trial
// knows then, and its caller only stops.
func (t *trial) call(words ...string) *Answer {
	if t.broken || t.skip != "" {
		return nil
	}
	line, err := t.session.Call(words...)
	if err != nil {
		t.broken = true
		t.differ("the driver", "an answer to "+words[0], err)
		return nil
	}
	if t.rename != nil {
		line = []byte(t.rename.Replace(string(line)))
	}
	answer, err := readAnswer(line)
	switch {
	case err != nil:
		t.broken = true
		t.differ("the driver", "a line of its protocol", err)
		return nil
	case answer.Status == StatusUnsupported:
		t.skip = answer.said()
		return nil
	case answer.Status == StatusMalformed:
		t.differ("the driver", "that it understands "+strings.Join(words, " "), answer.said())
		return nil
	}
	return answer
}

// must is a call that has to succeed for the vector to make sense.
func (t *trial) must(words ...string) *Answer {
	answer := t.call(words...)
	if answer != nil && answer.Status != StatusOK {
		t.stopped = true
		t.differ(words[0], StatusOK, answer.said())
		return nil
	}
	return answer
}

// close ends the client or the router of the trial, whatever became of the trial.
func (t *trial) close() {
	if !t.broken {
		_, err := t.session.Call("close", subject)
		t.broken = err != nil
	}
}

// eventually waits until something is so, and says whether it came to be.
func eventually(limit time.Duration, so func() bool) bool {
	for end := time.Now().Add(limit); !so(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}
