package core

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

func (f *fakes) all() []*fakenode.Node { return []*fakenode.Node{f.one, f.two, f.three, f.replica} }

// looks is how often the node was asked for its view that was asked most.
func (f *fakes) looks() (most int) {
	for _, node := range f.all() {
		most = max(most, len(node.Got("CLUSTER SLOTS")))
	}
	return most
}

// say has all nodes give a view of an epoch.
func (f *fakes) say(epoch int, view fakenode.Reply) {
	for _, node := range f.all() {
		node.On("CLUSTER SLOTS", view)
		node.On("CLUSTER INFO", fakenode.Bulk("cluster_current_epoch:"+strconv.Itoa(epoch)+"\r\n"))
	}
}

func TestALookAtTheTopologyHoldsUpNoRequest(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	release := make(chan struct{})
	view := fakenode.Slots(fakenode.Serves(0, 16383, f.two.Endpoint()))
	f.say(8, fakenode.Func(func([]string) fakenode.Reply {
		<-release
		return view
	}))
	before := f.looks()
	f.three.On("GET foo", moved(12182, f.two))
	run(t, client, command("GET", "foo"))
	require.Eventually(t, func() bool { return f.looks() > before }, 5*time.Second, time.Millisecond)
	for i := range 100 {
		run(t, client, command("SET", "key"+strconv.Itoa(i), "v"))
	}
	require.EqualValues(t, 7, client.Topology().Epoch, "the look has ended, so nothing was shown")
	close(release)
	require.Eventually(t, func() bool { return client.Topology().Epoch == 8 }, 5*time.Second, time.Millisecond)
}

func TestAStormOfRedirectsCostsFewLooks(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	for _, node := range []*fakenode.Node{f.one, f.three} {
		node.On("GET", fakenode.Func(func(words []string) fakenode.Reply {
			return moved(int(routing.SlotOf([]byte(words[1]))), f.two)
		}))
	}
	began, before := time.Now(), f.looks()
	for i := range 500 {
		run(t, client, command("GET", "key"+strconv.Itoa(i)))
	}
	require.Greater(t, len(f.one.Got("GET"))+len(f.three.Got("GET")), 200, "redirects")
	require.LessOrEqual(t, f.looks()-before, int(time.Since(began)/(movedFloor*3/4))+1)
}

func TestALastingOutageIsLookedAtEverMoreSeldom(t *testing.T) {
	var p pace
	began := time.Now()
	now, count := began, 0
	for now.Sub(began) < time.Minute {
		p.asked(now, ofTrouble) // somebody always asks
		require.LessOrEqual(t, p.next().Sub(now), max(refreshFloor, min(now.Sub(began)/refreshShare, refreshCeiling)*5/4))
		now = later(now, p.next())
		p.looked(now, false)
		count++
		if now.Sub(began) < time.Second {
			require.LessOrEqual(t, p.next().Sub(now), 2*refreshFloor, "a short outage is noticed at once")
		}
	}
	require.Less(t, count, 120) // of the 600 that the floor allows
	p.looked(now, true)
	require.Equal(t, refreshFloor, p.next().Sub(now), "what is new may be followed by more")
	p.looked(now.Add(time.Hour), false)
	require.Equal(t, refreshFloor, p.next().Sub(now.Add(time.Hour)), "a look without a cause is no trouble")
	p.asked(now.Add(2*time.Hour), ofTrouble)
	p.looked(now.Add(2*time.Hour), false)
	require.Equal(t, refreshFloor, p.next().Sub(now.Add(2*time.Hour)), "new trouble begins anew")
}

func TestAStormOfRedirectsThatTeachNothingIsLookedAtEverMoreSeldom(t *testing.T) {
	var p pace
	began := time.Now()
	now, count := began, 0
	p.asked(now, ofMoved)
	require.Zero(t, p.earliest[ofMoved], "the first one has its look at once")
	for now.Sub(began) < 2*time.Minute {
		p.asked(now, ofMoved)
		now = later(now, p.earliest[ofMoved])
		p.looked(now, false)
		require.Equal(t, now.Add(refreshFloor), p.next(), "who has trouble waits for no storm")
		count++
	}
	require.Less(t, count, 20)
	p.looked(now, true)
	require.LessOrEqual(t, p.earliest[ofMoved].Sub(now), movedFloor*5/4, "what is new may be followed by more")
	p.looked(now, false)
	p.asked(now.Add(time.Hour), ofMoved)
	require.False(t, p.earliest[ofMoved].After(now.Add(time.Hour)), "a new storm begins anew")
}

