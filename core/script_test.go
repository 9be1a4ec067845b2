package core

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

const unknown = "NOSCRIPT No matching script. Please use EVAL."

// scriptOf is a request to run a script of that source.
func scriptOf(t testing.TB, source string, keys ...string) *Request {
	t.Helper()
	script := &Script{Source: []byte(source)}
	for _, key := range keys {
		script.Keys = append(script.Keys, []byte(key))
	}
	words, err := script.Words()
	require.NoError(t, err)
	return &Request{Request: routing.Request{Words: words}, Script: script}
}

func TestAScriptThatANodeDoesNotKnowIsLoadedThereAndRunOnce(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	for range 2 {
		run(t, client, command("SCRIPT", "FLUSH"))
		for i, shard := range client.Topology().Shards() {
			key := fmt.Sprintf("{%s}script", tagOf(shard.Slots[0].First))
			run(t, client, command("DEL", key))
			source := fmt.Sprintf("-- %d\nreturn server.call('INCR', KEYS[1])", i)
			require.Equal(t, routing.Integer(1), run(t, client, scriptOf(t, source, key)).Value)
			require.Equal(t, routing.Integer(2), run(t, client, scriptOf(t, source, key)).Value)
		}
	}
}

// tagOf is a short text of that slot.
func tagOf(slot routing.Slot) string {
	for i := 0; ; i++ {
		if text := fmt.Sprint(i); routing.SlotOf([]byte(text)) == slot {
			return text
		}
	}
}

func TestAScriptForAllPrimariesIsLoadedIntoEachOfThem(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	run(t, client, command("SCRIPT", "FLUSH"))
	response := run(t, client, scriptOf(t, "return 'all primaries'").to(routing.Route{Kind: routing.RouteAllPrimaries}))
	require.Len(t, response.Outcomes, 3)
	for _, outcome := range response.Outcomes {
		require.Nil(t, outcome.Err)
		require.Equal(t, routing.Bulk("all primaries"), outcome.Value)
	}
}

func TestAScriptRunsOnAReplicaThatDoesNotKnowIt(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	run(t, client, command("SCRIPT", "FLUSH"))
	run(t, client, command("SET", "foo", "x"))
	for run(t, client, command("EXISTS", "foo").to(keyRoute(routing.Replica, "foo"))).Value.Integer == 0 {
		time.Sleep(time.Millisecond) // replication is not there at once
	}
	request := scriptOf(t, "#!lua flags=no-writes\nreturn server.call('TYPE', KEYS[1])['ok']", "foo").to(keyRoute(routing.Replica, "foo"))
	response := run(t, client, request)
	require.Equal(t, routing.Bulk("string"), response.Value)
	require.Equal(t, routing.Replica, response.Outcomes[0].Node.Role)
	require.Nil(t, response.Outcomes[0].ServedBy)
}

func TestAScriptGoesOnAfterAFailover(t *testing.T) {
	c := cluster.Run(t, cluster.Options{})
	client := open(t, Config{RefreshEvery: -1}, c.Addresses()[0])
	source := "return server.call('INCR', KEYS[1])"
	require.Equal(t, routing.Integer(1), run(t, client, scriptOf(t, source, "foo")).Value)
	for _, replica := range c.Replicas() {
		if replica.Primary() == c.Owner(12182) {
			require.NoError(t, c.Failover(t.Context(), replica))
			_, err := replica.Do(t.Context(), "SCRIPT", "FLUSH")
			require.NoError(t, err)
			break
		}
	}
	require.Equal(t, routing.Integer(2), run(t, client, scriptOf(t, source, "foo")).Value)
}

func TestManyCallersOfAScriptThatIsFlushedMeanwhileRunItOnceEach(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	run(t, client, command("DEL", "{foo}flushed"))
	var callers sync.WaitGroup
	done := make(chan struct{})
	callers.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
				_, _ = client.Execute(command("SCRIPT", "FLUSH"))
			}
		}
	})
	request := scriptOf(t, "return server.call('INCR', KEYS[1])", "{foo}flushed")
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			for range 50 {
				if _, err := client.Execute(request); err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
	close(done)
	callers.Wait()
	require.Equal(t, "400", string(run(t, client, command("GET", "{foo}flushed")).Value.Text))
}

