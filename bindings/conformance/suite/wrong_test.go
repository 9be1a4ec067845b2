package suite_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"libglide/bindings/conformance/drivers/golang"
	"libglide/bindings/conformance/suite"
)

// wrong are vectors that ask for what a client rightly does not do, and what must be told of each:
// so no check passes whatever happens.
var wrong = []struct {
	id, member, value string
	told              string
}{
	{"H-04", "expect.slot", `1`, "slot"},
	{"P-01", "expect.ranges", `[{"start":0,"end":16383,"primary":"10.0.0.2:7001","replicas":["10.0.0.2:7004"]}]`, "ranges"},
	{"P-01", "expect.ranges", `[{"start":0,"end":16383,"primary":"10.0.0.1:7001","replicas":[]}]`, "ranges"},
	{"P-05", "expect.uncovered", `[[8000,9000]]`, "slot 8192"},
	{"P-21", "expect.shards", `2`, "shards"},
	{"P-08", "expect.ip", `{"n1.example:6379":"10.0.0.2"}`, "IPs of n1.example:6379"},
	{"P-08", "expect.ip", `{}`, "IPs of n1.example:6379"},
	{"P-10", "expect.ip", `{"n1.example:6379":"10.0.0.1"}`, "IPs of n1.example:6379"},
	{"P-10", "expect.ip", `{"n2.example:6379":"10.0.0.1"}`, "nodes"},
	{"P-19", "expect.az", `{"10.0.0.1:7001":"az-b"}`, "zone of 10.0.0.1:7001"},
	{"P-20", "expect.dial", `["2001:db8::1:7001"]`, "dial"},
	{"P-22", "expect.error", `"no such node"`, "error"},
	{"P-01", "expect.error", `"no usable node"`, "error"},
	{"P-13", "expect.chosen", `"B"`, "chosen"},
	{"P-14", "expect.error", `"agreement below"`, "error"},
	{"P-13", "expect.error", `"no majority"`, "error"},
	{"P-18", "expect.equal", `false`, "equal"},
	{"A-01", "expect.result", `{"s":"KO"}`, "result"},
	{"A-02", "expect.error", `"ERR y"`, "error"},
	{"A-01", "expect.error", `"ERR x"`, "error"},
	{"A-20", "expect.result", `{"m":[["h:7001",{"b":"a"}]]}`, "result"},
	{"A-11", "request.input.policy", `"agg_sum"`, "result"},

	{"D-01", "expect.sends", `[{"to":"h:7002","argv":["GET","foo"]}]`, "sends"},
	{"D-01", "expect.sends", `[{"to":"h:7003","argv":["GET","bar"]}]`, "sends"},
	{"D-28", "expect.sends", `[{"to":"h:7001","argv":["FLUSHALL"]}]`, "sends"},
	{"D-22", "expect.policy", `"agg_sum"`, "policy"},
	{"D-33", "expect.one_of", `["h:7004","h:7005","h:7006"]`, "one_of"},
	{"D-33", "expect.argv", `["OLDCMD"]`, "argv"},
	{"D-22", "expect", `{"one_of":["h:7001","h:7002","h:7003"]}`, "one_of"},
	{"D-30", "expect.timeout_ms", `250`, "timeout_ms"},
	{"D-31", "expect.timeout_ms", `null`, ""}, // taken out: then it passes
	{"D-31", "expect.timeout_ms", `250`, "timeout_ms"},
	{"D-01", "expect.timeout_ms", `750`, "timeout_ms"},
	{"F-02", "expect.targets_over_n.counts", `{"h:7004":4}`, "targets_over_n"},
	{"F-04", "expect.targets_over_n.counts", `{"h:7004":2,"h:7005":2}`, "targets_over_n"},
	{"F-06", "expect.targets_over_n", `{"n":3,"error":"unsupported strategy"}`, "client"},
	{"B-02", "expect.sub_batches", `{"h:7003":[["MGET","foo"]]}`, "sub_batches"},
	{"B-03", "expect.sub_batches", `{"h:7003":[["GET","foo"],["FLUSHALL"],["SET","{foo}1","x"]]}`, "sub_batches"},
	{"S-01", "expect.sends", `[{"to":"h:7004","argv":["GET","foo"]}]`, "sends"},

	{"R-02", "expect.result.map_keys", `["h:7001"]`, "nodes of the result"},
	{"R-25", "expect.result.values", `{"b":"w"}`, "result of h:7001"},
	{"R-25", "expect.redirected_to", `null`, "sends"},
	{"R-25", "expect.redirected_to", `"h:7002"`, "expect.redirected_to"},
	{"R-03", "expect.sends", `[{"to":"h:7001","argv":["DBSIZE"]}]`, "sends"},
	{"R-04", "expect.one_of", `["h:7009"]`, "one_of"},
	{"R-04", "expect.argv", `["ECHO","y"]`, "argv"},
	{"R-13", "expect.sends", `[{"to":"h:7003","argv":["SET","foo","1"]},{"to":"h:7006","argv":["SET","foo","1"]}]`, "sends"},
	{"R-18", "expect.error.kind", `"connection"`, "error"},
	{"R-22", "expect.error.contains", `"was lost"`, "error"},
	{"R-06", "expect.error", `{"kind":"request","when":"before any send"}`, "error"},
	{"R-22", "expect.refresh", `2`, "refresh"},
	{"R-06", "expect.refresh", `1`, "refresh"},
	{"X-10", "expect.refresh", `0`, "refresh"},
	{"R-26", "expect.result", `"error NOPERM"`, "error"},
	{"R-06", "expect.result", `"error CROSSSLOT"`, "error"},
	{"X-05", "expect.contiguous", `[0,1]`, "contiguous"},
	{"X-05", "expect.slot_map", `{"12182":"h:7001"}`, "owner of slot 12182"},
	{"X-02", "expect.slot_map", `{"10922..16383":"h:7006"}`, "owner of slot 10922"},
	{"X-02", "expect.roles", `{"h:7006":"replica"}`, "role of h:7006"},
	{"X-03", "expect.shard_of_R1", `null`, ""},
	{"X-03", "expect.shard_of_R2", `"new, without replicas"`, "shard_of_R2"},
	{"X-03", "expect.shard_of_P1", `"old"`, "expect.shard_of_P1"},
	{"X-04", "expect.connect", `["h:7099"]`, "connect"},
	{"X-07", "expect.sends_max", `16`, "sends_max"},
	{"X-07", "expect.error", `"ASK"`, "error"},
	{"X-19", "expect.error", `"ERR y"`, "error"},
	{"X-19", "expect.error", `"ERR x (client side)"`, "error"},
	{"X-26", "expect.timeout_ms", `100`, "timeout_ms"},
	{"X-26", "expect.error.kind", `"connection"`, "error"},
	{"X-27", "request.state.inflight", `999`, "error"},
	{"M-01", "expect.result", `{"a":[{"b":"1"},{"b":"3"},{"b":"2"},{"b":"4"}]}`, "result"},
	{"M-16", "expect.redirect", `[{"leg":"MGET bar","to":["h:7001","h:7003"],"asking":true}]`, "way of MGET bar"},
	{"M-16", "expect.redirect", `[{"leg":"MGET bar","to":["h:7001","h:7002"],"asking":false}]`, "ASKING before MGET bar"},
	{"M-16", "expect.redirect", `[{"leg":"MGET foo","to":["h:7003"],"asking":true}]`, "ASKING before MGET foo"},

	{"X-11", "expect.steps", `["send h:7003"]`, "steps"},
	{"X-11", "expect.steps", `["send h:7003","wait","send h:7003","send h:7003"]`, "steps"},
	{"X-11", "expect.steps", `["send h:7003","wait","send h:7002"]`, "steps"},
	{"X-11", "expect.steps", `["send h:7003","reconnect h:7003","send h:7003"]`, "steps"},
	{"X-11", "expect.steps", `["send h:7003","drop connection h:7003","send h:7003"]`, "steps"},
	{"X-11", "expect.steps", `["send h:7003","refresh","send h:7003"]`, "steps"},
	{"X-17", "expect.error.kind", `"timeout"`, "error"},
	{"X-18", "expect.steps", `["send h:7003","connection fails after the write"]`, "steps"},
	{"X-16", "expect.steps", `["enqueue h:7003","connection fails before the bytes were written","send h:7003","send h:7003"]`, "steps"},
	{"B-01", "expect.result", `[{"s":"OK"},{"s":"OK"},{"i":1}]`, ""}, // the nodes answer what is expected
	{"B-07", "expect.retry_only", `[1]`, "retry_only"},
	{"B-07", "expect.retry_only", `[]`, "retry_only"},
	{"B-09", "expect.result", `[{"e":"timeout"},{"i":1}]`, "result"},
	{"B-11", "expect.error", `"empty list"`, "error"},
	{"B-13", "expect.steps", `["send h:7003","send h:7002: MULTI, GET, EXEC"]`, "commands to h:7002"},
	{"B-14", "expect.steps", `["send h:7003","send h:7001: MULTI, SET, EXEC contiguous"]`, "commands to h:7001"},
	{"B-15", "expect.result", `[]`, "result"},
	{"B-06", "expect.one_of", `["h:7004"]`, "one_of"},

	{"T-03", "expect.full_refreshes", `9`, "full_refreshes"},
	{"T-04", "expect.full_refreshes", `0`, "full_refreshes"},
	{"T-05", "expect.full_refreshes", `2`, "full_refreshes"},
	{"T-07", "request.input.events", `[[60,"periodic tick, view unchanged"]]`, ""},
	{"T-08", "expect.reconnects", `["h:7099"]`, "reconnects"},
	{"T-11", "expect.closed", `["h:7004"]`, "closed"},
	{"T-12", "expect.retries", `3`, "retries"},
	{"T-12", "expect.error", `"NOAUTH"`, "error"},
	{"C-01", "expect.error", `"some slots"`, "error"},
	{"C-02", "expect.nodes_visited", `["h:7003","h:7001"]`, "nodes_visited"},
	{"C-02", "expect.finished", `false`, "finished"},
	{"C-03", "expect.error", `"not all slots covered"`, "error"},
}

