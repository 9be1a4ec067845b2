package core

import (
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

// descriptors calls do with the socket of every open connection of a client.
func descriptors(t *testing.T, client *Client, do func(fd int)) (count int) {
	t.Helper()
	client.links.mu.RLock()
	defer client.links.mu.RUnlock()
	look := func(w *wire) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.conn == nil {
			return
		}
		count++
		if w.conn.direct != nil {
			do(w.conn.direct.fd)
			return
		}
		raw, err := w.conn.Conn.(syscall.Conn).SyscallConn()
		require.NoError(t, err)
		require.NoError(t, raw.Control(func(fd uintptr) { do(int(fd)) }))
	}
	for _, p := range client.links.peers {
		for _, l := range p.links {
			if l == nil {
				continue
			}
			l.mu.Lock()
			for w := range l.wires {
				look(w)
			}
			l.mu.Unlock()
			look(l.lane.wire)
		}
	}
	return count
}

func TestEveryConnectionAsksForTCPKeepalive(t *testing.T) {
	client := openFakes(t, fakeCluster(t))
	run(t, client, command("PING"))
	run(t, client, command("BLPOP", "foo", "1")) // over a connection of its own
	connections := descriptors(t, client, func(fd int) {
		for _, option := range []struct{ level, name, expected int }{
			{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, 15},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, 5},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, 3},
		} {
			value, err := syscall.GetsockoptInt(fd, option.level, option.name)
			require.NoError(t, err)
			require.Equal(t, option.expected, value, "option %d", option.name)
		}
	})
	require.Equal(t, 4, connections)
}

func TestNoDelayIsOnUnlessItIsTurnedOff(t *testing.T) {
	for nagle, expected := range map[bool]int{false: 1, true: 0} {
		client := open(t, Config{RefreshEvery: -1, Nagle: nagle}, fakeCluster(t).one.Address())
		descriptors(t, client, func(fd int) {
			value, err := syscall.GetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY)
			require.NoError(t, err)
			require.Equal(t, expected, value)
		})
	}
}

// silent is an address that takes connections and never says anything.
func silent(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	return listener.Addr().String()
}

func TestConnectingEndsAtTheConnectTimeout(t *testing.T) {
	began := time.Now()
	_, err := Open(Config{ConnectTimeout: 300 * time.Millisecond, Addresses: []routing.Address{mustParse(silent(t))}})
	require.Equal(t, StatusTimeout, err.(*Error).Status)
	require.GreaterOrEqual(t, time.Since(began), 300*time.Millisecond)
	require.Less(t, time.Since(began), 5*time.Second)
}

func TestAConnectionThatIsNotMadeByTheConnectTimeoutIsGivenUpBeforeTheRequests(t *testing.T) {
	f := fakeCluster(t)
	client := open(t, Config{RefreshEvery: -1, ConnectTimeout: 200 * time.Millisecond, RequestTimeout: time.Minute}, f.one.Address())
	f.three.On("HELLO", fakenode.Silence(), fakenode.Usual())
	run(t, client, command("SET", "foo", "1")) // by the second connection
	require.Len(t, f.three.Got("HELLO"), 2)
	require.Contains(t, statisticsOf(t, client).of(t, f.three).LastError.Message, "i/o timeout")
}

func TestARequestEndsAtItsOwnTimeoutElseAtTheClients(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("GET foo", fakenode.Silence())
	client := open(t, Config{RefreshEvery: -1, RequestTimeout: 200 * time.Millisecond}, f.one.Address())
	for _, timeout := range []time.Duration{0, 500 * time.Millisecond} {
		request := command("GET", "foo")
		request.Timeout = timeout
		began := time.Now()
		require.Equal(t, StatusTimeout, failure(t, client, request).Status)
		require.GreaterOrEqual(t, time.Since(began), max(timeout, 200*time.Millisecond))
	}
}

// maxPerConnection is what a connection may take of the process, buffers of the kernel aside.
const maxPerConnection = 256 << 10

// memory is what the heap and the stacks hold after a collection.
func memory() int64 {
	runtime.GC()
	runtime.GC() // finalizers of the first free what the second counts
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc + stats.StackInuse)
}

