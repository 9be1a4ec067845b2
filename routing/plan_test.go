package routing

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var planner = &Planner{Random: func(int) int { return 0 }}

func plan(t testing.TB, s *Snapshot, text ...string) *Plan {
	t.Helper()
	p := new(Plan)
	require.NoError(t, planner.Plan(p, &Request{Words: words(text...)}, s))
	return p
}

func refuse(t testing.TB, s *Snapshot, r *Request) *Error {
	t.Helper()
	var refused *Error
	require.ErrorAs(t, planner.Plan(new(Plan), r, s), &refused)
	return refused
}

func TestEveryRowOfTheCommandTableIsRead(t *testing.T) {
	rows := 0
	for name, row := range commands() {
		if row.name == name {
			rows++
		}
		for sub, subRow := range row.subs {
			require.Equal(t, name+" "+sub, subRow.name)
			rows++
		}
	}
	// 437 commands, and the container words that are none by themselves.
	require.GreaterOrEqual(t, rows, 437)
}

func TestACommandIsFoundInAnyCase(t *testing.T) {
	for _, name := range []string{"get", "GET", "gEt"} {
		require.Equal(t, accessRead, find(words(name, "k")).access)
	}
	require.Equal(t, placeAllNodes, find(words("config", "Set", "a", "b")).place)
	require.Equal(t, "CONFIG SET", CommandName(words("config", "set", "requirepass", "secret")))
}

func TestAnUnknownCommandGoesToThePrimaryOfItsFirstArgument(t *testing.T) {
	leg := plan(t, three(t), "MYMODULE.WRITE", "foo", "x").Legs[0]
	require.Equal(t, "h:7003", leg.Node.Address.String())
	require.EqualValues(t, 12182, leg.Slot)
}

func TestAnUnknownSubCommandIsNotHashed(t *testing.T) {
	leg := plan(t, three(t), "CONFIG", "NEWTHING", "foo").Legs[0]
	require.Equal(t, NoSlot, leg.Slot)
	require.Equal(t, Primary, leg.Node.Role)
}

func TestAReplicaRouteWithoutReplicaFallsBackAndSaysSo(t *testing.T) {
	alone := vectorTopology{Ranges: []vectorRange{{0, 16383, "h:7001", nil}}}.snapshot(t)
	p := new(Plan)
	request := &Request{Words: words("GET", "foo"), Route: Route{Kind: RouteSlotID, Role: Replica, SlotID: 1}}
	require.NoError(t, planner.Plan(p, request, alone))
	require.True(t, p.Legs[0].Fallback)
	require.NoError(t, planner.Plan(p, request, three(t)))
	require.False(t, p.Legs[0].Fallback)
	require.Equal(t, "h:7004", p.Legs[0].Node.Address.String())
}

func TestARouteThatIsNoneIsRefusedWithItsValue(t *testing.T) {
	for _, c := range []struct {
		route   Route
		fault   Fault
		message string
	}{
		{Route{Kind: RouteSlotID, SlotID: -1}, FaultArgument, "slot -1 is out of range 0..16383"},
		{Route{Kind: RouteSlotID, SlotID: 16384}, FaultArgument, "slot 16384 is out of range 0..16383"},
		{Route{Kind: RouteByAddress, Host: "h", Port: 65536}, FaultArgument, "port 65536 of the by-address route is out of range 1..65535"},
		{Route{Kind: RouteByAddress, Host: "h", Port: -1}, FaultArgument, "port -1 of the by-address route is out of range 1..65535"},
		{Route{Kind: RouteByAddress, Host: "h"}, FaultArgument, `by-address route with port 0: address "h" has no port; write host:port`},
		{Route{Kind: RouteByAddress, Port: 7001}, FaultArgument, "the by-address route has no host"},
		{Route{Kind: RouteByAddress, Host: "h", Port: 7999}, FaultNoNode, `node "h:7999" not found in the topology (epoch 1); known: h:7001, h:7004, h:7002, h:7005, h:7003, h:7006`},
		{Route{Kind: 99}, FaultArgument, "route kind 99 is none"},
	} {
		refused := refuse(t, three(t), &Request{Words: words("PING"), Route: c.route})
		require.Equal(t, c.message, refused.Message)
		require.Equal(t, c.fault, refused.Fault, c.message)
	}
}

