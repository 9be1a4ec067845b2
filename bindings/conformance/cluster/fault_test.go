package cluster

import (
	"context"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/valkey-io/valkey-go"
)

func TestAMigratingSlotAnswersAskAndAMigratedOneMoved(t *testing.T) {
	c := Run(t, Options{Shards: 2})
	const slot = 12182 // of foo
	from, to := c.Owner(slot), c.Owner(0)
	require.NotEqual(t, from, to)
	require.NoError(t, from.do(t.Context(), "SET", "foo", "here"))

	require.NoError(t, c.BeginMigration(t.Context(), slot, to))
	value, err := from.Do(t.Context(), "GET", "foo")
	require.NoError(t, err, "the source serves the keys it has")
	assertText(t, "here", value)
	_, err = from.Do(t.Context(), "GET", "{foo}absent")
	assertRefused(t, err, "ASK 12182 "+to.Address())
	assert.ErrorContains(t, c.BeginMigration(t.Context(), slot, to), "on its way")

	require.NoError(t, c.FinishMigration(t.Context(), slot))
	assert.Equal(t, to, c.Owner(slot))
	_, err = from.Do(t.Context(), "GET", "foo")
	assertRefused(t, err, "MOVED 12182 "+to.Address())
	value, err = to.Do(t.Context(), "GET", "foo")
	require.NoError(t, err, "the key went along")
	assertText(t, "here", value)
}

func TestMigrateSlotTakesManyKeysAlongAndBackAgain(t *testing.T) {
	c := Run(t, Options{Shards: 2, Password: "s3cret"})
	const slot = 12182
	from, to := c.Owner(slot), c.Owner(0)
	for i := range 250 {
		require.NoError(t, from.do(t.Context(), "SET", "{foo}"+strconv.Itoa(i), "value"))
	}

	require.NoError(t, c.MigrateSlot(t.Context(), slot, to))
	assertKeys(t, 250, to, slot)
	assertKeys(t, 0, from, slot)
	require.NoError(t, c.MigrateSlot(t.Context(), slot, from))
	assertKeys(t, 250, from, slot)
}

func TestAMigrationThatCannotBeIsRefused(t *testing.T) {
	c := Run(t, Options{Shards: 1})
	assert.ErrorContains(t, c.MigrateSlot(t.Context(), 0, c.Nodes[0]), "serves it already")
	assert.ErrorContains(t, c.MigrateSlot(t.Context(), 0, c.Nodes[1]), "is a replica")
	assert.ErrorContains(t, c.MigrateSlot(t.Context(), SlotCount, c.Nodes[0]), "no node serves it")
	assert.ErrorContains(t, c.FinishMigration(t.Context(), 0), "has not begun")
}

func TestFailoverSwapsTheRolesOfAShard(t *testing.T) {
	c := Run(t, Options{})
	primary, replica := c.Nodes[0], c.Nodes[3]

	require.NoError(t, c.Failover(t.Context(), replica))
	assert.Equal(t, replica, c.Owner(0))
	assert.Nil(t, replica.Primary())
	assert.Equal(t, replica, primary.Primary())
	assert.Equal(t, replica.Address(), c.Addresses()[0])
	assert.ErrorContains(t, c.Failover(t.Context(), replica), "is no replica")

	require.NoError(t, c.Failover(t.Context(), primary), "and back")
	assert.Equal(t, primary, c.Owner(0))
}

func TestAKilledPrimaryIsReplacedAndComesBackAsAReplica(t *testing.T) {
	c := Run(t, Options{})
	primary, replica := c.Nodes[0], c.Nodes[3]

	require.NoError(t, primary.Kill())
	assert.Zero(t, primary.PID())
	require.NoError(t, c.Settle(t.Context()))
	assert.Equal(t, replica, c.Owner(0))
	assert.Equal(t, primary.Address(), c.Addresses()[5], "last, as it has no part in the cluster")
	assert.Len(t, c.Replicas(), 2)

	require.NoError(t, primary.Restart(t.Context()))
	require.NoError(t, c.Settle(t.Context()))
	assert.Equal(t, replica, primary.Primary())
}