func TestAConnectionTakesLessThan256KiB(t *testing.T) {
	const connections = 300
	f := fakeCluster(t)
	var arrived sync.WaitGroup
	arrived.Add(connections)
	release := make(chan struct{})
	f.three.On("BLPOP", fakenode.Func(func([]string) fakenode.Reply {
		arrived.Done()
		<-release
		return fakenode.Nil()
	}))
	client := open(t, Config{RefreshEvery: -1}, f.one.Address())
	before := memory()
	var callers sync.WaitGroup
	for range connections {
		callers.Go(func() {
			if _, err := client.Execute(command("BLPOP", "foo", "0")); err != nil {
				t.Error(err)
			}
		})
	}
	arrived.Wait()
	require.Equal(t, connections, statisticsOf(t, client).of(t, f.three).Connections)
	each := (memory() - before) / connections
	close(release)
	callers.Wait()
	t.Logf("memory of a connection with a request on it, the fake node's end included: %d KiB", each>>10)
	require.Less(t, each, int64(maxPerConnection))
}

func TestTheSharedConnectionOfANodeTakesLessThan256KiB(t *testing.T) {
	const nodes = 100
	fakes := make([]*fakenode.Node, nodes)
	ranges := make([]fakenode.Range, nodes)
	for i := range fakes {
		fakes[i] = fakenode.Start(t)
		ranges[i] = fakenode.Serves(i, i, fakes[i].Endpoint())
	}
	fakes[0].On("CLUSTER SLOTS", fakenode.Slots(ranges...))
	fakes[0].On("CLUSTER INFO", fakenode.Bulk("cluster_current_epoch:7\r\n"))
	client := open(t, Config{RefreshEvery: -1}, fakes[0].Address())
	before := memory()
	run(t, client, command("PING"))
	each := (memory() - before) / (nodes - 1)
	t.Logf("memory of a node with its shared connection, the fake node's end included: %d KiB", each>>10)
	require.Less(t, each, int64(maxPerConnection))
}

func openFiles(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(entries)
}

// Who wanted the connection has left by the time it stands, and nobody has come since.
func TestAConnectionThatNoRequestHasUsedYetIsClosedWithTheClient(t *testing.T) {
	f := fakeCluster(t)
	before := openFiles(t)
	client := openFakes(t, f)
	f.three.On("HELLO", fakenode.Late(fakenode.Usual(), 300*time.Millisecond))
	request := command("GET", "foo")
	request.Timeout = 100 * time.Millisecond
	require.Equal(t, StatusTimeout, failure(t, client, request).Status)
	patience := time.Now().Add(10 * time.Second)
	for statisticsOf(t, client).of(t, f.three).Connections == 0 && time.Now().Before(patience) {
		time.Sleep(10 * time.Millisecond)
	}
	require.Equal(t, 1, statisticsOf(t, client).of(t, f.three).Connections)
	client.Close()
	for openFiles(t) > before && time.Now().Before(patience) { // the fake nodes' ends close too
		time.Sleep(10 * time.Millisecond)
	}
	require.LessOrEqual(t, openFiles(t), before)
}

// Of the addresses that are asked at once most answer when it is not wanted any more.
func TestClientsThatWereOpenedAndClosedLeaveNothing(t *testing.T) {
	const clients = 200
	var addresses []routing.Address
	for _, node := range cluster.Shared(t) {
		addresses = append(addresses, mustParse(node))
	}
	openUseAndClose := func() {
		for range clients {
			client, err := Open(Config{RequestTimeout: 5 * time.Second, Addresses: addresses})
			require.NoError(t, err)
			run(t, client, command("PING"))
			client.Close()
		}
	}
	files, goroutines := openFiles(t), runtime.NumGoroutine()
	openUseAndClose() // what is kept for those that come is kept from here on
	before := memory()
	openUseAndClose()
	patience := time.Now().Add(10 * time.Second) // goroutines end a moment after their client
	for (runtime.NumGoroutine() > goroutines || openFiles(t) > files) && time.Now().Before(patience) {
		time.Sleep(10 * time.Millisecond)
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), goroutines, "goroutines")
	require.LessOrEqual(t, openFiles(t), files, "descriptors")
	each := (memory() - before) / clients
	t.Logf("memory that each client has left: %d bytes", each)
	require.Less(t, each, int64(4<<10), "bytes of each client")
}
