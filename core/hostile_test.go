package core

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

// hostile are replies that would have a reader reserve memory without end, or never return.
var hostile = map[string]string{
	"a string of exabytes":    "$9223372036854775807\r\n",
	"a string of gigabytes":   "$1073741824\r\n",
	"an array of billions":    "*4294967295\r\n",
	"a map of millions":       "%10000000\r\n",
	"arrays of millions":      strings.Repeat("*10000000\r\n", 100),
	"endless arrays":          strings.Repeat("*1\r\n", 1_000_000),
	"endless attributes":      strings.Repeat("|1\r\n+a\r\n", 1_000_000),
	"a streamed array":        "*?\r\n" + strings.Repeat(":1\r\n", 1_000_000),
	"a streamed string":       "$?\r\n" + strings.Repeat(";4\r\nabcd\r\n", 1_000_000),
	"a line without an end":   "+" + strings.Repeat("x", 16<<20),
	"a length without an end": "$" + strings.Repeat("1", 16<<20),
	"a negative length":       "*-2\r\n",
	"a string that goes on":   "$3\r\nabcdef\r\n",
	"no reply at all":         "HTTP/1.1 400 Bad Request\r\n\r\n",
}

// oversized are those of them that would be well formed.
var oversized = []string{"a string of gigabytes", "an array of billions", "a map of millions", "arrays of millions"}

// allocated is how many bytes something allocates, all goroutines together.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

const muchMemory = 128 << 20 // the fake node's own part is in it

// refusedReply is what a client says of a reply that is an error which names its node, in bounded
// memory; the next request has another connection.
func refusedReply(t *testing.T, reply fakenode.Reply) (message string) {
	f := fakeCluster(t)
	f.three.On("SET foo", reply, fakenode.Simple("OK"))
	client := openFakes(t, f)
	run(t, client, command("GET", "foo")) // the connection stands: the library does not have its replies first
	request := command("SET", "foo", "1")
	request.Timeout = time.Minute
	require.Less(t, allocated(func() {
		failed := failure(t, client, request)
		require.Equal(t, StatusConnection, failed.Status, failed.Message)
		require.True(t, failed.Sent)
		require.Equal(t, f.three.Address(), failed.Node)
		message = failed.Message
	}), uint64(muchMemory))
	run(t, client, command("SET", "foo", "2"))
	require.NotEqual(t, connectionOf(t, f.three, "SET foo 1"), connectionOf(t, f.three, "SET foo 2"))
	return message
}

func TestAHostileReplyIsAnErrorInBoundedMemory(t *testing.T) {
	for name, reply := range hostile {
		t.Run(name, func(t *testing.T) {
			message := refusedReply(t, fakenode.Raw(reply))
			if slices.Contains(oversized, name) {
				require.Contains(t, message, errReplySize.Error())
			}
		})
	}
}

func TestAReplyThatGrowsWithoutEndIsAnErrorThatNamesTheLimitAndTheNode(t *testing.T) {
	usual := maxReplyBytes
	maxReplyBytes = 8 << 20
	t.Cleanup(func() { maxReplyBytes = usual })
	text := strings.Repeat("$1000\r\n"+strings.Repeat("x", 1000)+"\r\n", 100)
	long := "$100000\r\n" + strings.Repeat("x", 100000) + "\r\n"
	for name, reply := range map[string]fakenode.Reply{
		"strings":           fakenode.Endless("*1000000\r\n"+text, text),
		"long strings":      fakenode.Endless("*1000000\r\n"+long, long),
		"long after short":  fakenode.Endless("*1000000\r\n"+text, long),
		"strings of a set":  fakenode.Endless("~1000000\r\n"+text, text),
		"strings of a map":  fakenode.Endless("%1000000\r\n"+text, text),
		"strings and more":  fakenode.Endless("*1000000\r\n:1\r\n", text),
		"strings of lists":  fakenode.Endless("*100000\r\n", "*100\r\n"+text),
		"strings with tags": fakenode.Endless("*100000\r\n", "|1\r\n+tag\r\n:1\r\n*100\r\n"+text),
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, refusedReply(t, reply), errReplySize.Error())
		})
	}
}