func TestACommandThatNeedsAConnectionOfItsOwnIsRefused(t *testing.T) {
	for _, name := range []string{"MULTI", "SUBSCRIBE", "MONITOR", "READONLY", "ssubscribe_blocking"} {
		refused := refuse(t, three(t), &Request{Words: words(name, "x"), Route: Route{Kind: RouteAllNodes}})
		require.Contains(t, refused.Message, "is not sent: it ")
	}
	require.Contains(t, refuse(t, three(t), &Request{Words: words("SHUTDOWN")}).Message, "by-address route")
	require.Contains(t, refuse(t, three(t), &Request{}).Message, "no words")
	require.Contains(t, refuse(t, three(t), &Request{Words: words("", "x")}).Message, "first word of the command is empty")
}

func TestTheFormOfClientKillDecidesItsPolicy(t *testing.T) {
	require.Equal(t, PolicySum, plan(t, three(t), "CLIENT", "KILL", "TYPE", "normal").Policy)
	require.Equal(t, PolicyOneSucceeded, plan(t, three(t), "CLIENT", "KILL", "10.0.0.1:5").Policy)
}

func TestAPolicyOfTheCallerServesForAFanOut(t *testing.T) {
	p := new(Plan)
	require.NoError(t, planner.Plan(p, &Request{Words: words("DBSIZE"), Policy: PolicyMax}, three(t)))
	require.Equal(t, PolicyMax, p.Policy)
	require.Contains(t, refuse(t, three(t), &Request{Words: words("DBSIZE"), Policy: 77}).Message, "policy 77")
}

func TestTheTimeOfABlockingCommandIsRead(t *testing.T) {
	for _, c := range []struct {
		words        []string
		milliseconds uint64
	}{
		{[]string{"BLPOP", "k", "1.5"}, 1500},
		{[]string{"BLPOP", "k", "0.0001"}, 1},
		{[]string{"BLMPOP", "2", "1", "k", "LEFT"}, 2000},
		{[]string{"WAIT", "1", "30"}, 30},
		{[]string{"XREAD", "COUNT", "1", "block", "40", "STREAMS", "BLOCK", "0"}, 40},
		{[]string{"XREADGROUP", "GROUP", "block", "streams", "NOACK", "BLOCK", "50", "STREAMS", "k", ">"}, 50},
		{[]string{"MIGRATE", "h", "1", "k", "0", "0"}, 1000},
	} {
		wait := plan(t, three(t), c.words...).Wait
		require.True(t, wait.Blocks, c.words)
		require.Equal(t, c.milliseconds, wait.Milliseconds, c.words)
	}
	require.Zero(t, plan(t, three(t), "BLPOP", "k", "0").Wait.Milliseconds)
	for _, not := range [][]string{{"GET", "k"}, {"BLPOP", "k"}, {"XREAD", "STREAMS", "BLOCK", "5"}, {"WAIT", "1"},
		{"XREADGROUP", "GROUP", "block", "consumer", "STREAMS", "k", ">"}} {
		require.False(t, plan(t, three(t), not...).Wait.Blocks, not)
	}
	for _, bad := range []string{"-1", "x", "nan", "inf", "5000000000"} {
		require.Contains(t, refuse(t, three(t), &Request{Words: words("BLPOP", "k", bad)}).Message, `timeout "`+bad+`" is not a number of seconds`)
	}
}

