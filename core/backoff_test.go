package core

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

func TestTheTimeThatANodeIsLeftAloneGrowsUpToTheLastStepAndThenStays(t *testing.T) {
	b := Backoff{Steps: 3, First: 100 * time.Millisecond, Base: 2}
	for failures, expected := range map[int]time.Duration{1: 100, 2: 200, 3: 400, 4: 800, 5: 800, 1000: 800} {
		require.Equal(t, expected*time.Millisecond, b.after(failures))
	}
}

func TestABackoffThatIsAcceptedStaysWithinItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := Backoff{
			Steps:  rapid.IntRange(0, 1<<32-1).Draw(t, "steps"),
			First:  time.Duration(rapid.Uint32().Draw(t, "first")) * time.Millisecond,
			Base:   rapid.IntRange(0, 1<<32-1).Draw(t, "base"),
			Jitter: rapid.IntRange(0, 200).Draw(t, "jitter"),
		}
		if b.check() != nil {
			return
		}
		wait := b.after(rapid.IntRange(1, 1<<31-1).Draw(t, "failures"))
		if wait < 0 || wait > 2*maxBackoff {
			t.Fatalf("%+v waits %v", b, wait)
		}
	})
}

func TestABackoffThatCannotBeIsRefusedByName(t *testing.T) {
	for reason, b := range map[string]Backoff{
		"exponent_base 0":    {First: time.Millisecond, Jitter: 20},
		"jitter_percent 101": {Base: 1, Jitter: 101},
		"come to more than":  {Base: 2, First: time.Millisecond, Steps: 64},
	} {
		_, err := Open(Config{Addresses: []routing.Address{{Host: "h", Port: 1}}, Backoff: &b})
		require.ErrorContains(t, err, "connection_retry_strategy: ")
		require.ErrorContains(t, err, reason)
	}
}

func TestANodeThatCannotBeConnectedToIsNotDialledByEveryCallerAgainAndAgain(t *testing.T) {
	f := fakeCluster(t)
	const pause = 100 * time.Millisecond
	client := open(t, Config{RefreshEvery: -1, Backoff: &Backoff{First: pause, Base: 1}}, f.one.Address())
	f.three.On("HELLO", fakenode.Hangup()) // no connection comes about
	request := func() *Request {
		r := command("SET", "foo", "1")
		r.Timeout = 500 * time.Millisecond
		return r
	}
	failure(t, client, request())
	before, began := f.three.Connections(), time.Now()
	var callers sync.WaitGroup
	for range 50 {
		callers.Go(func() {
			if _, err := client.Execute(request()); err == nil {
				t.Error("who answered?")
			}
		})
	}
	callers.Wait()
	dialled := f.three.Connections() - before
	require.LessOrEqual(t, dialled, int(time.Since(began)/pause)+1, "50 callers")
	require.Positive(t, dialled)
	require.Empty(t, f.three.Got("SET"))
}

func TestAnUpdateOfThePasswordDoesNotWaitForTheBackoff(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("AUTH", fakenode.Err("WRONGPASS no"), fakenode.Simple("OK"))
	client := open(t, Config{RefreshEvery: -1, Password: "old", Backoff: &Backoff{First: time.Minute, Base: 1}}, f.one.Address())
	for range 2 {
		refused := failure(t, client, command("SET", "foo", "1"))
		require.Equal(t, "WRONGPASS", refused.Code, "also while nobody dials, the reason is the server's")
	}
	require.Len(t, f.three.Got("AUTH"), 1)
	_, err := client.UpdatePassword(&PasswordUpdate{Password: "new"})
	require.NoError(t, err)
	run(t, client, command("SET", "foo", "1"))
}
