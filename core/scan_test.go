package core

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

// scanAll scans to the end and counts how often each key was given.
func scanAll(t testing.TB, client *Client, request ScanRequest, between func(step int)) map[string]int {
	t.Helper()
	seen := make(map[string]int)
	for step := 0; request.Cursor != routing.ScanFinished; step++ {
		cursor, keys, err := client.Scan(&request)
		require.NoError(t, err)
		for _, key := range keys {
			seen[string(key.Text)]++
		}
		request.Cursor = cursor
		if between != nil {
			between(step)
		}
	}
	return seen
}

func fill(t testing.TB, client *Client, prefix string, n int) {
	t.Helper()
	request := batchOf(false)
	for i := range n {
		request.Commands = append(request.Commands, command("SET", prefix+strconv.Itoa(i), "v").Words)
	}
	runBatch(t, client, request)
}

func TestAScanSeesEveryKeyOfEveryShard(t *testing.T) {
	c := cluster.Run(t, cluster.Options{})
	client := open(t, Config{}, c.Addresses()[0])
	fill(t, client, "key:", 2000)
	run(t, client, command("LPUSH", "list", "x"))
	require.Len(t, scanAll(t, client, ScanRequest{}, nil), 2001)
	require.Len(t, scanAll(t, client, ScanRequest{Match: []byte("key:1?"), Count: 1000}, nil), 10)
	require.Equal(t, map[string]int{"list": 1}, scanAll(t, client, ScanRequest{Type: "list", Count: 500}, nil))
}

func TestAScanOverASlotThatMovesAndAFailoverStillSeesEveryKey(t *testing.T) {
	c := cluster.Run(t, cluster.Options{})
	client := open(t, Config{RefreshEvery: -1}, c.Addresses()[0])
	fill(t, client, "{foo}", 300)
	fill(t, client, "key:", 600)
	seen := scanAll(t, client, ScanRequest{Count: 50}, func(step int) {
		switch step {
		case 1:
			require.NoError(t, c.MigrateSlot(t.Context(), 12182, c.Owner(0)))
		case 3:
			for _, replica := range c.Replicas() {
				if replica.Primary() == c.Owner(6000) {
					require.NoError(t, c.Failover(t.Context(), replica))
					break
				}
			}
		}
	})
	require.Len(t, seen, 900)
}

// stepKeys moves up to so many keys of a slot that is on its way.
func stepKeys(t testing.TB, slot string, from, to *cluster.Node, count string) int {
	t.Helper()
	reply, err := from.Do(t.Context(), "CLUSTER", "GETKEYSINSLOT", slot, count)
	require.NoError(t, err)
	keys, err := reply.AsStrSlice()
	require.NoError(t, err)
	if len(keys) > 0 {
		words := []string{"MIGRATE", to.Host, strconv.Itoa(to.Port), "", "0", "5000", "KEYS"}
		_, err = from.Do(t.Context(), append(words, keys...)...)
		require.NoError(t, err)
	}
	return len(keys)
}

func TestAScanSeesTheKeysThatLeaveTheirNodeOneByOneWhileItRuns(t *testing.T) {
	for _, ends := range []bool{false, true} {
		c := cluster.Run(t, cluster.Options{Replicas: cluster.NoReplicas})
		client := open(t, Config{RefreshEvery: -1}, c.Addresses()[0])
		fill(t, client, "{foo}", 300)
		fill(t, client, "key:", 300)
		from, to := c.Owner(12182), c.Owner(0)
		require.NotSame(t, from, to)
		begun := false
		// The target is scanned first, so that no key of the slot is there when it has its turn.
		seen := scanAll(t, client, ScanRequest{Count: 20}, func(step int) {
			switch {
			case step == 12:
				require.NoError(t, c.BeginMigration(t.Context(), 12182, to))
				begun = true
			case begun:
				if left := stepKeys(t, "12182", from, to, "30"); left == 0 && ends {
					require.NoError(t, c.FinishMigration(t.Context(), 12182))
					begun = false
				}
			}
		})
		require.Equal(t, !ends, begun, "the slot has not left in time")
		for i := range 300 {
			require.Positive(t, seen["{foo}"+strconv.Itoa(i)], "{foo}%d was missed", i)
		}
		require.Len(t, seen, 600)
		if begun {
			require.NoError(t, c.FinishMigration(t.Context(), 12182))
		}
	}
}

// primaryWithoutSlots makes one of a replica, as a node is that has just joined.
func primaryWithoutSlots(t testing.TB, replica, member *cluster.Node) {
	t.Helper()
	for _, words := range [][]string{{"CLUSTER", "RESET", "SOFT"}, {"CLUSTER", "MEET", member.Host, strconv.Itoa(member.Port)}} {
		_, err := replica.Do(t.Context(), words...)
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		for asked, wanted := range map[*cluster.Node]string{member: replica.ID, replica: member.ID} {
			reply, err := asked.Do(t.Context(), "CLUSTER", "NODES")
			if err != nil {
				return false
			}
			text, _ := reply.ToString()
			joined := regexp.MustCompile("(?m)^(txt:)?" + wanted + " .* master .* connected")
			if !joined.MatchString(text) {
				return false
			}
		}
		reply, err := replica.Do(t.Context(), "CLUSTER", "INFO")
		text, _ := reply.ToString()
		return err == nil && strings.Contains(text, "cluster_state:ok")
	}, 20*time.Second, 20*time.Millisecond)
}

