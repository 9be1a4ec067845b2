package routing

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func scan(t testing.TB, text string) *Scan {
	s, err := ParseScan(text)
	require.NoError(t, err)
	return s
}

// next is the node whose turn it is.
func next(t testing.TB, s *Scan, snapshot *Snapshot) string {
	t.Helper()
	address, left, err := s.Next(snapshot, false)
	require.NoError(t, err)
	require.True(t, left)
	return address.String()
}

// standing is that of the node of a name in the topology three, where every node is its own id.
func standing(t testing.TB, name string, moving map[Slot]string) *Standing {
	t.Helper()
	snapshot := three(t)
	node := snapshot.Find(address(t, name))
	s := &Standing{ID: name, Run: "r", Epoch: 3, Moving: moving, peers: make(map[string]Address)}
	for _, node := range snapshot.Nodes() {
		s.peers[node.Address.String()] = node.Address
	}
	s.peers["h:7099"] = address(t, "h:7099") // without slots
	if node != nil {
		s.Owned = SetOf(node.Slots()...)
	}
	return s
}

// turn is a whole turn of the node that is next, which stands so at its beginning and at its end.
func turn(t testing.TB, s *Scan, begin, end *Standing, witnesses ...*Standing) {
	t.Helper()
	require.Equal(t, begin.ID, next(t, s, three(t)))
	s.Begin(begin)
	s.Finish(end, witnesses, three(t))
}

func TestAScanGoesFromTheOwnerOfSlot0ToThatOfTheLowestSlotLeft(t *testing.T) {
	snapshot, cursor := three(t), ""
	var visited []string
	for cursor != ScanFinished {
		s := scan(t, cursor)
		name := next(t, s, snapshot)
		require.True(t, s.Begins())
		s.Begin(standing(t, name, nil))
		s.Step = "17"
		s = scan(t, s.String()) // a step later
		require.Equal(t, name, next(t, s, snapshot))
		require.False(t, s.Begins())
		s.Finish(standing(t, name, nil), nil, snapshot)
		visited = append(visited, name)
		cursor = s.String()
	}
	require.Equal(t, []string{"h:7001", "h:7002", "h:7003"}, visited)
}

func TestATurnCountsOnlyIfNeitherTheConfigurationNorTheProcessChangedInIt(t *testing.T) {
	for _, change := range []func(*Standing){
		func(s *Standing) { s.Epoch++ },
		func(s *Standing) { s.Run = "another" },
	} {
		s, end := scan(t, ""), standing(t, "h:7001", nil)
		change(end)
		turn(t, s, standing(t, "h:7001", nil), end)
		require.Equal(t, "h:7001", next(t, s, three(t)))
		require.True(t, s.Begins())
	}
}

func TestASlotThatCameOrWentDuringATurnIsNotDone(t *testing.T) {
	s, end := scan(t, ""), standing(t, "h:7001", nil)
	end.Owned.Remove(7)
	end.Owned.Add(16383)
	turn(t, s, standing(t, "h:7001", nil), end)
	require.Equal(t, "0-6,8-5460|||||||", s.String())
}

func TestASlotOnItsWayIsDoneByTheTurnOfItsTargetAfterThatOfItsSource(t *testing.T) {
	away := map[Slot]string{7: "h:7003"}
	s := scan(t, "")
	turn(t, s, standing(t, "h:7001", nil), standing(t, "h:7001", away))
	require.Equal(t, "0-6,8-5460|7-7@h:7003||||||", s.String())
	s = scan(t, s.String())
	require.Equal(t, "h:7003", next(t, s, three(t)))
	target := standing(t, "h:7003", nil)
	require.Len(t, s.Witnesses(three(t), &target.Owned), 1)
	turn(t, s, target, target, standing(t, "h:7001", away))
	require.Equal(t, "0-5460,10923-16383|||||||", s.String())
}

