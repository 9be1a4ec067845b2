package convert

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"libglide/routing"
)

func words(command string) [][]byte {
	var all [][]byte
	for word := range strings.FieldsSeq(command) {
		all = append(all, []byte(word))
	}
	return all
}

func b(text string) routing.Value            { return routing.Bulk(text) }
func n(number int64) routing.Value           { return routing.Integer(number) }
func d(number float64) routing.Value         { return doubleOf(number) }
func a(items ...routing.Value) routing.Value { return routing.ArrayOf(items...) }
func m(items ...routing.Value) routing.Value { return mapValue(items) }
func s(items ...routing.Value) routing.Value {
	return routing.Value{Kind: routing.KindSet, Items: items}
}

var (
	null   = routing.Value{}
	yes    = booleanOf(true)
	no     = booleanOf(false)
	queued = routing.Simple("QUEUED")
	fault  = routing.ErrorReply("ERR x")
)

// plain is a value whose empty lists are all alike.
func plain(v routing.Value) routing.Value {
	if len(v.Items) == 0 {
		v.Items = nil
	}
	items := append([]routing.Value(nil), v.Items...)
	for i := range items {
		items[i] = plain(items[i])
	}
	v.Items = items
	return v
}

func TestRepliesOfBothProtocolsBecomeOneShape(t *testing.T) {
	for _, c := range []struct {
		command      string
		resp2, resp3 routing.Value
		expected     routing.Value
	}{
		{"HGETALL h", a(b("f"), b("1"), b("g"), b("2")), m(b("f"), b("1"), b("g"), b("2")), m(b("f"), b("1"), b("g"), b("2"))},
		{"HGETALL h", a(), m(), m()},
		{"CONFIG GET x", a(b("x"), b("1")), m(b("x"), b("1")), m(b("x"), b("1"))},
		{"config get x", m(b("h:1"), a(b("x"), b("1"))), m(b("h:1"), m(b("x"), b("1"))), m(b("h:1"), m(b("x"), b("1")))},
		{"ZRANGE z 0 -1 withscores", a(b("m"), b("1"), b("n"), b("2.5")), a(a(b("m"), d(1)), a(b("n"), d(2.5))), m(b("m"), d(1), b("n"), d(2.5))},
		{"ZPOPMIN z", a(b("m"), b("1")), a(b("m"), d(1)), m(b("m"), d(1))},
		{"ZPOPMIN z 2", a(b("m"), b("1"), b("n"), b("2")), a(a(b("m"), d(1)), a(b("n"), d(2))), m(b("m"), d(1), b("n"), d(2))},
		{"ZPOPMAX z", a(), a(), m()},
		{"BZPOPMIN z 0", a(b("z"), b("m"), b("1")), a(b("z"), b("m"), d(1)), a(b("z"), b("m"), d(1))},
		{"ZMPOP 1 z MIN", a(b("z"), a(a(b("m"), b("1")))), a(b("z"), a(a(b("m"), d(1)))), a(b("z"), m(b("m"), d(1)))},
		{"ZRANK z m WITHSCORE", a(n(0), b("1")), a(n(0), d(1)), a(n(0), d(1))},
		{"ZRANDMEMBER z 2 WITHSCORES", a(b("m"), b("1")), a(a(b("m"), d(1))), a(a(b("m"), d(1)))},
		{"ZADD z INCR 1 m", b("1"), d(1), d(1)},
		{"ZADD z NX INCR 1 m", null, null, null},
		{"ZADD z 1 m", n(1), n(1), n(1)},
		{"ZSCORE z m", b("-inf"), d(math.Inf(-1)), d(math.Inf(-1))},
		{"ZMSCORE z m o", a(b("1"), null), a(d(1), null), a(d(1), null)},
		{"XREAD STREAMS s 0", a(a(b("s"), a(a(b("1-1"), a(b("f"), b("v")))))), m(b("s"), a(a(b("1-1"), a(b("f"), b("v"))))), m(b("s"), m(b("1-1"), a(a(b("f"), b("v")))))},
		{"XREAD STREAMS s 0", null, null, null},
		{"XRANGE s - +", a(a(b("1-1"), a(b("f"), b("v")))), a(a(b("1-1"), a(b("f"), b("v")))), m(b("1-1"), a(a(b("f"), b("v"))))},
		{"XCLAIM s g c 0 1-1", a(null, a(b("1-1"), a(b("f"), b("v")))), a(a(b("1-1"), a(b("f"), b("v")))), m(b("1-1"), a(a(b("f"), b("v"))))},
		{"XCLAIM s g c 0 1-1 JUSTID", a(b("1-1")), a(b("1-1")), a(b("1-1"))},
		{"XAUTOCLAIM s g c 0 0", a(b("0-0"), a(a(b("1-1"), a(b("f"), b("v")))), a()), a(b("0-0"), a(a(b("1-1"), a(b("f"), b("v")))), a()), a(b("0-0"), m(b("1-1"), a(a(b("f"), b("v")))), a())},
		{"XINFO GROUPS s", a(a(b("name"), b("g"))), a(m(b("name"), b("g"))), a(m(b("name"), b("g")))},
		{"XINFO STREAM s", a(b("length"), n(1)), m(b("length"), n(1)), m(b("length"), n(1))},
		{
			"XINFO STREAM s FULL",
			a(b("entries"), a(), b("groups"), a(a(b("name"), b("g"), b("consumers"), a(a(b("name"), b("c")))))),
			m(b("entries"), a(), b("groups"), a(m(b("name"), b("g"), b("consumers"), a(m(b("name"), b("c")))))),
			m(b("entries"), a(), b("groups"), a(m(b("name"), b("g"), b("consumers"), a(m(b("name"), b("c")))))),
		},
		{"SPOP k 3", a(b("x")), s(b("x")), s(b("x"))},
		{"SPOP k", b("x"), b("x"), b("x")},
		{"SMEMBERS k", a(b("x")), s(b("x")), s(b("x"))},
		{"EXPIRE k 1", n(1), n(1), yes},
		{"HSETNX h f v", n(0), n(0), no},
		{"SMISMEMBER k x y", a(n(1), n(0)), a(n(1), n(0)), a(yes, no)},
		{"GEODIST k x y", b("1.5"), b("1.5"), d(1.5)},
		{"GEOPOS k x y", a(a(b("1"), b("2")), null), a(a(d(1), d(2)), null), a(a(d(1), d(2)), null)},
		{"GEOSEARCH k WITHCOORD WITHDIST", a(a(b("x"), b("12.5"), a(b("1"), b("2")))), a(a(b("x"), b("12.5"), a(d(1), d(2)))), a(a(b("x"), a(d(12.5), a(d(1), d(2)))))},
		{"GEOSEARCH k BYBOX", a(b("x")), a(b("x")), a(b("x"))},
		{"LMPOP 1 k LEFT", a(b("k"), a(b("x"), b("y"))), a(b("k"), a(b("x"), b("y"))), m(b("k"), a(b("x"), b("y")))},
		{"LCS a b IDX", a(b("len"), n(3)), m(b("len"), n(3)), m(b("len"), n(3))},
		{"LCS a b", b("abc"), b("abc"), b("abc")},
		{"HRANDFIELD h 2 WITHVALUES", a(b("f"), b("v")), a(a(b("f"), b("v"))), a(a(b("f"), b("v")))},
		{"FUNCTION LIST", a(a(b("functions"), a(a(b("flags"), a(b("no-writes")))))), a(m(b("functions"), a(m(b("flags"), s(b("no-writes")))))), a(m(b("functions"), a(m(b("flags"), s(b("no-writes"))))))},
		{"FUNCTION STATS", a(b("running_script"), null, b("engines"), a(b("LUA"), a(b("n"), n(1)))), m(b("running_script"), null, b("engines"), m(b("LUA"), m(b("n"), n(1)))), m(b("running_script"), null, b("engines"), m(b("LUA"), m(b("n"), n(1))))},
		{"CLIENT TRACKINGINFO", a(b("flags"), a(b("off"))), m(b("flags"), s(b("off"))), m(b("flags"), s(b("off")))},
		{"MEMORY STATS", a(b("x.y"), b("1.5"), b("db.0"), a(b("k"), n(2)), b("name"), b("z")), m(b("x.y"), d(1.5), b("db.0"), m(b("k"), n(2)), b("name"), b("z")), m(b("x.y"), d(1.5), b("db.0"), m(b("k"), n(2)), b("name"), b("z"))},
	} {
		for protocol, reply := range map[string]routing.Value{"RESP2": c.resp2, "RESP3": c.resp3} {
			got, err := Reply(words(c.command), reply)
			require.NoError(t, err, "%s of %s", protocol, c.command)
			require.Equal(t, plain(c.expected), plain(got), "%s of %s", protocol, c.command)
		}
	}
}

