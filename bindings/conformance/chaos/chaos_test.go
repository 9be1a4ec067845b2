package chaos

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
	"libglide/core"
)

// shared is the cluster of all tests, started by the first.
var shared *cluster.Cluster

func TestMain(m *testing.M) {
	code := m.Run()
	if shared != nil {
		if err := shared.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// brief runs a subject over an empty cluster for a moment, with one quick fault.
func brief(t *testing.T, open Opener) *Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if shared == nil {
		var err error
		shared, err = cluster.Start(ctx, servers)
		require.NoError(t, err)
	}
	for _, primary := range shared.Primaries() {
		require.NoError(t, order(ctx, primary, "FLUSHALL"))
	}
	report, err := run(ctx, Options{Seed: 1, Time: time.Millisecond, Open: open, Out: t.Output(), Only: []string{"client-kill"}}, shared)
	require.NoError(t, err)
	report.Print(t.Output())
	return report
}

// lie is how a client breaks its promises.
type lie struct {
	execute func(l *liar, request *core.Request) (core.Response, error) // every so often
	close   func(l *liar) bool
}

type liar struct {
	*core.Client
	lie
	turn atomic.Int64
}

func lying(how lie) Opener {
	return func(config core.Config) (Subject, error) {
		client, err := core.Open(config)
		return &liar{Client: client, lie: how}, err
	}
}

func (l *liar) Execute(request *core.Request) (core.Response, error) {
	if l.execute != nil && string(request.Words[0]) != "SET" && l.turn.Add(1)%200 == 0 {
		return l.execute(l, request)
	}
	return l.Client.Execute(request)
}

func (l *liar) Close() bool {
	if l.close != nil {
		return l.close(l)
	}
	return l.Client.Close()
}

func TestAnHonestClientPasses(t *testing.T) {
	for _, open := range []Opener{Core, Calls, Submitted} {
		passes(t, brief(t, open))
	}
}

func passes(t *testing.T, report *Report) {
	t.Helper()
	require.True(t, report.Good())
	require.Positive(t, report.finding.acknowledged)
	require.Equal(t, map[string]int{"client-kill": 1}, report.storm.count)
}

func TestAClientBehindItsCInterfacePasses(t *testing.T) {
	path := os.Getenv("GLIDE_LOOP")
	if path == "" {
		t.Skip("GLIDE_LOOP is to be the program made of loop/loop.c; make test sees to it")
	}
	passes(t, brief(t, Loop(path)))
}

func TestAClientThatDropsWritesIsCaught(t *testing.T) {
	report := brief(t, lying(lie{execute: func(l *liar, request *core.Request) (core.Response, error) {
		if word := string(request.Words[0]); word == "INCR" || word == "RPUSH" || word == "MSET" {
			return core.Response{}, nil
		}
		return l.Client.Execute(request)
	}}))
	require.Positive(t, report.finding.lost)
	require.False(t, report.Good())
}

func TestAClientThatWritesTwiceIsCaught(t *testing.T) {
	report := brief(t, lying(lie{execute: func(l *liar, request *core.Request) (core.Response, error) {
		if word := string(request.Words[0]); word != "BLPOP" {
			_, _ = l.Client.Execute(request)
		}
		return l.Client.Execute(request)
	}}))
	require.Positive(t, report.finding.doubled)
	require.False(t, report.Good())
}

func TestAClientThatSaysNotSentOfWhatItSentIsCaught(t *testing.T) {
	report := brief(t, lying(lie{execute: func(l *liar, request *core.Request) (core.Response, error) {
		response, err := l.Client.Execute(request)
		if err == nil {
			return response, &core.Error{Status: core.StatusConnection}
		}
		return response, err
	}}))
	require.Positive(t, report.finding.doubled)
}

func TestAClientThatComesBackLateIsCaught(t *testing.T) {
	report := brief(t, lying(lie{execute: func(l *liar, request *core.Request) (core.Response, error) {
		time.Sleep(2 * time.Second)
		return l.Client.Execute(request)
	}}))
	require.Positive(t, report.unanswered())
	require.False(t, report.Good())
}

func TestAClientThatLeavesConnectionsBehindIsCaught(t *testing.T) {
	var left *core.Client
	report := brief(t, lying(lie{close: func(l *liar) bool {
		first := left == nil
		left = l.Client
		return first
	}}))
	left.Close()
	require.Positive(t, report.connections)
	require.Positive(t, report.goroutines)
	require.False(t, report.Good())
}

func TestTheSameSeedGivesTheSameFaults(t *testing.T) {
	deal := func(seed uint64) (turns []turn) {
		s := newSchedule(seed, []string{"a", "b", "c", "d"})
		for range 20 {
			turns = append(turns, s.next())
		}
		return turns
	}
	require.Equal(t, deal(7), deal(7))
	require.NotEqual(t, deal(7), deal(8))
	first := make(map[string]bool)
	for _, turn := range deal(7)[:4] {
		first[turn.fault] = true
	}
	require.Len(t, first, 4, "every fault comes before one comes again")
}

func TestAWriteIsExcusedOnlyByItsOwnShardAndTime(t *testing.T) {
	at := time.Now()
	e := &excuses{all: make(map[string][]window)}
	e.add([]string{"mine"}, at, at.Add(time.Second))
	log := []call{{began: at.Add(-time.Minute), ended: at.Add(-time.Minute + 1), verdict: good}, {began: at, ended: at.Add(1), verdict: good}}
	require.Equal(t, 1, tally("key", "mine", log, 1, e).excused)
	require.Equal(t, 0, tally("key", "mine", log, 1, e).lost)
	require.Equal(t, 1, tally("key", "mine", log, 0, e).lost)
	require.Equal(t, 1, tally("key", "other", log, 1, e).lost)
	require.Equal(t, 1, tally("key", "mine", log, 3, e).doubled)
}

func TestTheReportSaysWhatWentWrong(t *testing.T) {
	report := &Report{calls: &calls{stalls: &stalls{}}, storm: &storm{}}
	require.True(t, report.Good())
	report.finding.note("element 7 is missing")
	report.finding.lost = 1
	var text bytes.Buffer
	report.Print(&text)
	require.True(t, strings.Contains(text.String(), "lost                   1") && strings.Contains(text.String(), "element 7 is missing"), text.String())
}