func TestASlotThatHasArrivedAfterTheTurnOfItsSourceIsDoneByItsTarget(t *testing.T) {
	s := scan(t, "")
	turn(t, s, standing(t, "h:7001", nil), standing(t, "h:7001", map[Slot]string{7: "h:7003"}))
	end := standing(t, "h:7003", nil)
	end.Owned.Add(7)
	end.Epoch++ // as it is with a slot that came
	require.Equal(t, "h:7003", next(t, s, three(t)))
	require.Empty(t, s.Witnesses(three(t), &end.Owned))
	turn(t, s, standing(t, "h:7003", nil), end)
	require.True(t, s.done.Has(7))
	require.False(t, s.done.Has(16383), "the others need a turn without a change")
}

func TestASlotWhoseHandOverWasGivenUpIsBegunAgain(t *testing.T) {
	away := map[Slot]string{7: "h:7003"}
	s := scan(t, "")
	turn(t, s, standing(t, "h:7001", away), standing(t, "h:7001", nil)) // in the turn of its source
	require.Equal(t, "0-6,8-5460|||||||", s.String())
	turn(t, s, standing(t, "h:7001", away), standing(t, "h:7001", away))
	turn(t, s, standing(t, "h:7003", nil), standing(t, "h:7003", nil), standing(t, "h:7001", nil)) // in that of its target
	require.False(t, s.done.Has(7))
	require.Equal(t, "h:7001", next(t, s, three(t)))
}

func TestATargetWithoutSlotsOfItsOwnHasATurnIfTheOwnerVouchesForIt(t *testing.T) {
	away := map[Slot]string{7: "h:7099"}
	s := scan(t, "")
	turn(t, s, standing(t, "h:7001", away), standing(t, "h:7001", away))
	require.Equal(t, "h:7099", next(t, s, three(t)))
	require.Len(t, s.Witnesses(three(t), new(SlotSet)), 1)
	require.False(t, s.Vouched([]*Standing{standing(t, "h:7001", map[Slot]string{7: "h:7002"})}, three(t)))
	require.True(t, s.Vouched([]*Standing{standing(t, "h:7001", away)}, three(t)))
	empty := standing(t, "h:7099", nil)
	turn(t, s, empty, empty, standing(t, "h:7001", away))
	require.True(t, s.done.Has(7))
}

func TestATargetThatBecameAReplicaOrCouldNotBeAskedIsOwedToNoMore(t *testing.T) {
	away := map[Slot]string{7: "h:7003"}
	s := scan(t, "")
	turn(t, s, standing(t, "h:7001", away), standing(t, "h:7001", away))
	failedOver := three(t).Moved(12182, address(t, "h:7006"))
	require.Equal(t, "h:7001", next(t, scan(t, s.String()), failedOver))
	require.Equal(t, "h:7003", next(t, s, three(t)))
	s.Restart()
	require.Equal(t, "h:7001", next(t, s, three(t)))
}

func TestANodeThatIsNoPrimaryAnyMoreIsLeft(t *testing.T) {
	s := scan(t, "||h:7003|5|1|r|10923-16383|")
	require.Equal(t, "h:7001", next(t, s, three(t).Moved(12182, address(t, "h:7006"))))
	require.True(t, s.Begins())
}

func TestASlotWithoutAShardEndsAScanUnlessGapsAreAllowed(t *testing.T) {
	gap := vectorTopology{Ranges: []vectorRange{{0, 5460, "h:7001", nil}, {10923, 16383, "h:7003", nil}}}.snapshot(t)
	_, _, err := scan(t, "").Next(gap, false)
	require.ErrorContains(t, err, "not all slots covered: no shard serves slot 5461")
	s := scan(t, "0-5460|||||||")
	_, left, err := s.Next(gap, true)
	require.NoError(t, err)
	require.True(t, left)
	turn(t, s, standing(t, "h:7003", nil), standing(t, "h:7003", nil))
	require.Equal(t, ScanFinished, s.String())
	_, left, err = s.Next(gap, true)
	require.NoError(t, err)
	require.False(t, left)
}