func TestModulesRepliesAreConverted(t *testing.T) {
	simple := routing.Simple
	for _, c := range []struct {
		command         string
		reply, expected routing.Value
	}{
		{"JSON.TOGGLE k $", a(n(1), null, b("false")), a(yes, null, no)},
		{"FT.SEARCH i q", a(n(1), b("k"), a(b("f"), b("v"))), a(n(1), m(b("k"), m(b("f"), b("v"))))},
		{"FT.SEARCH i q NOCONTENT", a(n(2), b("k"), b("l")), a(n(2), m(b("k"), m(), b("l"), m()))},
		{"FT.SEARCH i q", a(n(7)), a(n(7))},
		{"FT.SEARCH i q WITHSORTKEYS", a(n(1), b("k"), b("$1"), a(b("f"), b("v"))), a(n(1), m(b("k"), a(b("$1"), m(b("f"), b("v")))))},
		{"FT.SEARCH i q WITHSORTKEYS", a(n(1), b("k"), b("$1")), a(n(1), m(b("k"), a(b("$1"), m())))},
		{"FT.AGGREGATE i q", a(n(1), a(b("f"), b("v"))), a(m(b("f"), b("v")))},
		{"FT.PROFILE i SEARCH QUERY q", a(a(n(1), b("k"), a(b("f"), b("v"))), a(b("t"), n(3))), a(a(n(1), m(b("k"), m(b("f"), b("v")))), m(b("t"), d(3)))},
		{"FT.PROFILE i AGGREGATE QUERY q", a(a(n(1), a(b("f"), b("v"))), a(b("t"), n(3))), a(a(m(b("f"), b("v"))), m(b("t"), d(3)))},
		{"FT.INFO i", a(simple("fields"), a(a(simple("type"), simple("vector"), simple("vector_params"), a(simple("dim"), n(2))))), m(simple("fields"), a(m(simple("type"), simple("vector"), simple("vector_params"), m(simple("dim"), n(2)))))},
		{"FT.INFO i", a(b("fields"), a(a(b("x"), b("y")))), m(b("fields"), a(a(b("x"), b("y"))))},
	} {
		got, err := Reply(words(c.command), c.reply)
		require.NoError(t, err, c.command)
		require.Equal(t, plain(c.expected), plain(got), c.command)
	}
}

