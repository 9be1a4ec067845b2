package suite_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/drivers/golang"
	"libglide/bindings/conformance/suite"
)

const vectorsPath = "../vectors.json"

func load(t *testing.T) (*suite.File, suite.Exceptions) {
	t.Helper()
	file, err := suite.Load(vectorsPath)
	require.NoError(t, err)
	exceptions, err := suite.LoadExceptions("../exceptions.json")
	require.NoError(t, err)
	return file, exceptions
}

func TestTheVectorsHoldForTheGoCore(t *testing.T) {
	file, exceptions := load(t)
	s := &suite.Suite{File: file, Exceptions: exceptions, Workers: 8}
	for _, result := range s.Run(golang.Driver()) {
		assert.NotEqual(t, suite.Failed, result.Verdict, "%s: %v", result.Vector.ID, result.Faults)
		assert.NotEqual(t, suite.Inapplicable, result.Verdict, "%s: %s", result.Vector.ID, result.Reason)
	}
}

// canned answers every call with one line.
type canned string

func (c canned) Call(...string) ([]byte, error) { return []byte(c), nil }
func (c canned) Close()                         {}

func (c canned) driver() suite.Driver {
	return suite.Driver{Name: "canned", Start: func() (suite.Session, error) { return c, nil }}
}

func TestADriverThatDoesNothingPassesNothing(t *testing.T) {
	file, exceptions := load(t)
	for name, answer := range map[string]canned{
		"all well":      `{"status":"OK"}`,
		"nothing works": `{"status":"INTERNAL","error":{"message":"no"}}`,
		"too good":      `{"status":"OK","value":{"s":"OK"},"plan":{"policy":"default","legs":[]},"topology":{"epoch":1,"shards":[]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &suite.Suite{File: file, Exceptions: exceptions, Workers: 16}
			for _, result := range s.Run(answer.driver()) {
				assert.NotEqual(t, suite.Passed, result.Verdict, result.Vector.ID)
				if result.Verdict == suite.Listed {
					assert.Empty(t, exceptions[result.Vector.ID].Expect, result.Vector.ID)
				}
			}
		})
	}
}

// altered is a file of one vector: one of the real ones with other members. A member "expect.x" is
// one of expect; null takes a member out.
func altered(t *testing.T, id string, members map[string]string) string {
	t.Helper()
	text, err := os.ReadFile(vectorsPath)
	require.NoError(t, err)
	var file map[string]any
	require.NoError(t, json.Unmarshal(text, &file))
	for _, each := range file["vectors"].([]any) {
		vector := each.(map[string]any)
		if vector["id"] != id {
			continue
		}
		for path, raw := range members {
			var value any
			require.NoError(t, json.Unmarshal([]byte(raw), &value), raw)
			in := vector
			names := strings.Split(path, ".")
			for _, name := range names[:len(names)-1] {
				if in[name] == nil {
					in[name] = map[string]any{}
				}
				in = in[name].(map[string]any)
			}
			if last := names[len(names)-1]; value == nil {
				delete(in, last)
			} else {
				in[last] = value
			}
		}
		file["vectors"] = []any{vector}
		text, err = json.Marshal(file)
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), "vectors.json")
		require.NoError(t, os.WriteFile(path, text, 0o600))
		return path
	}
	t.Fatal("no vector ", id)
	return ""
}

func run(t *testing.T, path string, driver suite.Driver, exceptions suite.Exceptions) suite.Result {
	t.Helper()
	file, err := suite.Load(path)
	require.NoError(t, err)
	s := &suite.Suite{File: file, Exceptions: exceptions}
	return s.Run(driver)[0]
}

// reports asserts that the result is a failure over just the things named.
func reports(t *testing.T, result suite.Result, what ...string) {
	t.Helper()
	assert.Equal(t, suite.Failed, result.Verdict)
	var seen []string
	for _, fault := range result.Faults {
		seen = append(seen, fault.What)
	}
	for _, name := range what {
		assert.Contains(t, strings.Join(seen, "; "), name, "%v", result.Faults)
	}
}

func TestAnExceptionListsAVectorOnlyAsLongAsItHolds(t *testing.T) {
	wrong := altered(t, "X-19", map[string]string{"expect.error": `"ERR y"`})
	reports(t, run(t, wrong, golang.Driver(), nil), "error")
	unjudged := suite.Exceptions{"X-19": {Reason: "why"}}
	result := run(t, wrong, golang.Driver(), unjudged)
	assert.Equal(t, suite.Listed, result.Verdict)
	assert.Equal(t, "why", result.Reason)
	right := suite.Exceptions{"X-19": {Reason: "why", Expect: map[string]json.RawMessage{"error": json.RawMessage(`"ERR x"`)}}}
	assert.Equal(t, suite.Listed, run(t, wrong, golang.Driver(), right).Verdict)
	wrongToo := suite.Exceptions{"X-19": {Reason: "why", Expect: map[string]json.RawMessage{"error": json.RawMessage(`"ERR z"`)}}}
	reports(t, run(t, wrong, golang.Driver(), wrongToo), "error")
}

func TestADriverThatBreaksFailsTheVectorAndIsStartedAnew(t *testing.T) {
	folder := t.TempDir()
	program := func(name, script string) suite.Driver {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte(script), 0o600))
		return suite.Program(name, "sh "+path)
	}
	file, err := suite.Load(vectorsPath)
	require.NoError(t, err)
	file.Vectors = file.Vectors[:2]
	for _, driver := range []suite.Driver{
		program("ends", "read line; echo gone >&2; exit 3"),
		program("babbles", "while read line; do echo hello; done"),
		program("drops", `while read line; do echo '{"status":"TIMEOUT"}'; done`),
		program("adds", `while read line; do echo '{"status":"OK","extra":1}'; done`),
		suite.Program("missing", filepath.Join(folder, "nothing")),
	} {
		s := &suite.Suite{File: file}
		for _, result := range s.Run(driver) {
			reports(t, result, "the driver")
		}
	}
	s := &suite.Suite{File: file}
	ended := s.Run(program("ends", "read line; echo gone >&2; exit 3"))[0]
	assert.Contains(t, ended.Faults[0].Seen, "gone")
	assert.Contains(t, ended.Faults[0].Seen, "exit status 3")
}

func TestACallThatADriverDoesNotHaveIsNoVerdict(t *testing.T) {
	file, _ := load(t)
	s := &suite.Suite{File: file, Workers: 16}
	for _, result := range s.Run(canned(`{"status":"UNSUPPORTED","error":{"message":"not yet"}}`).driver()) {
		assert.Equal(t, suite.Inapplicable, result.Verdict, "%s: %v", result.Vector.ID, result.Faults)
	}
	one := canned(`{"status":"MALFORMED","error":{"message":"what?"}}`)
	reports(t, run(t, altered(t, "H-02", nil), one.driver(), nil), "the driver")
}

func TestTheLastLineOfTheReportIsTheSum(t *testing.T) {
	file, exceptions := load(t)
	var out bytes.Buffer
	report := &suite.Report{Out: &out, Verbose: true}
	vector := &file.Vectors[0]
	report.Add("go", []suite.Result{
		{Driver: "go", Vector: vector, Verdict: suite.Passed},
		{Driver: "go", Vector: vector, Verdict: suite.Inapplicable, Reason: "no such call"},
	}, time.Second)
	report.Add("c", []suite.Result{
		{Driver: "c", Vector: vector, Verdict: suite.Listed, Reason: exceptions["F-17"].Reason},
		{Driver: "c", Vector: vector, Verdict: suite.Failed, Faults: []suite.Fault{{What: "slot", Want: "1", Seen: "2"}}},
	}, time.Second)
	assert.False(t, report.End())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	id := vector.ID
	assert.Contains(t, lines, fmt.Sprintf("FAIL c %s (hash): slot: expected 1, seen 2", id))
	assert.Contains(t, lines, fmt.Sprintf("listed: %s lowest latency is a strategy of this client, not an error", id))
	assert.Equal(t, []string{"1 not applicable", "1 passed, 1 failed"}, lines[len(lines)-2:])
	assert.False(t, (&suite.Report{Out: &out}).End(), "nothing was asked")
}

func TestAFileOfAnotherFormatIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vectors.json")
	for _, text := range []string{`{"format":"routing-conformance/2"}`, `{"format":"routing-conformance/1","vectors":[{}]}`, `[`} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := suite.Load(path)
		assert.Error(t, err, text)
	}
}