func TestACauseThatComesDuringALookHasALookOfItsOwn(t *testing.T) {
	var p pace
	now := time.Now()
	require.Nil(t, p.due(now), "nobody asked")
	p.asked(now, ofMoved)
	require.NotNil(t, p.due(now))
	p.begins()
	require.Nil(t, p.due(now))
	p.asked(now, ofTrouble)
	p.looked(now, true)
	require.NotNil(t, p.due(now))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func TestALookWithoutACauseFindsWhatIsNew(t *testing.T) {
	f := fakeCluster(t)
	client := open(t, Config{RefreshEvery: 20 * time.Millisecond}, f.one.Address())
	f.say(8, fakenode.Slots(fakenode.Serves(0, 16383, f.two.Endpoint())))
	require.Eventually(t, func() bool { return client.Topology().Owner(0).Primary.Address.String() == f.two.Address() }, 5*time.Second, time.Millisecond)
}

func TestWhatAMovedTaughtIsNotUndoneByAViewThatDoesNotKnowYet(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("GET foo", moved(12182, f.two))
	client := openFakes(t, f)
	run(t, client, command("GET", "foo"))
	client.refresh(t.Context())
	require.Equal(t, f.two.Address(), client.Topology().Owner(12182).Primary.Address.String())
	client.topology.mu.Lock()
	client.topology.taught = time.Now().Add(-trust)
	client.topology.mu.Unlock()
	client.refresh(t.Context())
	require.Equal(t, f.three.Address(), client.Topology().Owner(12182).Primary.Address.String(), "all nodes still say so")
}

func TestServersThatRefuseToShowTheTopologyAreNamedWhereItMatters(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	for _, node := range f.all() {
		node.On("CLUSTER SLOTS", fakenode.Err("NOPERM User app has no permissions to run the 'cluster|slots' command"))
	}
	unknown := failure(t, client, command("PING").to(byAddress("127.0.0.1", 1)))
	require.Equal(t, StatusRoute, unknown.Status)
	require.Contains(t, unknown.Message, "NOPERM User app")
	f.three.Stop()
	refused := failure(t, client, command("SET", "foo", "1"))
	require.Equal(t, StatusConnection, refused.Status)
	require.Contains(t, refused.Message, "connection refused")
	require.Contains(t, refused.Message, "NOPERM User app")
	run(t, client, command("SET", "bar", "1"))
}

// nameServer is one that knows one name.
type nameServer struct{ address atomic.Pointer[net.IP] }

// resolveBy has the process ask a name server for the time of a test.
func resolveBy(t *testing.T, n *nameServer) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	go n.serve(server)
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = before
		require.NoError(t, server.Close())
	})
}

func (n *nameServer) serve(server net.PacketConn) {
	buf := make([]byte, 512)
	for {
		size, from, err := server.ReadFrom(buf)
		if err != nil {
			return
		}
		_, _ = server.WriteTo(n.answer(buf[:size]), from)
	}
}

// answer gives the address to a question for one (RFC 1035, section 4), and none to others.
func (n *nameServer) answer(query []byte) []byte {
	end := 12
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	question := query[12 : end+5]
	wantsIPv4 := binary.BigEndian.Uint16(query[end+1:]) == 1
	answers := byte(0)
	var record []byte
	if wantsIPv4 {
		answers = 1
		record = append([]byte{0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4}, n.address.Load().To4()...)
	}
	header := []byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, answers, 0, 0, 0, 0}
	return append(append(header, question...), record...)
}

// forward hands connections at an address on to a node.
func forward(t *testing.T, address string, to *fakenode.Node) {
	listener, err := net.Listen("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to.Address())
			if err != nil {
				_ = in.Close()
				continue
			}
			for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
				go func() {
					_, _ = io.Copy(pair[0], pair[1])
					_ = pair[0].Close()
				}()
			}
		}
	}()
}

func TestWhereAllNodesAreGoneTheSeedsAreResolvedAnew(t *testing.T) {
	f, moved := fakeCluster(t), fakenode.Start(t)
	n := new(nameServer)
	n.address.Store(&net.IP{127, 0, 0, 1})
	resolveBy(t, n)
	seed := "seed.test:" + strconv.Itoa(f.one.Port())
	client := open(t, Config{RefreshEvery: -1, RequestTimeout: time.Second}, seed)
	run(t, client, command("SET", "foo", "1"))
	// The whole cluster moves to another address, under the name that it had.
	moved.On("CLUSTER SLOTS", fakenode.Slots(fakenode.Serves(0, 16383, moved.Endpoint())))
	moved.On("CLUSTER INFO", fakenode.Bulk("cluster_current_epoch:8\r\n"))
	moved.Otherwise(fakenode.Simple("OK"))
	forward(t, "127.0.0.2:"+strings.TrimPrefix(seed, "seed.test:"), moved)
	for _, node := range f.all() {
		node.Stop()
	}
	n.address.Store(&net.IP{127, 0, 0, 2})
	require.Eventually(t, func() bool {
		_, err := client.Execute(command("SET", "foo", "2"))
		return err == nil
	}, 20*time.Second, time.Millisecond)
	require.NotEmpty(t, moved.Got("SET foo 2"))
}
