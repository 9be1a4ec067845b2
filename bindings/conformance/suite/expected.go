package suite

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// kinds are the kinds of errors that vectors tell apart, and the statuses that belong to them.
// A request that no node can be found for counts as either. Where some of several nodes failed, the
// kind is that of their failures.
var kinds = map[string][]string{
	"request":    {"INVALID_ARGUMENT", "ROUTE", "CONFIG", "BUSY"},
	"connection": {"CONNECTION", "ROUTE"},
	"timeout":    {"TIMEOUT"},
	"server":     {"SERVER"},
}

// remark is what an expected error says beside its text: "CROSSSLOT (client side)".
var remark = regexp.MustCompile(`\s*\((.*)\)$`)

// failure checks that a call has failed with an error: a code, or words of the message. The text
// of a reply of the vector has to come through as it is.
func (t *trial) failure(want string, answer *Answer) {
	if answer.Error == nil {
		t.differ("error", want, answer.said())
		return
	}
	line := want
	if found := remark.FindStringSubmatch(want); found != nil {
		line = strings.TrimSuffix(want, found[0])
		kind := map[string]string{"client side": "request", "server side": "server"}[found[1]]
		if kind == "" {
			t.misread("expect.error", want)
			return
		}
		t.kind(kind, answer)
	}
	if !strings.Contains(answer.Error.Message, line) && !t.describes(line, answer) {
		t.differ("error", want, answer.said())
	}
}

// describes says whether an expected error is a line of the vector's replies, which did come
// through, with words about it: "MOVED malformed" for the line "MOVED".
func (t *trial) describes(want string, answer *Answer) bool {
	for _, line := range t.errorLines() {
		if strings.HasPrefix(want, line+" ") && strings.Contains(answer.Error.Message, line) {
			return true
		}
	}
	return false
}

// errorLines are the errors among the replies of the vector.
func (t *trial) errorLines() []string {
	var lines []string
	var search func(any)
	search = func(found any) {
		switch found := found.(type) {
		case []any:
			for _, item := range found {
				search(item)
			}
		case map[string]any:
			if line, is := found["e"].(string); is {
				lines = append(lines, line)
			}
			for _, item := range found {
				search(item)
			}
		}
	}
	for _, raw := range t.replies.raw {
		var found any
		if json.Unmarshal(raw, &found) == nil {
			search(found)
		}
	}
	return lines
}

func (t *trial) kind(kind string, answer *Answer) {
	statuses, known := kinds[kind]
	if !known {
		t.misread("expect.error.kind", kind)
		return
	}
	seen := []string{answer.Status}
	if answer.Status == "PARTIAL" {
		for _, outcome := range answer.Outcomes {
			if outcome.Error != nil {
				seen = append(seen, outcome.Error.Status)
			}
		}
	}
	if !slices.ContainsFunc(seen, func(status string) bool { return slices.Contains(statuses, status) }) {
		t.differ("error", "of the kind "+kind+", one of "+strings.Join(statuses, " "), answer.said())
	}
}

// failed checks an expected error that says its kind, a part of its message, and when it is found.
func (t *trial) failed(answer *Answer, sends []send) {
	m := t.inner(t.expect, "error")
	if answer.Error == nil {
		t.differ("error", t.expect.raw["error"], answer.said())
	}
	if kind, has := get[string](t, m, "kind"); has && answer.Error != nil {
		t.kind(kind, answer)
	}
	if part, has := get[string](t, m, "contains"); has && answer.Error != nil && !strings.Contains(answer.Error.Message, part) {
		t.differ("error", "a message with "+part, answer.said())
	}
	if when, has := get[string](t, m, "when"); has {
		if when != "before any send" {
			t.misread("expect.error.when", when)
		} else if len(sends) > 0 {
			t.differ("error", when, told(sends))
		}
	}
}

// settled checks the expected error or result of a call.
func (t *trial) settled(answer *Answer, sends []send) {
	switch raw := t.expect.raw["error"]; {
	case raw == nil:
	case raw[0] == '{':
		t.failed(answer, sends)
	default:
		want, _ := get[string](t, t.expect, "error")
		t.failure(want, answer)
	}
	switch raw := t.expect.raw["result"]; {
	case raw == nil:
	case raw[0] == '"':
		want, _ := get[string](t, t.expect, "result")
		line, fails := strings.CutPrefix(want, "error ")
		if !fails {
			t.misread("expect.result", raw)
			return
		}
		t.failure(line, answer)
	case raw[0] == '[':
		want, _ := get[[]Value](t, t.expect, "result")
		t.success(array(want...), answer)
	case strings.Contains(string(raw), "map_keys"):
		t.perNode(answer)
	default:
		want, _ := get[Value](t, t.expect, "result")
		t.success(want, answer)
	}
}

// success checks that a call has the expected value.
func (t *trial) success(want Value, answer *Answer) {
	if answer.Status != StatusOK || answer.Value == nil {
		t.differ("result", want, answer.said())
		return
	}
	t.value("result", want, *answer.Value)
}

// perNode checks a value that is one entry for each node that was addressed.
func (t *trial) perNode(answer *Answer) {
	m := t.inner(t.expect, "result")
	keys, _ := get[[]string](t, m, "map_keys")
	values, each := get[Value](t, m, "values")
	if answer.Status != StatusOK || answer.Value == nil || answer.Value.Kind != "m" {
		t.differ("result", "an entry for each of "+told(keys), answer.said())
		return
	}
	var seen []string
	for i := 0; i+1 < len(answer.Value.Items); i += 2 {
		seen = append(seen, answer.Value.Items[i].Text)
		if each {
			t.value("result of "+seen[len(seen)-1], values, answer.Value.Items[i+1])
		}
	}
	slices.Sort(keys)
	slices.Sort(seen)
	t.same("nodes of the result", keys, seen)
}