func TestACursorThatIsNoneIsRefused(t *testing.T) {
	for _, text := range []string{
		"x", "17", "finished", "0-5|||", "||x|||||", "5-3|||||||", "0-16384|||||||", "a-b|||||||",
		"|7-7@nowhere||||||", "|7@h:1;||||||", "||h|0|0|||", "||h:1|x|0|||", "||h:1|0|x|||", "0-5||h:1|-1|0|||", "||h:1|0|0||x|", "||h:1|0|0|||x", "||h:1|0|0|||16384>id",
	} {
		_, err := ParseScan(text)
		require.ErrorContains(t, err, "scan cursor", text)
	}
}

func aSet(t *rapid.T, name string) (s SlotSet) {
	for range rapid.IntRange(0, 4).Draw(t, name) {
		first := rapid.IntRange(0, SlotCount-1).Draw(t, "first")
		for slot := first; slot < min(first+rapid.IntRange(1, 500).Draw(t, "length"), SlotCount); slot++ {
			s.Add(Slot(slot))
		}
	}
	return s
}

func TestACursorReadsAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &Scan{Step: "0", done: aSet(t, "done")}
		for i := range rapid.IntRange(0, 2).Draw(t, "debts") {
			owed := debt{Address{"::1", uint16(7001 + i)}, aSet(t, "owed")}
			owed.slots.Add(5)
			s.owed = append(s.owed, owed)
		}
		if rapid.Bool().Draw(t, "at a node") {
			s.node, s.Step = Address{"::1", 7001}, "18446744073709551615"
			s.begun = beginning{epoch: rapid.Uint64().Draw(t, "epoch"), run: rapid.SampledFrom([]string{"", "0a1b"}).Draw(t, "run"), owned: aSet(t, "owned")}
			if rapid.Bool().Draw(t, "moving") {
				s.begun.moving = map[Slot]string{7: "id", 16383: "another"}
			}
		}
		again, err := ParseScan(s.String())
		require.NoError(t, err)
		require.Equal(t, s, again)
	})
}

func TestANodeTellsHowItStands(t *testing.T) {
	nodes := strings.Join([]string{
		"07c3 10.0.0.1:7000@17000,,shard-id=1 myself,master - 0 1 9 connected 0-5460 7000 [93->-29ab] [77-<-e7d1]",
		"29ab :7001@17001,name.example,shard-id=2 master - 0 1 2 connected",
		"e7d1 2001:db8::1:7002@17002 master,fail - 0 1 3 connected 5461-6999",
		"", "odd line",
	}, "\n")
	s, err := ParseStanding(nodes, "r")
	require.NoError(t, err)
	require.Equal(t, "07c3", s.ID)
	require.Equal(t, uint64(9), s.Epoch)
	require.Equal(t, "0-5460,7000-7000", s.Owned.String())
	require.Equal(t, map[Slot]string{93: "29ab"}, s.Moving)
	for id, expected := range map[string]string{"07c3": "10.0.0.1:7000", "29ab": "name.example:7001", "e7d1": "2001:db8::1:7002"} {
		to, known := s.address(id, three(t))
		require.True(t, known)
		require.Equal(t, expected, to.String())
	}
	for message, nodes := range map[string]string{
		"no node says that it is itself": strings.Replace(nodes, "myself,", "", 1),
		`slots "5461-99999"`:             strings.Replace(nodes, "0-5460", "5461-99999", 1),
		`slots "[93x->-29ab]"`:           strings.Replace(nodes, "[93", "[93x", 1),
		`configuration epoch "x"`:        strings.Replace(nodes, " 1 9 ", " 1 x ", 1),
	} {
		_, err := ParseStanding(nodes, "r")
		require.ErrorContains(t, err, message)
	}
}
