package core

import (
	"net"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

// descriptors calls do with the socket of every open connection of a client.
func descriptors(t *testing.T, client *Client, do func(fd int)) (count int) {
	t.Helper()
	client.links.mu.RLock()
	defer client.links.mu.RUnlock()
	for _, l := range client.links.open {
		l.conns.mu.Lock()
		for c := range l.conns.conns {
			count++
			require.NoError(t, c.raw.Control(func(fd uintptr) { do(int(fd)) }))
		}
		l.conns.mu.Unlock()
	}
	return count
}

func TestEveryConnectionAsksForTCPKeepalive(t *testing.T) {
	client := openFakes(t, fakeCluster(t))
	run(t, client, command("PING"))
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
	require.Equal(t, 3, connections)
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
	f.three.On("READONLY", fakenode.Silence(), fakenode.Simple("OK"))
	run(t, client, command("SET", "foo", "1")) // by the second connection
	require.Len(t, f.three.Got("READONLY"), 2)
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
	f.three.On("GET", fakenode.Func(func([]string) fakenode.Reply {
		arrived.Done()
		<-release
		return fakenode.Bulk("v")
	}))
	client := open(t, Config{RefreshEvery: -1, RequestTimeout: time.Minute}, f.one.Address())
	before := memory()
	var callers sync.WaitGroup
	for range connections {
		callers.Go(func() {
			if _, err := client.Execute(command("GET", "foo")); err != nil {
				t.Error(err)
			}
		})
	}
	arrived.Wait()
	busy := (memory() - before) / connections
	close(release)
	callers.Wait()
	open := statisticsOf(t, client).of(t, f.three).Connections
	require.Equal(t, connections, open)
	idle := (memory() - before) / connections
	t.Logf("memory per connection, the fake node's end included: %d KiB with a request on it, %d KiB idle", busy>>10, idle>>10)
	require.Less(t, busy, int64(maxPerConnection))
	require.Less(t, idle, int64(maxPerConnection))
}