func TestAnErrorOfAScriptIsTheAnswer(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	for source, message := range map[string]string{
		"this is no Lua": "(SCRIPT LOAD)",
		"return server.error_reply('MINE of the script')":       "MINE of the script",
		"return server.error_reply('NOSCRIPT of the script')":   "NOSCRIPT of the script",
		"return server.call('LPUSH', KEYS[1])":                  "Wrong number of args",
		"server.call('SET', KEYS[1], 'x') error('given up')":    "given up",
		"return server.call('GET', KEYS[1]) and nosuchvariable": "nosuchvariable",
	} {
		run(t, client, command("SET", "foo", "x"))
		refused := failure(t, client, scriptOf(t, source, "foo"))
		require.Equal(t, StatusServer, refused.Status)
		require.Contains(t, refused.Message, message)
	}
}

func TestAScriptWithoutItsSourceIsRefusedByANodeThatDoesNotKnowIt(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	request := scriptOf(t, "return 'never loaded'", "foo")
	request.Script.Source, request.Script.Hash = nil, string(request.Words[1])
	refused := failure(t, client, request)
	require.Equal(t, unknown[:len("NOSCRIPT No matching script")], refused.Message[:len("NOSCRIPT No matching script")])
	require.False(t, refused.Retryable)
}

func TestAScriptWithKeysOfSeveralSlotsIsRefusedAndNothingIsSent(t *testing.T) {
	f := fakeCluster(t)
	refused := failure(t, openFakes(t, f), scriptOf(t, "return 1", "foo", "{foo}2", "bar"))
	require.Equal(t, StatusInvalidArgument, refused.Status)
	require.Equal(t, "CROSSSLOT script: keys[0] is in slot 12182, keys[2] in slot 5061", refused.Message)
	require.False(t, refused.Sent)
	require.Empty(t, f.three.Got("EVALSHA"))
}

func TestAStandaloneServerRunsAScriptOverAnyKeys(t *testing.T) {
	node, err := cluster.StartStandalone(t.Context(), cluster.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, node.Stop()) }()
	client := open(t, Config{}, node.Address())
	require.Equal(t, routing.Integer(2), run(t, client, scriptOf(t, "return #KEYS", "foo", "bar")).Value)
}

// names are the first words of what a node got.
func names(got [][]string) []string {
	var first []string
	for _, words := range got {
		first = append(first, words[0])
	}
	return first
}

func TestTheSourceGoesToTheNodeThatARedirectNames(t *testing.T) {
	for name, redirect := range map[string]func(*fakes) fakenode.Value{
		"MOVED": func(f *fakes) fakenode.Value { return moved(12182, f.two) },
		"ASK":   func(f *fakes) fakenode.Value { return fakenode.Err("ASK 12182 " + f.two.Address()) },
	} {
		f := fakeCluster(t)
		f.three.On("EVALSHA", fakenode.Err(unknown), redirect(f))
		f.two.On("EVALSHA", fakenode.Err(unknown), fakenode.Int(7))
		require.Equal(t, routing.Integer(7), run(t, openFakes(t, f), scriptOf(t, "return 7", "foo")).Value, name)
		require.Equal(t, []string{"EVALSHA", "SCRIPT", "EVALSHA"}, names(f.three.Got("EVALSHA", "SCRIPT")))
		got := []string{"EVALSHA", "SCRIPT", "EVALSHA"}
		if name == "ASK" {
			got = []string{"ASKING", "EVALSHA", "SCRIPT", "ASKING", "EVALSHA"}
		}
		require.Equal(t, got, names(f.two.Got("ASKING", "EVALSHA", "SCRIPT")))
	}
}

func TestANodeThatForgetsAScriptAtOnceIsNotAskedForEver(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("EVALSHA", fakenode.Err(unknown))
	refused := failure(t, openFakes(t, f), scriptOf(t, "return 1", "foo"))
	require.Equal(t, "NOSCRIPT", refused.Code)
	require.Len(t, f.three.Got("EVALSHA"), 2)
}

func TestAUserWhoMayNotLoadScriptsIsToldSo(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("EVALSHA", fakenode.Err(unknown))
	f.three.On("SCRIPT", fakenode.Err("NOPERM no 'script|load'"))
	refused := failure(t, openFakes(t, f), scriptOf(t, "return 1", "foo"))
	require.Equal(t, "NOPERM no 'script|load' (SCRIPT LOAD)", refused.Message)
}

func TestAScriptWhoseReplyWasLostIsNotRunAgain(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("EVALSHA", fakenode.Err(unknown), fakenode.Hangup())
	lost := failure(t, openFakes(t, f), scriptOf(t, "return 1", "foo"))
	require.Equal(t, StatusConnection, lost.Status)
	require.True(t, lost.Sent)
	require.False(t, lost.Retryable)
	require.Len(t, f.three.Got("EVALSHA"), 2)
}