func TestEveryWrongExpectationIsTold(t *testing.T) {
	for _, one := range wrong {
		t.Run(one.id+" "+one.member+" "+one.value, func(t *testing.T) {
			t.Parallel()
			result := run(t, altered(t, one.id, map[string]string{one.member: one.value}), golang.Driver(), nil)
			if one.told == "" {
				assert.Equal(t, suite.Passed, result.Verdict, "%v", result.Faults)
				return
			}
			reports(t, result, one.told)
		})
	}
}

func TestWhatIsNotUnderstoodIsTold(t *testing.T) {
	for _, one := range []struct{ id, member, value, told string }{
		{"H-02", "group", `"sorcery"`, "H-02.group"},
		{"H-02", "expect.colour", `"red"`, "H-02.expect.colour"},
		{"H-02", "expect.slot", `"zero"`, "H-02.expect.slot"},
		{"H-02", "expect", `{}`, "H-02.expect"},
		{"H-02", "mood", `"good"`, "H-02.mood"},
		{"H-17", "request.input", `"hex:0"`, "input"},
		{"D-01", "topology", `"T9"`, "topology"},
		{"D-01", "config.colour", `"red"`, "D-01.config.colour"},
		{"D-01", "request.speed", `9`, "D-01.request.speed"},
		{"R-06", "request.route", `{"type":"moon"}`, "R-06.request.route"},
		{"R-06", "request.route.slot_type", `"leader"`, "R-06.request.route"},
		{"R-06", "request.route.colour", `"red"`, "R-06.request.route"},
		{"R-06", "request.state.moon", `"full"`, "R-06.request.state.moon"},
		{"R-18", "expect.error.kind", `"odd"`, "expect.error.kind"},
		{"R-06", "replies.*", `"sometimes"`, "R-06.replies.*"},
		{"R-18", "expect.error.when", `"later"`, "expect.error.when"},
		{"X-01", "expect.refresh", `"perhaps"`, "expect.refresh"},
		{"X-02", "expect.slot_map", `{"some":"h:7001"}`, "expect.slot_map"},
		{"X-11", "expect.steps", `["send h:7003","dance","send h:7003"]`, "expect.steps"},
		{"B-01", "request.batch.colour", `"red"`, "B-01.request.batch.colour"},
		{"P-13", "request.input.views", `["A","fog"]`, "input.views"},
		{"T-03", "request.input.events", `[[0,"an earthquake"]]`, "input.events"},
		{"C-01", "config.api", `"moon_scan"`, "config.api"},
		{"A-01", "request.input.policy", `"vote"`, "result"},
	} {
		t.Run(one.id+" "+one.member, func(t *testing.T) {
			t.Parallel()
			reports(t, run(t, altered(t, one.id, map[string]string{one.member: one.value}), golang.Driver(), nil), one.told)
		})
	}
}
