package fakenode

import (
	"bufio"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// patience is how long a test waits for bytes that must come.
const patience = 5 * time.Second

// wire is a connection as a client sees it.
type wire struct {
	t *testing.T
	net.Conn
	reader *bufio.Reader
}

func dial(t *testing.T, n *Node) wire {
	t.Helper()
	conn, err := net.Dial("tcp", n.Address())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	return wire{t, conn, bufio.NewReader(conn)}
}

// send writes commands, words of which are separated by spaces, in one write.
func (w wire) send(commands ...string) {
	w.t.Helper()
	var bytes string
	for _, command := range commands {
		var words []Value
		for _, word := range strings.Fields(command) {
			words = append(words, Bulk(word))
		}
		bytes += string(Array(words...).bytes(2))
	}
	_, err := w.Write([]byte(bytes))
	require.NoError(w.t, err)
}

func (w wire) expect(bytes string) {
	w.t.Helper()
	got := make([]byte, len(bytes))
	count, err := io.ReadFull(w.reader, got)
	require.NoError(w.t, err, "after %q", got[:count])
	require.Equal(w.t, bytes, string(got))
}

func (w wire) expectClosed() {
	w.t.Helper()
	_, err := w.reader.ReadByte()
	require.Error(w.t, err)
	require.NotErrorIs(w.t, err, errTimeout)
}

func (w wire) expectNothing(within time.Duration) {
	w.t.Helper()
	require.NoError(w.t, w.SetReadDeadline(time.Now().Add(within)))
	_, err := w.reader.ReadByte()
	require.ErrorIs(w.t, err, errTimeout)
	require.NoError(w.t, w.SetReadDeadline(time.Now().Add(patience)))
}

var errTimeout = os.ErrDeadlineExceeded

func TestCommandsInOneWriteAreAnsweredInOrder(t *testing.T) {
	n := Start(t)
	n.On("GET a", Late(Bulk("1"), 20*time.Millisecond))
	n.On("GET b", Bulk("2"))
	w := dial(t, n)

	w.send("GET a", "GET b", "PING", "GET a")

	w.expect("$1\r\n1\r\n$1\r\n2\r\n+PONG\r\n$1\r\n1\r\n")
}

func TestRepliesComeOneAfterAnotherAndTheLastRepeats(t *testing.T) {
	n := Start(t)
	n.On("INCR", Err("LOADING soon"), Int(1), Int(2))
	w := dial(t, n)
	w.send("INCR x", "INCR x", "INCR x", "INCR x")
	w.expect("-LOADING soon\r\n:1\r\n:2\r\n:2\r\n")
}

func TestTheRuleWithMostWordsCountsAndANewOneReplacesItsLike(t *testing.T) {
	n := Start(t)
	n.On("GET foo", Bulk("foo"))
	n.On("GET", Bulk("any"))
	w := dial(t, n)
	w.send("get foo", "GET FOO", "GET foobar")
	w.expect("$3\r\nfoo\r\n$3\r\nany\r\n$3\r\nany\r\n")

	n.On("get foo", Bulk("new"))
	w.send("GET foo")
	w.expect("$3\r\nnew\r\n")
}

func TestAFunctionDecidesByTheWords(t *testing.T) {
	n := Start(t)
	n.On("GET", Func(func(words []string) Reply {
		if words[1] == "bad" {
			return Hangup()
		}
		return Bulk(words[1])
	}))
	w := dial(t, n)
	w.send("GET good", "GET bad", "GET good")
	w.expect("$4\r\ngood\r\n")
	w.expectClosed()
}

func TestTheHandshakeIsAnsweredUnlessTheScriptSaysOtherwise(t *testing.T) {
	n := Start(t)
	w := dial(t, n)
	w.send("AUTH user secret", "CLIENT SETNAME me", "CLIENT SETINFO LIB-NAME x", "READONLY", "READWRITE",
		"ASKING", "SELECT 1", "PING", "PING hi", "ECHO hi", "CLIENT ID", "HELLO 4")
	w.expect(strings.Repeat("+OK\r\n", 7) + "+PONG\r\n$2\r\nhi\r\n$2\r\nhi\r\n:1\r\n-NOPROTO unsupported protocol version\r\n")

	w.send("HELLO 3 AUTH user secret SETNAME me")
	w.expect("%7\r\n$6\r\nserver\r\n$6\r\nvalkey\r\n$7\r\nversion\r\n$5\r\n9.1.0\r\n$5\r\nproto\r\n:3\r\n" +
		"$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$7\r\ncluster\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n")
	n.On("GET", Nil())
	w.send("GET foo")
	w.expect("_\r\n")

	n.On("HELLO", Err("LOADING soon"), Usual())
	w.send("HELLO 2", "GET foo", "HELLO 2")
	w.expect("-LOADING soon\r\n_\r\n*14\r\n")
}

func TestCommandsAreRecordedWithTheirConnectionOrderAndTime(t *testing.T) {
	n := Start(t)
	n.Otherwise(Simple("OK"))
	begin := time.Now()
	first, second := dial(t, n), dial(t, n)
	for _, step := range []struct {
		wire    wire
		command string
	}{{first, "SET a 1"}, {second, "ASKING"}, {second, "GET a"}, {first, "get b"}} {
		step.wire.send(step.command)
		step.wire.expect("+OK\r\n")
	}

	assert.Equal(t, [][]string{{"SET", "a", "1"}, {"ASKING"}, {"GET", "a"}, {"get", "b"}}, n.Got())
	assert.Equal(t, [][]string{{"SET", "a", "1"}, {"get", "b"}}, n.GotOn(1))
	assert.Equal(t, [][]string{{"ASKING"}, {"GET", "a"}, {"get", "b"}}, n.Got("GET", "ASKING"))
	assert.Equal(t, [][]string{{"GET", "a"}}, n.GotOn(2, "GET"))
	assert.Equal(t, 2, n.Connections())
	last := begin
	for _, command := range n.Commands() {
		assert.False(t, command.At.Before(last))
		last = command.At
	}
}

func TestSilenceLeavesTheConnectionOpenAndNothingIsAnsweredAfterIt(t *testing.T) {
	n := Start(t)
	n.On("GET", Silence())
	w := dial(t, n)
	w.send("PING", "GET foo", "PING")
	w.expect("+PONG\r\n")
	w.expectNothing(50 * time.Millisecond)
	assert.Equal(t, [][]string{{"PING"}, {"GET", "foo"}, {"PING"}}, n.Got())
	assert.Equal(t, 1, n.OpenConnections())
}

func TestHalfAReplyIsTheFirstHalfOfItsBytes(t *testing.T) {
	n := Start(t)
	n.On("GET", Half(Bulk("123456")))
	w := dial(t, n)
	w.send("GET foo")
	w.expect("$6\r\n12")
	w.expectClosed()
}

func TestAResetIsSeenAsOne(t *testing.T) {
	n := Start(t)
	n.On("GET", Reset())
	w := dial(t, n)
	w.send("GET foo")
	_, err := w.reader.ReadByte()
	assert.ErrorIs(t, err, syscall.ECONNRESET)
}

func TestClosedConnectionsAreGoneAndNewOnesAccepted(t *testing.T) {
	n := Start(t)
	n.On("GET", Late(Bulk("never"), time.Hour))
	w := dial(t, n)
	w.send("PING", "GET foo")
	w.expect("+PONG\r\n")

	n.CloseConnections()

	w.expectClosed()
	assert.Zero(t, n.OpenConnections())
	again := dial(t, n)
	again.send("PING")
	again.expect("+PONG\r\n")
	assert.Equal(t, 2, n.Connections())
}

func TestARefusingNodeKeepsItsConnectionsAndListensAgainOnItsPort(t *testing.T) {
	n := Start(t)
	w := dial(t, n)
	w.send("PING")
	w.expect("+PONG\r\n")

	n.Refuse()
	_, err := net.Dial("tcp", n.Address())
	assert.ErrorIs(t, err, syscall.ECONNREFUSED)
	w.send("PING")
	w.expect("+PONG\r\n")

	require.NoError(t, n.Listen())
	again := dial(t, n)
	again.send("PING")
	again.expect("+PONG\r\n")

	n.Stop()
	again.expectClosed()
	_, err = net.Dial("tcp", n.Address())
	assert.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.NoError(t, n.Listen())
	dial(t, n)
}

func TestWhatIsNoCommandIsAProtocolErrorAndTheEnd(t *testing.T) {
	for sent, complaint := range map[string]string{
		"GET foo\r\n":                "-ERR Protocol error: expected '*', got \"GET foo\"\r\n",
		"*1\r\n+PING\r\n":            "-ERR Protocol error: expected '$', got \"+PING\"\r\n",
		"*-1\r\n":                    "-ERR Protocol error: invalid length \"*-1\"\r\n",
		"*1\r\n$99999999999\r\n":     "-ERR Protocol error: invalid length \"$99999999999\"\r\n",
		"*1\r\n$1\r\nPING\r\n":       "-ERR Protocol error: a string of 1 bytes goes on\r\n",
		"*0\r\n*1\r\n$4\r\nPING\r\n": "+PONG\r\n",
	} {
		w := dial(t, Start(t))
		_, err := w.Write([]byte(sent))
		require.NoError(t, err)
		w.expect(complaint)
	}
}

func TestSlotsTellEndpointsAsTheyAre(t *testing.T) {
	a := Endpoint{Host: Bulk("10.0.0.1"), Port: 7001, ID: "a"}
	reply := Slots(
		Serves(0, 99, a.At(Bulk("")), a.At(Bulk("?"))),
		Serves(100, 100, a.At(Nil()).With("ip", "10.0.0.1")),
	)
	node := "\r\n:7001\r\n$1\r\na\r\n"
	assert.Equal(t, "*2\r\n"+
		"*4\r\n:0\r\n:99\r\n*4\r\n$0\r\n"+node+"%0\r\n*4\r\n$1\r\n?"+node+"%0\r\n"+
		"*3\r\n:100\r\n:100\r\n*4\r\n_"+node+"%1\r\n$2\r\nip\r\n$8\r\n10.0.0.1\r\n", string(reply.bytes(3)))
	assert.Contains(t, string(reply.bytes(2)), "*4\r\n$-1"+node+"*2\r\n$2\r\nip\r\n")
}
