package core

import (
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

// endless are pushes that do not stop, in place of a reply.
func endless() fakenode.Reply {
	return fakenode.Slowly(fakenode.Raw(strings.Repeat(">1\r\n+push\r\n", 100_000)), 10*time.Microsecond)
}

func TestEveryCallEndsAtItsDeadlineWhateverTheServerDoes(t *testing.T) {
	value := fakenode.Bulk("a reply of some length")
	for name, fault := range map[string]struct {
		on    string
		reply fakenode.Reply
		sent  bool // nobody looks whether it was where the handshake is half done
	}{
		"never greets":              {"AUTH", fakenode.Silence(), false},
		"never shakes hands":        {"HELLO", fakenode.Silence(), false},
		"never answers":             {"SET foo", fakenode.Silence(), true},
		"answers half":              {"SET foo", fakenode.Raw("$20\r\nhalf of it"), true},
		"answers half a length":     {"SET foo", fakenode.Raw("$2"), true},
		"answers a byte at a time":  {"SET foo", fakenode.Slowly(value, 50*time.Millisecond), true},
		"greets a byte at a time":   {"HELLO", fakenode.Slowly(fakenode.Map(fakenode.Bulk("server"), fakenode.Bulk("valkey")), 50*time.Millisecond), false},
		"pushes and never answers":  {"SET foo", endless(), true},
		"answers after the time":    {"SET foo", fakenode.Late(value, time.Minute), true},
		"half an array, then waits": {"SET foo", fakenode.Raw("*2\r\n:1\r\n"), true},
	} {
		t.Run(name, func(t *testing.T) {
			f := fakeCluster(t)
			f.three.On(fault.on, fault.reply)
			client := open(t, Config{RefreshEvery: -1, RequestTimeout: time.Second, Password: "p"}, f.one.Address())
			request := command("SET", "foo", "1")
			request.Timeout = 200 * time.Millisecond
			late := failure(t, client, request)
			require.Equal(t, StatusTimeout, late.Status, late.Message)
			if fault.on != "HELLO" {
				require.Equal(t, fault.sent, late.Sent, late.Message)
				require.Equal(t, !fault.sent, late.Retryable)
			}
			require.Equal(t, f.three.Address(), late.Node)
			require.LessOrEqual(t, len(f.three.Got("SET")), 1)
			run(t, client, command("SET", "bar", "1"))
		})
	}
}

// deaf is an address that takes no connections and refuses none: its queue is full, so that packets
// are dropped as by a host that is gone.
func deaf(t *testing.T) routing.Address {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, syscall.Close(fd)) })
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, syscall.Listen(fd, 0))
	bound, err := syscall.Getsockname(fd)
	require.NoError(t, err)
	address := "127.0.0.1:" + strconv.Itoa(bound.(*syscall.SockaddrInet4).Port)
	for range 10 {
		conn, err := net.DialTimeout("tcp", address, 200*time.Millisecond)
		if err != nil {
			return mustParse(address)
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	t.Skip("NOT TESTED: the system takes connections beyond the queue")
	return routing.Address{}
}

func TestAHostThatDropsPacketsCostsItsCallersTheirDeadline(t *testing.T) {
	f := fakeCluster(t)
	lost := deaf(t)
	f.say(7, fakenode.Slots(
		fakenode.Serves(0, 10922, f.one.Endpoint()),
		fakenode.Serves(10923, 16383, fakenode.Endpoint{Host: fakenode.Bulk(lost.Host), Port: int(lost.Port), ID: "lost"})))
	client := openFakes(t, f)
	request := command("SET", "foo", "1")
	request.Timeout = 200 * time.Millisecond
	late := failure(t, client, request)
	require.Equal(t, StatusTimeout, late.Status)
	require.False(t, late.Sent)
	require.True(t, late.Retryable)
	run(t, client, command("SET", "bar", "1"))
}

func TestTheDeadlineOfARequestWinsOverThatOfTheClient(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("GET foo", fakenode.Late(fakenode.Bulk("v"), 300*time.Millisecond))
	client := open(t, Config{RefreshEvery: -1, RequestTimeout: 50 * time.Millisecond}, f.one.Address())
	require.Equal(t, StatusTimeout, failure(t, client, command("GET", "foo")).Status)
	patient := command("GET", "foo")
	patient.Timeout = time.Minute
	require.Equal(t, routing.Bulk("v"), run(t, client, patient).Value)
}

func TestAReplyThatComesAByteAtATimeInTimeIsAReply(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("GET foo", fakenode.Slowly(fakenode.Array(fakenode.Bulk("a"), fakenode.Nil(), fakenode.Int(-12)), time.Millisecond))
	client := open(t, Config{RefreshEvery: -1}, f.one.Address())
	require.Equal(t, routing.ArrayOf(routing.Bulk("a"), routing.Value{}, routing.Integer(-12)), run(t, client, command("GET", "foo")).Value)
}

func TestADeadlineThatCutsAnAttemptShortDoesNotHideWhyTheOneBeforeFailed(t *testing.T) {
	f := fakeCluster(t)
	client := open(t, Config{RefreshEvery: -1, RequestTimeout: time.Second, Password: "p"}, f.one.Address())
	f.three.On("AUTH", fakenode.Silence())
	f.three.Refuse()
	time.AfterFunc(50*time.Millisecond, func() { _ = f.three.Listen() })
	request := command("SET", "foo", "1")
	request.Timeout = 300 * time.Millisecond
	refused := failure(t, client, request)
	require.Equal(t, StatusConnection, refused.Status)
	require.Contains(t, refused.Message, "connection refused")
	require.False(t, refused.Sent)
	require.Positive(t, f.three.Connections(), "the last attempt got as far as the node")
}

func TestEveryFailureGivesItsPlaceBack(t *testing.T) {
	f := fakeCluster(t)
	f.two.On("SET test", fakenode.Silence())
	f.one.On("SET bar", fakenode.Err("CLUSTERDOWN x"))
	for word, reply := range map[string]fakenode.Reply{
		"hangup": fakenode.Hangup(), "reset": fakenode.Reset(), "garbage": fakenode.Raw("\x00\x00"), "length": fakenode.Raw("*-9\r\n"),
	} {
		f.three.On("SET {foo}"+word, reply)
	}
	client := open(t, Config{RefreshEvery: -1, RequestTimeout: 100 * time.Millisecond, InflightLimit: 8}, f.one.Address())
	for range 4 {
		var callers sync.WaitGroup
		for _, key := range []string{"test", "bar", "{foo}hangup", "{foo}reset", "{foo}garbage", "{foo}length"} {
			callers.Go(func() {
				if _, err := client.Execute(command("SET", key, "1")); err == nil || err.(*Error).Status == StatusBusy {
					t.Errorf("%s: %v", key, err)
				}
			})
		}
		callers.Go(func() {
			if _, err := client.Execute(command("PING").to(byAddress("10.0.0.1", 1))); err == nil {
				t.Error("there is no such node")
			}
		})
		callers.Wait()
	}
	// All places are free: as many callers as there are places wait for something each.
	pushed := make(barrier)
	f.three.On("BLPOP", pushed.before(fakenode.Array(fakenode.Bulk("foo"), fakenode.Bulk("v"))))
	waiting := crowd(t, client, 8, func(int) *Request { return command("BLPOP", "foo", "0") })
	require.Eventually(t, func() bool { return len(f.three.Got("BLPOP")) == 8 }, 10*time.Second, time.Millisecond)
	require.Equal(t, StatusBusy, failure(t, client, command("GET", "bar")).Status)
	close(pushed)
	waiting.Wait()
	run(t, client, command("GET", "bar"))
}