func TestACommandThatIsSentAgainAsksForTheRestOfItsTime(t *testing.T) {
	for _, c := range []struct{ first, again []string }{
		{[]string{"BLPOP", "k", "1.5"}, []string{"BLPOP", "k", "1.1"}},
		{[]string{"BLMPOP", "2", "1", "k", "LEFT"}, []string{"BLMPOP", "1.6", "1", "k", "LEFT"}},
		{[]string{"XREAD", "BLOCK", "500", "STREAMS", "k", "0"}, []string{"XREAD", "BLOCK", "100", "STREAMS", "k", "0"}},
		{[]string{"BLPOP", "k", "0"}, []string{"BLPOP", "k", "0"}},       // for ever
		{[]string{"BLPOP", "k", "0.3"}, []string{"BLPOP", "k", "0.001"}}, // which 0 would be
		{[]string{"GET", "k"}, []string{"GET", "k"}},
	} {
		first := words(c.first...)
		wait := plan(t, three(t), c.first...).Wait
		require.Equal(t, c.again, texts(wait.After(first, 400*time.Millisecond)))
		require.Equal(t, c.first, texts(first), "the request is its caller's")
	}
}

func TestPartsOfASplitCommandHoldTheirKeysAndComeBackInOrder(t *testing.T) {
	p := plan(t, three(t), "MGET", "foo", "bar", "baz", "{bar}vaz", "foo")
	require.True(t, p.Split)
	var parts [][]string
	for _, leg := range p.Legs {
		parts = append(parts, texts(leg.Words))
	}
	require.Equal(t, [][]string{{"MGET", "foo", "foo"}, {"MGET", "bar", "{bar}vaz"}, {"MGET", "baz"}}, parts)
	combined, err := p.Combine([]Value{
		ArrayOf(Bulk("1"), Bulk("5")), ArrayOf(Bulk("2"), Bulk("4")), ArrayOf(Value{}),
	})
	require.NoError(t, err)
	require.Equal(t, ArrayOf(Bulk("1"), Bulk("2"), Value{}, Bulk("4"), Bulk("5")), combined)
	_, err = p.Combine([]Value{ArrayOf(Bulk("1")), ArrayOf(Bulk("2"), Bulk("4")), ArrayOf(Value{})})
	require.EqualError(t, err, "1 elements for 2 keys")
}

func TestAMalformedCommandOverSeveralSlotsIsNotSentInPart(t *testing.T) {
	refused := refuse(t, three(t), &Request{Words: words("MSET", "foo", "1", "bar")})
	require.Equal(t, "MSET over several slots: wrong number of arguments (4 words)", refused.Message)
}

func TestTheCountOfEveryPartOfMsetexIsItsOwn(t *testing.T) {
	p := plan(t, three(t), "MSETEX", "3", "foo", "1", "bar", "2", "{foo}x", "3", "EX", "10")
	require.Equal(t, []string{"MSETEX", "2", "foo", "1", "{foo}x", "3", "EX", "10"}, texts(p.Legs[0].Words))
	require.Equal(t, []string{"MSETEX", "1", "bar", "2", "EX", "10"}, texts(p.Legs[1].Words))
}

func TestAStandaloneServerGetsEverythingWhole(t *testing.T) {
	standalone := NewStandalone(address(t, "h:1"), address(t, "h:2"))
	p := plan(t, standalone, "MGET", "foo", "bar")
	require.Len(t, p.Legs, 1)
	require.Equal(t, "h:1", p.Legs[0].Node.Address.String())
	refused := refuse(t, standalone, &Request{Words: words("GET", "foo"), Route: Route{Kind: RouteSlotKey}})
	require.Contains(t, refused.Message, "needs a cluster")
}

