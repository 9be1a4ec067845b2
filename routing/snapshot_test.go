package routing

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// three is a cluster of three shards with one replica each.
func three(t testing.TB) *Snapshot {
	return vectorTopology{Ranges: []vectorRange{
		{0, 5460, "h:7001", []string{"h:7004"}},
		{5461, 10922, "h:7002", []string{"h:7005"}},
		{10923, 16383, "h:7003", []string{"h:7006"}},
	}}.snapshot(t)
}

func primaryOf(s *Snapshot, slot Slot) string { return s.Owner(slot).Primary.Address.String() }

func TestMovedToAnotherPrimaryMovesThisSlotOnly(t *testing.T) {
	before := three(t)
	after := before.Moved(12182, address(t, "h:7002"))
	require.Equal(t, "h:7002", primaryOf(after, 12182))
	require.Equal(t, "h:7003", primaryOf(after, 12181))
	require.Equal(t, "h:7003", primaryOf(after, 12183))
	require.Equal(t, "h:7003", primaryOf(before, 12182), "a snapshot never changes")
	require.Len(t, after.Nodes(), 6)
}

func TestMovedToTheOwnReplicaSwapsTheRolesOfTheShard(t *testing.T) {
	after := three(t).Moved(12182, address(t, "h:7006"))
	require.Equal(t, "h:7006", primaryOf(after, 10923))
	require.Equal(t, "h:7006", primaryOf(after, 16383))
	shard := after.Owner(12182)
	require.Equal(t, "h:7003", shard.Replicas[0].Address.String())
	require.Equal(t, Replica, shard.Replicas[0].Role)
	require.Equal(t, Primary, shard.Primary.Role)
}

func TestMovedToAReplicaOfAnotherShardMakesItAShardOfItsOwn(t *testing.T) {
	after := three(t).Moved(12182, address(t, "h:7004"))
	require.Equal(t, "h:7004", primaryOf(after, 12182))
	require.Empty(t, after.Owner(12182).Replicas)
	require.Empty(t, after.Owner(0).Replicas)
	require.Len(t, after.Shards(), 4)
}

func TestMovedToAnUnknownNodeAddsIt(t *testing.T) {
	after := three(t).Moved(12182, address(t, "h:7009"))
	require.Equal(t, "h:7009", primaryOf(after, 12182))
	require.NotNil(t, after.Find(address(t, "h:7009")))
	require.Len(t, after.Nodes(), 7)
}

func TestMovedOfAnUncoveredSlotCoversIt(t *testing.T) {
	gap := vectorTopology{Ranges: []vectorRange{{0, 5460, "h:7001", nil}, {10923, 16383, "h:7003", []string{"h:7006"}}}}.snapshot(t)
	require.Nil(t, gap.Owner(6000))
	// The replica of the next higher range: it must not change roles there.
	after := gap.Moved(6000, address(t, "h:7006"))
	require.Equal(t, "h:7006", primaryOf(after, 6000))
	require.Equal(t, "h:7003", primaryOf(after, 10923))
	require.Equal(t, "h:7001", primaryOf(gap.Moved(6000, address(t, "h:7001")), 6000))
}

func TestMovedThatSaysNothingNewChangesNothing(t *testing.T) {
	before := three(t)
	require.Same(t, before, before.Moved(12182, address(t, "h:7003")))
}

func TestANodeIsFoundByEveryNameItHas(t *testing.T) {
	reply := ArrayOf(ArrayOf(Integer(0), Integer(16383),
		ArrayOf(Bulk("10.0.0.1"), Integer(7001), Bulk("id"), ArrayOf(Bulk("hostname"), Bulk("n1.example")))))
	view, err := ParseSlots(reply, sender)
	require.NoError(t, err)
	snapshot := view.Snapshot(nil)
	require.Equal(t, "n1.example:7001", snapshot.Nodes()[0].Address.String())
	for _, name := range []string{"n1.example:7001", "N1.EXAMPLE:7001", "10.0.0.1:7001", "::ffff:10.0.0.1:7001"} {
		require.NotNil(t, snapshot.Find(address(t, name)), name)
	}
	require.Nil(t, snapshot.Find(address(t, "10.0.0.1:7002")))
}

func TestANodeIsInOnePlaceOnlyHoweverTheViewContradictsItself(t *testing.T) {
	snapshot := vectorTopology{Ranges: []vectorRange{
		{0, 100, "h:7001", []string{"h:7002", "h:7003", "h:7001", "h:7003"}},
		{50, 200, "h:7002", []string{"h:7003", "h:7001"}},
	}}.snapshot(t)
	require.Len(t, snapshot.Nodes(), 3)
	require.Equal(t, "h:7001", primaryOf(snapshot, 75), "the first entry for a slot serves")
	require.Equal(t, "h:7002", primaryOf(snapshot, 101))
}

func TestRotationGoesOnOverARefresh(t *testing.T) {
	one := vectorTopology{Ranges: []vectorRange{{0, 16383, "h:7001", []string{"h:7004", "h:7005"}}}}
	before := one.snapshot(t)
	require.Equal(t, "h:7004", planner.replica(before.Owner(0)).Address.String())
	after := before.Moved(3, address(t, "h:7009"))
	require.Equal(t, "h:7005", planner.replica(after.Owner(0)).Address.String())
	require.Equal(t, "h:7004", planner.replica(before.Owner(0)).Address.String())
}

func TestSnapshotsAreEqualWhereTheySayTheSame(t *testing.T) {
	require.True(t, three(t).Equal(three(t)))
	require.False(t, three(t).Equal(three(t).Moved(1, address(t, "h:7002"))))
}
