package routing

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func scan(t testing.TB, text string) *Scan {
	s, err := ParseScan(text)
	require.NoError(t, err)
	return s
}

func TestAScanGoesFromTheOwnerOfSlot0ToThatOfTheLowestSlotLeft(t *testing.T) {
	snapshot, cursor := three(t), ""
	var visited []string
	for cursor != ScanFinished {
		s := scan(t, cursor)
		node, err := s.Next(snapshot, false)
		require.NoError(t, err)
		require.True(t, s.Begins())
		s.Epoch, s.Step = 3, "17"
		s = scan(t, s.String()) // a step later
		again, err := s.Next(snapshot, false)
		require.NoError(t, err)
		require.Same(t, node, again)
		require.False(t, s.Begins())
		s.Finish(node.Slots(), 3)
		visited = append(visited, node.Address.String())
		cursor = s.String()
	}
	require.Equal(t, []string{"h:7001", "h:7002", "h:7003"}, visited)
}

func TestANodeWhoseConfigurationChangedDuringItsScanIsScannedAgain(t *testing.T) {
	s := scan(t, "")
	node, err := s.Next(three(t), false)
	require.NoError(t, err)
	s.Epoch = 3
	s.Finish(node.Slots(), 4)
	again, err := s.Next(three(t), false)
	require.NoError(t, err)
	require.Equal(t, node.Address, again.Address)
}

func TestANodeThatIsNoPrimaryAnyMoreIsLeft(t *testing.T) {
	s := scan(t, "|h:7003|5|1")
	node, err := s.Next(three(t).Moved(12182, address(t, "h:7006")), false)
	require.NoError(t, err)
	require.Equal(t, "h:7001", node.Address.String())
	require.True(t, s.Begins())
}

func TestASlotWithoutAShardEndsAScanUnlessGapsAreAllowed(t *testing.T) {
	gap := vectorTopology{Ranges: []vectorRange{{0, 5460, "h:7001", nil}, {10923, 16383, "h:7003", nil}}}.snapshot(t)
	_, err := scan(t, "").Next(gap, false)
	require.ErrorContains(t, err, "not all slots covered: no shard serves slot 5461")
	s := scan(t, "0-5460|||")
	node, err := s.Next(gap, true)
	require.NoError(t, err)
	require.Equal(t, "h:7003", node.Address.String())
	s.Finish(node.Slots(), s.Epoch)
	require.Equal(t, ScanFinished, s.String())
}

func TestACursorThatIsNoneIsRefused(t *testing.T) {
	for _, text := range []string{"x", "17", "finished", "|||x|", "5-3|||", "0-16384|||", "a-b|||", "|h|0|0", "|h:1|x|0", "|h:1|0|x", "0-5|h:1|-1|0"} {
		_, err := ParseScan(text)
		require.ErrorContains(t, err, "scan cursor", text)
	}
}

func TestACursorReadsAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &Scan{Step: "0"}
		for range rapid.IntRange(0, 5).Draw(t, "ranges") {
			first := rapid.IntRange(0, SlotCount-1).Draw(t, "first")
			s.mark(SlotRange{Slot(first), Slot(min(first+rapid.IntRange(0, 500).Draw(t, "length"), SlotCount-1))})
		}
		if rapid.Bool().Draw(t, "at a node") {
			s.node, s.Step, s.Epoch = Address{"::1", 7001}, "18446744073709551615", rapid.Uint64().Draw(t, "epoch")
		}
		again, err := ParseScan(s.String())
		require.NoError(t, err)
		require.Equal(t, s, again)
	})
}
