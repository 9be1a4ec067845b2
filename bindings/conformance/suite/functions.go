package suite

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// hash: a key, "hex:" and digits where it is no text, has a slot.
func (t *trial) hash() {
	key, _ := get[string](t, t.request, "input")
	bytes, err := keyBytes(key)
	if err != nil {
		t.misread("input", key)
		return
	}
	want, has := get[int](t, t.expect, "slot")
	if !has {
		t.misread("expect.slot", t.expect.raw["slot"])
		return
	}
	if answer := t.must("slot", hexWord(bytes)); answer != nil {
		t.same("slot", want, answer.Slot)
	}
}

// keyBytes reads a key of a vector.
func keyBytes(key string) (string, error) {
	digits, binary := strings.CutPrefix(key, "hex:")
	if !binary {
		return key, nil
	}
	bytes, err := hex.DecodeString(digits)
	return string(bytes), err
}

// hexWord is the form in which a call holds bytes.
func hexWord(bytes string) string {
	if bytes == "" {
		return "-"
	}
	return hex.EncodeToString([]byte(bytes))
}

func hexWords(words []string) []string {
	list := make([]string, len(words))
	for i, word := range words {
		list[i] = hexWord(word)
	}
	return list
}

// views: one of several views of the cluster wins, or none.
func (t *trial) views() {
	pure, is := t.session.(Pure)
	if !is {
		t.skip = "how views are weighed cannot be seen through a client"
		return
	}
	input := t.inner(t.request, "input")
	asked, _ := get[int](t, input, "queried")
	attempt, _ := get[int](t, input, "attempt")
	names, _ := get[[]string](t, input, "views")
	coverage, _ := get[map[string]int](t, input, "coverage")
	epochs, _ := get[map[string]uint64](t, input, "epochs")
	if equal, has := get[bool](t, t.expect, "equal"); has {
		t.same("equal", equal, sameView(pure, names, t))
		return
	}
	var given []View
	var who []string
	for _, name := range names {
		if slots := coverage[name]; slots > 0 {
			given = append(given, View{[]Range{{0, slots - 1, name + ":7000", nil}}, epochs[name]})
			who = append(who, name)
		} else if name != "error" {
			t.misread("input.views", name)
			return
		}
	}
	chosen, err := pure.Agree(given, asked, attempt >= lastAttempt)
	if want, fails := get[string](t, t.expect, "error"); fails {
		t.pureError(want, err)
		return
	}
	want, _ := get[string](t, t.expect, "chosen")
	if err != nil {
		t.differ("chosen", want, err)
		return
	}
	t.same("chosen", want, who[chosen])
}

// lastAttempt is the number of the attempt that takes a tie for an answer.
const lastAttempt = 3

// sameView says whether two views count as one. With three nodes asked, two different views are a
// tie, which has no winner. The second name says in what the views differ.
func sameView(pure Pure, names []string, t *trial) bool {
	const order = "-with-replicas-in-other-order"
	if len(names) != 2 || names[1] != names[0]+order {
		t.misread("input.views", names)
		return false
	}
	view := func(replicas ...string) View {
		return View{Ranges: []Range{{0, slotCount - 1, "h:7001", replicas}}}
	}
	_, err := pure.Agree([]View{view("h:7004", "h:7005"), view("h:7005", "h:7004")}, 3, false)
	return err == nil
}

func (t *trial) pureError(want string, err error) {
	if err == nil {
		t.differ("error", want, "no error")
	} else if !strings.Contains(err.Error(), want) {
		t.differ("error", want, err)
	}
}

// aggregated: the replies of several nodes make one value. The function itself is asked where it
// can be, and in any case a client whose request goes to so many nodes.
func (t *trial) aggregated() {
	input := t.inner(t.request, "input")
	policy, _ := get[string](t, input, "policy")
	pairs, has := get[[][2]Value](t, input, "replies")
	if !has {
		t.misread("input.replies", input.raw["replies"])
		return
	}
	pure, is := t.session.(Pure)
	if !is && len(pairs) == 0 {
		t.skip = "a request of a client has at least one reply"
		return
	}
	wantError, fails := get[string](t, t.expect, "error")
	want, _ := get[Value](t, t.expect, "result")
	if is {
		var replies []Value
		whole := &Answer{Value: new(Value)}
		for i := range pairs {
			replies = append(replies, pairs[i][1])
			whole.Outcomes = append(whole.Outcomes, Outcome{Node: pairs[i][0].Text, Value: &pairs[i][1]})
		}
		value, err := pure.Combine(policyName(policy), replies)
		if fails {
			t.pureError(wantError, err)
		} else if err != nil {
			t.differ("result", want, err)
		} else if *whole.Value = value; true {
			whole.spread()
			t.value("result", want, *whole.Value)
		}
	}
	if len(pairs) > 0 {
		t.aggregatedLive(policy, pairs, func(answer *Answer) {
			if fails {
				t.failure(wantError, answer)
			} else {
				t.success(want, answer)
			}
		})
	}
}

// aggregatedLive asks as many fake primaries as there are replies.
func (t *trial) aggregatedLive(policy string, pairs [][2]Value, check func(*Answer)) {
	topology := new(Topology)
	script := newScript(t)
	for i, pair := range pairs {
		first, last := slotCount*i/len(pairs), slotCount*(i+1)/len(pairs)-1
		topology.Ranges = append(topology.Ranges, Range{first, last, pair[0].Text, nil})
		script.add(pair[0].Text, reply{value: pair[1]})
	}
	w := t.build(topology, script)
	defer w.close()
	if !w.connect() {
		return
	}
	if answer := t.call("execute", subject, "route=all-primaries", "policy="+policyName(policy), hexWord("DBSIZE")); answer != nil {
		check(answer)
		for _, n := range w.nodes {
			if len(n.fake.Got("DBSIZE")) != 1 {
				t.differ("sends", "one to "+n.name, number(len(n.fake.Got("DBSIZE"))))
			}
		}
	}
}

// policyName is the name of a policy in calls and plans. Vectors write the tips of the server.
func policyName(tip string) string {
	switch tip {
	case "none", "special", "map":
		return "per_node"
	case "agg_logical_and", "agg_logical_or":
		return strings.TrimPrefix(tip, "agg_") + "_elementwise"
	}
	return strings.TrimPrefix(tip, "agg_")
}

// value compares a value with the expected one.
func (t *trial) value(what string, want, seen Value) {
	if !want.matches(seen) {
		t.differ(what, want, seen)
	}
}

// subject is the name by which calls know the client or the router of the trial.
const subject = "it"

func option(name string, value any) string { return fmt.Sprintf("%s=%v", name, value) }