func TestARestartWaitsForAPortThatIsTakenForAMoment(t *testing.T) {
	c := Run(t, Options{Shards: 1, Replicas: NoReplicas})
	n := c.Nodes[0]
	require.NoError(t, n.Kill())
	taken, err := net.Listen("tcp", net.JoinHostPort(n.Host, strconv.Itoa(n.Port+busOffset)))
	require.NoError(t, err)
	released := time.AfterFunc(500*time.Millisecond, func() { taken.Close() })
	defer released.Stop()

	assert.NoError(t, n.Restart(t.Context()))
}

func TestAPausedPrimaryKeepsItsConnectionsAndContinues(t *testing.T) {
	c := Run(t, Options{Shards: 1, Replicas: NoReplicas})
	n := c.Nodes[0]

	require.NoError(t, n.Pause())
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := n.Do(ctx, "PING")
	require.ErrorIs(t, err, context.DeadlineExceeded)

	require.NoError(t, n.Continue())
	_, err = n.Do(t.Context(), "PING")
	assert.NoError(t, err)
}

func assertRefused(t *testing.T, err error, reason string) {
	t.Helper()
	refusal, refused := valkey.IsValkeyErr(err)
	require.True(t, refused, "%v", err)
	assert.Equal(t, reason, refusal.Error())
}

func assertText(t *testing.T, expected string, reply valkey.ValkeyMessage) {
	t.Helper()
	text, err := reply.ToString()
	require.NoError(t, err)
	assert.Equal(t, expected, text)
}

func assertKeys(t *testing.T, expected int, n *Node, slot int) {
	t.Helper()
	reply, err := n.Do(t.Context(), "CLUSTER", "COUNTKEYSINSLOT", strconv.Itoa(slot))
	require.NoError(t, err)
	count, err := reply.ToInt64()
	require.NoError(t, err)
	assert.EqualValues(t, expected, count)
}

func TestKeysOfASlotMoveStepByStep(t *testing.T) {
	c := Run(t, Options{Shards: 2, Replicas: NoReplicas})
	const slot = 12182
	from, to := c.Owner(slot), c.Owner(0)
	for i := range 5 {
		require.NoError(t, from.do(t.Context(), "SET", "{foo}"+strconv.Itoa(i), "value"))
	}
	_, err := c.MoveKeys(t.Context(), slot, 1)
	require.ErrorContains(t, err, "has not begun")
	require.NoError(t, c.BeginMigration(t.Context(), slot, to))
	moved, err := c.MoveKeys(t.Context(), slot, 2)
	require.NoError(t, err)
	require.Equal(t, 2, moved)
	assertKeys(t, 3, from, slot)
	assertKeys(t, 2, to, slot)
	require.NoError(t, c.FinishMigration(t.Context(), slot))
	assertKeys(t, 5, to, slot)
}

func TestNodesJoinAndLeave(t *testing.T) {
	c := Run(t, Options{Shards: 2, Replicas: NoReplicas})
	replica, err := c.Add(t.Context(), c.Owner(0))
	require.NoError(t, err)
	require.Equal(t, []*Node{replica}, c.Replicas())
	primary, err := c.Add(t.Context(), nil)
	require.NoError(t, err)
	home := c.Owner(12182)
	require.NoError(t, c.MigrateSlot(t.Context(), 12182, primary))
	require.Len(t, c.Primaries(), 3)
	require.ErrorContains(t, c.Remove(t.Context(), primary), "it serves slots")
	require.ErrorContains(t, c.Remove(t.Context(), c.Owner(0)), "it serves slots")
	require.NoError(t, c.MigrateSlot(t.Context(), 12182, home))
	require.NoError(t, c.Remove(t.Context(), primary))
	require.NoError(t, c.Remove(t.Context(), replica))
	require.Len(t, c.Nodes, 2)
	require.NoError(t, c.Settle(t.Context()))
}
