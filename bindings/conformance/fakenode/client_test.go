package fakenode

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/valkey-io/valkey-go"
)

// eachProtocol runs a test with a client of its own node, that speaks RESP2 and RESP3.
func eachProtocol(t *testing.T, test func(t *testing.T, n *Node, client valkey.Client)) {
	for name, resp2 := range map[string]bool{"RESP2": true, "RESP3": false} {
		t.Run(name, func(t *testing.T) {
			n := Start(t)
			client, err := valkey.NewClient(valkey.ClientOption{
				InitAddress: []string{n.Address()}, AlwaysRESP2: resp2,
				ForceSingleClient: true, DisableCache: true, DisableRetry: true, PipelineMultiplex: -1,
			})
			require.NoError(t, err)
			defer client.Close()
			test(t, n, client)
		})
	}
}

func do(t *testing.T, client valkey.Client, words ...string) (any, error) {
	t.Helper()
	return client.Do(t.Context(), client.B().Arbitrary(words...).Build()).ToAny()
}

func TestValuesAreWellFormedInBothProtocols(t *testing.T) {
	eachProtocol(t, func(t *testing.T, n *Node, client valkey.Client) {
		n.On("SIMPLE", Simple("OK"))
		n.On("BULK", Bulk("a\r\nb\x00"))
		n.On("EMPTY", Bulk(""))
		n.On("INT", Int(-7))
		n.On("RAW", Raw("$1\r\nx\r\n"))
		n.On("ARRAY", Array(Int(1), Bulk("two"), Array(), Array(Simple("three"))))
		n.On("NESTED", Array(Nil(), Int(1)))

		for word, expected := range map[string]any{
			"SIMPLE": "OK", "BULK": "a\r\nb\x00", "EMPTY": "", "INT": int64(-7), "RAW": "x",
			"ARRAY":  []any{int64(1), "two", []any{}, []any{"three"}},
			"NESTED": []any{nil, int64(1)},
		} {
			value, err := do(t, client, word)
			require.NoError(t, err, word)
			assert.Equal(t, expected, value, word)
		}
	})
}

func TestNilIsTheNullOfEitherProtocol(t *testing.T) {
	eachProtocol(t, func(t *testing.T, n *Node, client valkey.Client) {
		n.On("GET", Nil())
		_, err := do(t, client, "GET", "foo")
		assert.True(t, valkey.IsValkeyNil(err), "%v", err)
	})
}

func TestErrorsArriveWithTheirCode(t *testing.T) {
	eachProtocol(t, func(t *testing.T, n *Node, client valkey.Client) {
		n.On("GET", Err("MOVED 12182 127.0.0.1:7001"))
		_, err := do(t, client, "GET", "foo")
		refusal, refused := valkey.IsValkeyErr(err)
		require.True(t, refused, "%v", err)
		address, moved := refusal.IsMoved()
		assert.True(t, moved)
		assert.Equal(t, "127.0.0.1:7001", address)
	})
}

func TestAMapIsAMapInRESP3AndAnArrayInRESP2(t *testing.T) {
	eachProtocol(t, func(t *testing.T, n *Node, client valkey.Client) {
		n.On("HGETALL", Map(Bulk("field"), Bulk("value"), Bulk("list"), Array(Int(1))))
		reply := client.Do(t.Context(), client.B().Arbitrary("HGETALL").Build())
		fields, err := reply.AsMap()
		require.NoError(t, err)
		field := fields["field"]
		text, err := field.ToString()
		require.NoError(t, err)
		assert.Equal(t, "value", text)
		assert.Len(t, fields, 2)
	})
}

func TestACommandOutsideTheScriptIsAnErrorUntilThereIsACatchAll(t *testing.T) {
	eachProtocol(t, func(t *testing.T, n *Node, client valkey.Client) {
		_, err := do(t, client, "GET", "foo")
		assert.ErrorContains(t, err, "no reply in the script for GET foo")

		n.Otherwise(Simple("whatever"))
		value, err := do(t, client, "GET", "foo")
		require.NoError(t, err)
		assert.Equal(t, "whatever", value)
		value, err = do(t, client, "PING")
		require.NoError(t, err)
		assert.Equal(t, "PONG", value, "the usual goes before a catch-all")
	})
}

func TestAClusterClientFindsItsWayAmongFakeNodes(t *testing.T) {
	a, b := Start(t), Start(t)
	ranges := []Range{
		Serves(0, 8191, a.Endpoint()),
		Serves(8192, 16383, b.Endpoint().With("hostname", "b.example")),
	}
	for _, n := range []*Node{a, b} {
		n.On("CLUSTER SLOTS", Slots(ranges...))
		n.On("CLUSTER SHARDS", Shards(ranges...))
	}
	a.On("GET", Bulk("of a"))
	b.On("GET", Bulk("of b"))
	for name, resp2 := range map[string]bool{"CLUSTER SLOTS": true, "CLUSTER SHARDS": false} {
		client, err := valkey.NewClient(valkey.ClientOption{
			InitAddress: []string{a.Address()}, AlwaysRESP2: resp2, DisableCache: true,
		})
		require.NoError(t, err)
		defer client.Close()
		for key, expected := range map[string]string{"foo": "of b", "bar": "of a"} { // slots 12182, 5061
			value, err := client.Do(t.Context(), client.B().Get().Key(key).Build()).ToString()
			require.NoError(t, err)
			assert.Equal(t, expected, value)
		}
		assert.NotEmpty(t, a.Got(name))
	}
}

func TestHalfAReplyAndAHangupAreErrorsOfTheConnection(t *testing.T) {
	for name, reply := range map[string]Reply{
		"half": Half(Bulk("a value that is cut")), "hang-up": Hangup(), "reset": Reset(),
	} {
		t.Run(name, func(t *testing.T) {
			eachProtocol(t, func(t *testing.T, n *Node, client valkey.Client) {
				n.On("GET", reply, Bulk("whole"))
				_, err := do(t, client, "GET", "foo")
				require.Error(t, err)
				_, refused := valkey.IsValkeyErr(err)
				assert.False(t, refused, "%v", err)

				value, err := do(t, client, "GET", "foo")
				require.NoError(t, err, "on a new connection")
				assert.Equal(t, "whole", value)
				assert.Equal(t, 2, n.Connections())
			})
		})
	}
}

func TestASlowReplyArrivesWholeAndNotBeforeItsTime(t *testing.T) {
	eachProtocol(t, func(t *testing.T, n *Node, client valkey.Client) {
		n.On("GET", Slowly(Bulk("slow"), 5*time.Millisecond)) // 10 bytes
		begin := time.Now()
		value, err := do(t, client, "GET", "foo")
		require.NoError(t, err)
		assert.Equal(t, "slow", value)
		assert.GreaterOrEqual(t, time.Since(begin), 50*time.Millisecond)
	})
}
