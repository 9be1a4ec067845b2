package core

import (
	"bytes"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

func TestTheGreetingAndTheHandshakeGoTogether(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	opened := make(chan error, 1)
	go func() {
		_, err := Open(Config{Addresses: []routing.Address{mustParse(listener.Addr().String())}, Username: "me", Password: "secret", ConnectTimeout: 5 * time.Second})
		opened <- err
	}()
	peer, err := listener.Accept()
	require.NoError(t, err)
	require.NoError(t, peer.SetDeadline(time.Now().Add(20*time.Second)))
	var said []byte
	for !bytes.Contains(said, []byte("LIB-VER")) { // and nothing was answered
		part := make([]byte, 4096)
		n, err := peer.Read(part)
		require.NoError(t, err, string(said))
		said = append(said, part[:n]...)
	}
	require.Less(t, bytes.Index(said, []byte("AUTH")), bytes.Index(said, []byte("HELLO")))
	require.NoError(t, peer.Close())
	require.Error(t, <-opened)
}

func TestAnswersToTheGreetingMayComeInParts(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	f.replica.On("READONLY", fakenode.Slowly(fakenode.Simple("OK"), time.Millisecond))
	f.replica.On("GET foo", fakenode.Bulk("v"))
	request := command("GET", "foo").to(routing.Route{Kind: routing.RouteByAddress, Host: f.replica.Address()})
	require.Equal(t, routing.Bulk("v"), run(t, client, request).Value)
	require.Len(t, f.replica.Got("READONLY"), 1)
}

func TestOnlyAConnectionThatWasIdleCountsAsOneThatTheServerHadClosed(t *testing.T) {
	c := &conn{gone: func() bool { return true }}
	for rounds, expected := range map[int]error{1: errServerClosed, 2: errIdleClosed} {
		c.rounds = rounds
		require.Equal(t, expected, c.ready())
	}
}