func TestWhatAnyStandaloneServerCanAnswerGoesWhereItsReadsGo(t *testing.T) {
	standalone := NewStandalone(address(t, "h:1"), address(t, "h:2"), address(t, "h:3"))
	for strategy, served := range map[ReadStrategy][]string{
		ReadPrimary: {"h:1", "h:1", "h:1", "h:1"}, ReadPreferReplica: {"h:2", "h:3", "h:2", "h:3"},
	} {
		by := &Planner{Random: func(n int) int { return n - 1 }, Reads: strategy}
		for i, text := range [][]string{{"CONFIG", "GET", "port"}, {"TIME"}, {"DBSIZE"}, {"EVAL_RO", "return 1", "0"}} {
			var p Plan
			require.NoError(t, by.Plan(&p, &Request{Words: words(text...)}, standalone))
			require.Len(t, p.Legs, 1)
			require.Equal(t, served[i], p.Legs[0].Node.Address.String(), text)
		}
		var p Plan
		require.NoError(t, by.Plan(&p, &Request{Words: words("FLUSHALL")}, standalone))
		require.Equal(t, "h:1", p.Legs[0].Node.Address.String(), "it is no read")
	}
}

func TestAPrimaryOfAFanOutIsFollowedByTheReplicaThatTookItsPlace(t *testing.T) {
	before := vectorTopology{Ranges: []vectorRange{{0, 8191, "h:1", []string{"h:3"}}, {8192, 16383, "h:2", nil}}}.snapshot(t)
	var all, primaries Plan
	for kind, p := range map[RouteKind]*Plan{RouteAllNodes: &all, RouteAllPrimaries: &primaries} {
		require.NoError(t, planner.Plan(p, &Request{Words: words("PING"), Route: Route{Kind: kind}}, before))
	}
	for name, after := range map[string]vectorTopology{
		"demoted": {Ranges: []vectorRange{{0, 8191, "h:3", []string{"h:1"}}, {8192, 16383, "h:2", nil}}},
		"gone":    {Ranges: []vectorRange{{0, 8191, "h:3", nil}, {8192, 16383, "h:2", nil}}},
	} {
		for i, follower := range []string{"h:3", "h:2"} {
			leg := primaries.Legs[i]
			require.NoError(t, planner.Choose(&leg, after.snapshot(t)))
			require.Equal(t, follower, leg.Node.Address.String(), name)
		}
		leg := all.Legs[0]
		require.NoError(t, planner.Choose(&leg, after.snapshot(t)))
		require.Equal(t, "h:1", leg.Node.Address.String(), "the replica is a target of its own")
	}
	leg := primaries.Legs[0]
	require.NoError(t, planner.Choose(&leg, vectorTopology{Ranges: []vectorRange{{0, 16383, "h:2", nil}}}.snapshot(t)))
	require.Equal(t, "h:1", leg.Node.Address.String(), "nobody took its place")
}

func TestANodeThatIsDownHandsItsShareToAllTheOthers(t *testing.T) {
	draws := rand.New(rand.NewPCG(1, 2))
	by := &Planner{Random: draws.IntN, Usable: func(n *Node) bool { return n.Address.Port != 7002 }}
	snapshot, served := three(t), make(map[string]int)
	for range 5000 {
		var p Plan
		require.NoError(t, by.Plan(&p, &Request{Words: words("TIME")}, snapshot))
		served[p.Legs[0].Node.Address.String()]++
	}
	require.Len(t, served, len(snapshot.Nodes())-1)
	for name, times := range served {
		require.InDelta(t, 5000/len(served), times, 150, name)
	}
}

func TestTheCommonPlanTakesNoMemory(t *testing.T) {
	snapshot, request, p := three(t), &Request{Words: words("GET", "foo")}, new(Plan)
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = planner.Plan(p, request, snapshot) }))
}

func TestTheSlotOfAKeyOfAnyLengthIsThatOfTheBitwiseCRC(t *testing.T) {
	key := make([]byte, 0, 64)
	for i := range 64 {
		var crc uint16
		for _, b := range key {
			crc ^= uint16(b) << 8
			for range 8 {
				if crc&0x8000 != 0 {
					crc = crc<<1 ^ 0x1021
				} else {
					crc <<= 1
				}
			}
		}
		require.Equal(t, Slot(crc%SlotCount), SlotOf(key), i)
		key = append(key, byte(i*37+11))
	}
}
