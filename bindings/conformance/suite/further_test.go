package suite_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"libglide/bindings/conformance/drivers/golang"
	"libglide/bindings/conformance/suite"
)

// Vectors that the file does not hold, in the words of the format: a file of others must do.
func TestVectorsThatNobodyHasSeenAreUnderstood(t *testing.T) {
	for name, one := range map[string]struct {
		id      string
		members map[string]string
	}{
		"a redirect to the host of the node that answers": {"X-01", map[string]string{
			"replies": `{"h:7003":{"e":"MOVED 12182 :7002"},"h:7002":{"s":"OK"}}`,
		}},
		"a redirect to nowhere": {"X-10", map[string]string{
			"replies": `{"h:7003":{"e":"MOVED 12182 ?:7002"}}`, "expect.error": `"MOVED"`,
		}},
		"a host with its port in one string": {"R-21", map[string]string{
			"request.route": `{"type":"address","host":"h:7005"}`,
		}},
		"a node by its IP": {"R-06", map[string]string{
			"request.route": `{"type":"address","host":"10.0.0.2","port":7002}`,
			"request.state": `{"ip":{"n2.example:7002":"10.0.0.2"}}`,
			"replies":       `{"*":{"b":"v"}}`,
			"expect.sends":  `[{"to":"n2.example:7002","argv":["GET","foo"]}]`,
		}},
		"a key that is no text": {"R-08", map[string]string{
			"request.route": `{"type":"slot_key","slot_key":"hex:7b007d61","slot_type":"primary"}`,
		}},
		"one node left": {"R-04", map[string]string{
			"request.state": `{"connected":["h:7001"]}`, "expect.one_of": `["h:7001"]`,
		}},
		"a fan-out to a node that is gone": {"R-03", map[string]string{
			"request.state": `{"disconnected":["h:7002"]}`,
			"expect":        `{"error":{"kind":"connection","contains":"h:7002"}}`,
		}},
		"a look before the second send": {"X-11", map[string]string{
			"replies": `{"h:7003#1":{"e":"READONLY x"},"h:7003#2":{"i":1}}`,
			"expect":  `{"steps":["send h:7003","refresh","wait","send h:7003"],"result":{"i":1}}`,
		}},
		"an idle connection that was closed": {"X-19", map[string]string{
			"request.state": `{"fails_before_write":["h:7003"]}`, "replies": `{"*":{"s":"OK"}}`,
			"expect": `{"sends":[{"to":"h:7003","argv":["SET","foo","1"]}],"result":{"s":"OK"}}`,
		}},
		"a batch that raises": {"B-07", map[string]string{
			"request.batch.raise_on_error": `true`, "replies": `{"h:7003":[{"e":"WRONGTYPE x"}]}`,
			"expect": `{"error":"WRONGTYPE x"}`,
		}},
		"a transaction whose end nobody hears of": {"B-15", map[string]string{
			"replies": `{"h:7003":[{"s":"OK"},{"s":"QUEUED"},"never"]}`, "expect": `{"error":{"kind":"timeout"}}`,
		}},
		"a burst of redirects": {"T-04", map[string]string{
			"request.input.events": `[[0,"MOVED"],[1,"MOVED h:7002"],[31,"MOVED"]]`,
		}},
		"a batch whose lost part may run twice": {"B-09", map[string]string{
			"request.batch.retry_connection_error": `true`, "expect": `{"result":[{"i":1},{"i":1}]}`,
		}},
		"a tip that names an elementwise policy": {"A-15", map[string]string{
			"request.input": `{"policy":"agg_logical_or","replies":[["h:7001",{"a":[{"i":0},{"i":0}]}],["h:7002",{"a":[{"i":1},{"i":0}]}]]}`,
			"expect":        `{"result":{"a":[{"i":1},{"i":0}]}}`,
		}},
		"a command that waits in line": {"D-31", map[string]string{
			"request.cmd": `["WAIT","1","250"]`,
			"expect":      `{"sends":[{"to":"h:7001","argv":["WAIT","1","250"]},{"to":"h:7002","argv":["WAIT","1","250"]},{"to":"h:7003","argv":["WAIT","1","250"]}],"timeout_ms":750}`,
		}},
		"any answer of a standalone server": {"S-02", map[string]string{
			"request.cmd": `["CONFIG","GET","a"]`, "expect.argv": `["CONFIG","GET","a"]`,
		}},
		"views of several epochs": {"P-13", map[string]string{
			"request.input.epochs": `{"A":5,"B":6}`, "expect.chosen": `"B"`,
		}},
		"a scan with a pattern": {"C-03", map[string]string{
			"request.cmd": `["SCAN","0","MATCH","a*","COUNT","10"]`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result := run(t, altered(t, one.id, one.members), golang.Driver(), nil)
			assert.Equal(t, suite.Passed, result.Verdict, "%v", result.Faults)
		})
	}
}