// connectionOf is the number of the connection that a command came on, once.
func connectionOf(t *testing.T, node *fakenode.Node, words string) (number int) {
	for on := 1; on <= node.Connections(); on++ {
		if got := node.GotOn(on, words); len(got) > 0 {
			require.Len(t, got, 1)
			number = on
		}
	}
	return number
}

func TestAHostileHandshakeIsAnErrorInBoundedMemory(t *testing.T) {
	for _, word := range []string{"READONLY", "HELLO"} {
		for name, reply := range hostile {
			t.Run(word+": "+name, func(t *testing.T) {
				f := fakeCluster(t)
				client := openFakes(t, f)
				request := command("SET", "foo", "1")
				f.three.On(word, fakenode.Raw(reply))
				if word == "READONLY" {
					request = command("GET", "foo").to(routing.Route{Kind: routing.RouteByAddress, Host: f.replica.Address()})
					f.replica.On(word, fakenode.Raw(reply))
				}
				request.Timeout = 100 * time.Millisecond
				require.Less(t, allocated(func() {
					failed := failure(t, client, request)
					if word == "READONLY" { // nobody looks whether it was where the deadline ends a HELLO
						require.False(t, failed.Sent, failed.Message)
					}
					require.Empty(t, f.three.Got("SET"))
				}), uint64(8*muchMemory)) // it is tried many times
				run(t, client, command("SET", "bar", "1"))
			})
		}
	}
}

func TestAHostileTopologyIsAnErrorAndTheOneThatIsKnownStands(t *testing.T) {
	odd := map[string]fakenode.Value{
		"a number":         fakenode.Int(7),
		"a map":            fakenode.Map(fakenode.Bulk("a"), fakenode.Bulk("b")),
		"nothing":          fakenode.Nil(),
		"slots of nobody":  fakenode.Array(fakenode.Array(fakenode.Int(0), fakenode.Int(16383))),
		"slots of nil":     fakenode.Array(fakenode.Array(fakenode.Int(0), fakenode.Int(16383), fakenode.Nil())),
		"slots backwards":  fakenode.Slots(fakenode.Serves(16383, 0, fakenode.Endpoint{Host: fakenode.Bulk("h"), Port: 1, ID: "a"})),
		"slots beyond":     fakenode.Slots(fakenode.Serves(0, 70000, fakenode.Endpoint{Host: fakenode.Bulk("h"), Port: 1, ID: "a"})),
		"a port beyond":    fakenode.Slots(fakenode.Serves(0, 16383, fakenode.Endpoint{Host: fakenode.Bulk("h"), Port: 65536, ID: "a"})),
		"a negative port":  fakenode.Slots(fakenode.Serves(0, 16383, fakenode.Endpoint{Host: fakenode.Bulk("h"), Port: -1, ID: "a"})),
		"an unknown owner": fakenode.Slots(fakenode.Serves(0, 16383, fakenode.Endpoint{Host: fakenode.Bulk("?"), Port: 1, ID: "a"})),
	}
	for name, reply := range hostile {
		odd[name] = fakenode.Raw(reply)
	}
	for name, reply := range odd {
		t.Run(name, func(t *testing.T) {
			f := fakeCluster(t)
			client := openFakes(t, f)
			f.say(9, reply)
			client.refresh(t.Context())
			require.EqualValues(t, 7, client.Topology().Epoch)
			run(t, client, command("SET", "foo", "1"))
			_, err := Open(Config{Addresses: []routing.Address{mustParse(f.one.Address())}, ConnectTimeout: 500 * time.Millisecond})
			require.ErrorContains(t, err, "no usable server: "+f.one.Address())
		})
	}
}