func TestAScanSeesKeysThatWentToANodeWithoutSlots(t *testing.T) {
	c := cluster.Run(t, cluster.Options{})
	client := open(t, Config{RefreshEvery: -1}, c.Addresses()[0])
	fill(t, client, "{foo}", 100)
	from, joined := c.Owner(12182), c.Replicas()[0]
	primaryWithoutSlots(t, joined, from)
	for node, words := range map[*cluster.Node][]string{joined: {"IMPORTING", from.ID}, from: {"MIGRATING", joined.ID}} {
		_, err := node.Do(t.Context(), append([]string{"CLUSTER", "SETSLOT", "12182"}, words...)...)
		require.NoError(t, err)
	}
	require.Equal(t, 60, stepKeys(t, "12182", from, joined, "60"))
	require.Len(t, scanAll(t, client, ScanRequest{Count: 10}, nil), 100)
}

func TestAScanStartsATurnAnewOnANodeThatWasRestartedInIt(t *testing.T) {
	f := fakeCluster(t)
	for _, node := range []*fakenode.Node{f.two, f.three} {
		node.On("SCAN", fakenode.Array(fakenode.Bulk("0"), fakenode.Array()))
	}
	f.one.On("SCAN 0", fakenode.Array(fakenode.Bulk("7"), fakenode.Array(fakenode.Bulk("first"))))
	f.one.On("SCAN 7", fakenode.Array(fakenode.Bulk("0"), fakenode.Array(fakenode.Bulk("last"))))
	run := func(digit string) fakenode.Value {
		return fakenode.Bulk("run_id:" + strings.Repeat(digit, 40) + "\r\n")
	}
	f.one.On("INFO", run("a"), run("b"))
	seen := scanAll(t, openFakes(t, f), ScanRequest{}, nil)
	require.Equal(t, map[string]int{"first": 2, "last": 2}, seen)
}

func TestAScanDoesNotCallAnAddressThatOnlyItsCursorNames(t *testing.T) {
	f, stranger := fakeCluster(t), fakenode.Start(t)
	request := ScanRequest{Cursor: "0-5460|12182-12182@" + stranger.Address() + "|" + stranger.Address() + "|0|1|||", Timeout: 500 * time.Millisecond}
	for _, node := range []*fakenode.Node{f.two, f.three} {
		node.On("SCAN", fakenode.Array(fakenode.Bulk("0"), fakenode.Array()))
	}
	client := openFakes(t, f)
	for request.Cursor != routing.ScanFinished {
		cursor, _, err := client.Scan(&request)
		require.NoError(t, err)
		request.Cursor = cursor
	}
	require.Empty(t, stranger.Commands())
}

func TestAScanOfAStandaloneServerEndsAsWell(t *testing.T) {
	node, err := cluster.StartStandalone(t.Context(), cluster.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, node.Stop()) }()
	client := open(t, Config{}, node.Address())
	fill(t, client, "key:", 100)
	require.Len(t, scanAll(t, client, ScanRequest{}, nil), 100)
}

func TestAScanStepGoesOnAfterALostConnection(t *testing.T) {
	f := fakeCluster(t)
	for _, node := range []*fakenode.Node{f.two, f.three} {
		node.On("SCAN", fakenode.Array(fakenode.Bulk("0"), fakenode.Array()))
	}
	f.one.On("SCAN", fakenode.Hangup(), fakenode.Err("CLUSTERDOWN x"), fakenode.Array(fakenode.Bulk("0"), fakenode.Array(fakenode.Bulk("k"))))
	require.Equal(t, map[string]int{"k": 1}, scanAll(t, openFakes(t, f), ScanRequest{}, nil))
}

func TestAScanThatCannotGoOnNamesWhy(t *testing.T) {
	f := fakeCluster(t)
	f.one.On("SCAN", fakenode.Err("NOPERM x"))
	client := openFakes(t, f)
	for message, request := range map[string]ScanRequest{
		"NOPERM x":         {},
		`scan cursor "no"`: {Cursor: "no"},
	} {
		_, _, err := client.Scan(&request)
		require.ErrorContains(t, err, message)
	}
	f.one.On("SCAN", fakenode.Silence())
	_, _, err := client.Scan(&ScanRequest{Timeout: 100 * time.Millisecond})
	var late *Error
	require.ErrorAs(t, err, &late)
	require.Equal(t, StatusTimeout, late.Status)
}