func TestWhatHasNoRuleStaysAsItIs(t *testing.T) {
	for command, reply := range map[string]routing.Value{
		"SETNX k v": n(1), "GETDEL k": b("1"), "INFO": b("x"), "ZRANGEBYSCORE z 0 1 WITHSCORES": a(b("m"), b("1")),
		"HGETALL h": fault, "EXPIRE k 1": queued, "NOSUCH": a(n(1)), "CONFIG SET x y": routing.Simple("OK"),
		strings.Repeat("x", 500): n(1), "CONFIG " + strings.Repeat("x", 500): n(1),
	} {
		got, err := Reply(words(command), reply)
		require.NoError(t, err, command)
		require.Equal(t, reply, got, command)
	}
	got, err := Reply([][]byte{[]byte("config get"), []byte("x")}, a(b("x"), b("1")))
	require.NoError(t, err)
	require.Equal(t, a(b("x"), b("1")), got, "two words in one are not split")
	_, err = Reply(nil, n(1))
	require.NoError(t, err)
}

func TestAReplyOfAnotherKindIsATypeError(t *testing.T) {
	for command, reply := range map[string]routing.Value{
		"HGETALL h": n(1), "HGETALL g": a(b("f")), "HGETALL i": a(a(b("f"))), "ZSCORE z m": b("0x1p4"),
		"INCRBYFLOAT k 1": null, "EXPIRE k 1": b("2"), "SMEMBERS k": b("x"), "ZMSCORE z m": null,
		"GEOPOS k x": a(a(b("1"))), "LMPOP 1 k LEFT": a(b("k"), b("x")), "FT.SEARCH i q WITHSORTKEYS": a(n(1), b("k")),
		"ZRANDMEMBER z 2 WITHSCORES": a(b("m")), "XAUTOCLAIM s g c 0 0": a(b("0-0")), "LOLWUT": n(1), "FUNCTION STATS": a(n(1)),
		"FUNCTION LIST": n(3), "ZRANK z m WITHSCORE": a(n(1)), "BZPOPMIN z 0": a(n(1)), "FT.AGGREGATE i q": a(), "FT.PROFILE i x": n(1),
	} {
		_, err := Reply(words(command), reply)
		var wrong *TypeError
		require.ErrorAs(t, err, &wrong, command)
		require.Contains(t, err.Error(), " - TypeError: (response was ")
	}
}

func TestLOLWUTIsDrawnWithoutColours(t *testing.T) {
	drawing := routing.Value{Kind: routing.KindVerbatim, Text: []byte("txt:\x1b[0;97;107m \x1b[0m\x1b[0;30;40m \x1b[0mver")}
	got, err := Reply(words("LOLWUT"), m(b("h:1"), drawing))
	require.NoError(t, err)
	require.Equal(t, m(b("h:1"), b("\u2591 ver")), got)
}