func TestATopologyOfAHundredThousandNodesIsTaken(t *testing.T) {
	f := fakeCluster(t)
	const each = 6 // 16384 shards of six nodes
	var ranges []fakenode.Range
	for slot := range routing.SlotCount {
		if slot == 12182 {
			ranges = append(ranges, fakenode.Serves(slot, slot, f.three.Endpoint()))
			continue
		}
		nodes := make([]fakenode.Endpoint, each)
		for i := range nodes {
			n := slot*each + i
			nodes[i] = fakenode.Endpoint{Host: fakenode.Bulk(fmt.Sprintf("127.%d.%d.%d", 1+n>>16, n>>8&255, n&255)), Port: 1, ID: strconv.Itoa(n)}
		}
		ranges = append(ranges, fakenode.Serves(slot, slot, nodes[0], nodes[1:]...))
	}
	view := fakenode.Slots(ranges...)
	for _, node := range f.all() {
		node.On("CLUSTER SLOTS", view)
	}
	client := open(t, Config{RefreshEvery: -1, ConnectTimeout: time.Minute}, f.one.Address())
	require.Greater(t, len(client.Topology().Nodes()), 98_000)
	run(t, client, patiently(command("SET", "foo", "1")))
	f.three.On("SET {foo}2", moved(12182, f.one))
	run(t, client, patiently(command("SET", "{foo}2", "1")))
	require.Len(t, slices.Concat(client.candidates()...), len(client.Topology().Nodes()))
}

func TestNodesThatTheServerNamesTwiceAreKnownOnce(t *testing.T) {
	f := fakeCluster(t)
	var ranges []fakenode.Range
	for range 20_000 {
		ranges = append(ranges, fakenode.Serves(0, 16383, f.three.Endpoint(), f.replica.Endpoint(), f.three.Endpoint()))
	}
	f.say(9, fakenode.Slots(ranges...))
	client := open(t, Config{RefreshEvery: -1, ConnectTimeout: time.Minute}, f.one.Address())
	require.Len(t, client.Topology().Nodes(), 2)
}

func TestRepliesOfRandomBytesNeverHangOrBreakTheClient(t *testing.T) {
	f := fakeCluster(t)
	seed := rand.Uint64()
	t.Log("seed ", seed)
	f.three.On("GET", fakenode.Func(func(words []string) fakenode.Reply {
		number, err := strconv.ParseUint(strings.TrimPrefix(words[1], "{foo}"), 10, 64)
		require.NoError(t, err)
		random := rand.New(rand.NewPCG(seed, number))
		reply := []byte(wellFormed)
		first := random.IntN(len(reply))
		reply = reply[first : first+random.IntN(len(reply)-first)]
		for range random.IntN(4) {
			if len(reply) > 0 {
				reply[random.IntN(len(reply))] = "*$%:+-|\r\n0919_?"[random.IntN(15)]
			}
		}
		return fakenode.Raw(string(reply))
	}))
	client := openFakes(t, f)
	for i := range 300 {
		request := command("GET", "{foo}"+strconv.Itoa(i))
		request.Timeout = 20 * time.Millisecond
		if _, err := client.Execute(request); err != nil {
			require.NotEqual(t, StatusInternal, err.(*Error).Status, err)
		}
	}
	run(t, client, command("SET", "bar", "1"))
	require.Eventually(t, func() bool { return f.three.OpenConnections() < 5 }, 5*time.Second, time.Millisecond,
		"a connection that failed is closed")
}

func TestARedirectToNowhereIsAnErrorAndForgottenWhenNobodyElseSaysSo(t *testing.T) {
	for _, where := range []string{"127.0.0.9:1", "no-such-host.invalid:7001", "[::ffff:127.0.0.9]:1"} {
		f := fakeCluster(t)
		f.three.On("SET foo", fakenode.Err("MOVED 12182 "+where), fakenode.Simple("OK"))
		client := openFakes(t, f)
		request := command("SET", "foo", "1")
		request.Timeout = 300 * time.Millisecond
		failed := failure(t, client, request)
		require.False(t, failed.Sent)
		client.topology.mu.Lock()
		client.topology.taught = client.topology.taught.Add(-trust)
		client.topology.mu.Unlock()
		require.Eventually(t, func() bool {
			_, err := client.Execute(request)
			return err == nil
		}, 10*time.Second, time.Millisecond, where)
		require.Nil(t, client.Topology().Find(mustParse(where)))
	}
}
