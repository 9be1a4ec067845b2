package core

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
	"libglide/bindings/conformance/fakenode"
)

func statisticsOf(t *testing.T, client *Client) *Statistics {
	t.Helper()
	statistics, err := client.Statistics()
	require.NoError(t, err)
	return statistics
}

func (s *Statistics) of(t *testing.T, node *fakenode.Node) NodeStatistics {
	t.Helper()
	for _, found := range s.Nodes {
		if found.Node.Address.String() == node.Address() {
			return found
		}
	}
	t.Fatalf("nothing was counted of %s", node.Address())
	return NodeStatistics{}
}

func TestWhatANodeWasSentAndSaidIsCounted(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("GET foo", fakenode.Bulk("v"))
	f.three.On("SET foo", fakenode.Err("OOM command not allowed"))
	f.three.On("GET moved{foo}", moved(12182, f.one))
	f.one.On("GET", fakenode.Bulk("v"))
	before := time.Now()
	client := openFakes(t, f)
	for range 5 {
		run(t, client, command("GET", "foo"))
	}
	failure(t, client, command("SET", "foo", "1"))
	got := statisticsOf(t, client).of(t, f.three)
	require.True(t, got.InTopology)
	require.Equal(t, 1, got.Connections)
	require.EqualValues(t, 1, got.Made)
	require.WithinRange(t, got.ConnectedSince, before, time.Now())
	require.EqualValues(t, 6, got.Requests)
	require.EqualValues(t, 1, got.Errors)
	require.Zero(t, got.Redirects)
	require.Zero(t, got.Failures)
	require.Greater(t, got.BytesSent, uint64(5*len("*2\r\n$3\r\nGET\r\n$3\r\nfoo\r\n")))
	require.Greater(t, got.BytesReceived, uint64(5*len("$1\r\nv\r\n")))
	require.Positive(t, got.Latency)
	require.Equal(t, "OOM command not allowed", got.LastError.Message)
	require.WithinRange(t, got.LastError.At, before, time.Now())
	run(t, client, command("GET", "moved{foo}"))
	require.EqualValues(t, 1, statisticsOf(t, client).of(t, f.three).Redirects)
	require.Equal(t, got.LastError, statisticsOf(t, client).of(t, f.three).LastError, "a redirect is no error")
}

func TestANodeThatIsLostIsCountedAsAFailureAndWhy(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	run(t, client, command("SET", "foo", "1"))
	f.three.On("INCR foo", fakenode.Hangup())
	f.three.Refuse()
	failure(t, client, command("INCR", "foo"))
	lost := statisticsOf(t, client).of(t, f.three)
	require.Zero(t, lost.Connections)
	require.True(t, lost.ConnectedSince.IsZero())
	require.EqualValues(t, 1, lost.Made)
	before := lost.Failures
	require.Positive(t, before)
	hasty := command("SET", "foo", "1")
	hasty.Timeout = 100 * time.Millisecond
	failure(t, client, hasty)
	lost = statisticsOf(t, client).of(t, f.three)
	require.Greater(t, lost.Failures, before)
	require.Contains(t, lost.LastError.Message, "connection refused")
}

func TestCountersOutliveTheConnectionsAndEndWithTheNode(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	run(t, client, command("SET", "foo", "1"))
	client.links.renew(mustParse(f.three.Address()))
	run(t, client, command("SET", "foo", "1"))
	got := statisticsOf(t, client).of(t, f.three)
	require.EqualValues(t, 2, got.Requests)
	require.EqualValues(t, 2, got.Made)
	require.Equal(t, 1, got.Connections)
	for _, node := range []*fakenode.Node{f.one, f.two, f.three, f.replica} {
		node.On("CLUSTER SLOTS", fakenode.Slots(fakenode.Serves(0, 16383, f.one.Endpoint())))
	}
	client.refresh(t.Context())
	client.refresh(t.Context())
	require.Len(t, statisticsOf(t, client).Nodes, 1)
}

func TestRequestsThatRunAndLooksAtTheTopologyAreCounted(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("GET foo", fakenode.Silence())
	client := open(t, Config{RefreshEvery: -1, RequestTimeout: time.Minute}, f.one.Address())
	answered := make(chan error, 1)
	go func() {
		_, err := client.Execute(command("GET", "foo"))
		answered <- err
	}()
	require.Eventually(t, func() bool { return statisticsOf(t, client).Inflight == 1 }, 5*time.Second, time.Millisecond)
	f.three.CloseConnections()
	f.three.On("GET foo", fakenode.Bulk("v"))
	require.NoError(t, <-answered)
	client.refresh(t.Context())
	statistics := statisticsOf(t, client)
	require.Zero(t, statistics.Inflight)
	require.EqualValues(t, 7, statistics.Epoch)
	require.GreaterOrEqual(t, statistics.Refreshes, uint64(2))
	require.GreaterOrEqual(t, statistics.Age, time.Duration(0))
	for _, node := range []*fakenode.Node{f.one, f.two, f.three, f.replica} {
		node.Stop()
	}
	client.refresh(t.Context())
	after := statisticsOf(t, client)
	require.Positive(t, after.FailedRefreshes)
	require.Equal(t, statistics.Refreshes, after.Refreshes)
}

func TestALazyClientHasCountedNothingBeforeItsFirstRequest(t *testing.T) {
	statistics := statisticsOf(t, openLazily(t, fakeCluster(t)))
	require.Empty(t, statistics.Nodes)
	require.Negative(t, statistics.Age)
	require.Zero(t, statistics.Refreshes)
}

func TestTheConfigurationInForceIsToldWithItsDefaultsAndWithoutSecrets(t *testing.T) {
	f := fakeCluster(t)
	cert, key := newAuthority(t).sign(t, "client.test")
	config := Config{
		RequestTimeout: time.Second, Username: "u", Password: "sesame", Lazy: true,
		TLS: &TLS{Insecure: true, ClientCert: cert, ClientKey: key},
	}
	statistics := statisticsOf(t, open(t, config, f.one.Address()))
	require.Equal(t, 2*time.Second, statistics.Config.ConnectTimeout)
	require.Equal(t, 1000, statistics.Config.InflightLimit)
	require.Equal(t, &defaultBackoff, statistics.Config.Backoff)
	require.True(t, statistics.HasPassword)
	require.True(t, statistics.HasClientCertificate)
	printed := fmt.Sprintf("%+v %+v", statistics, statistics.Config.TLS)
	require.NotContains(t, printed, "sesame")
	require.Nil(t, statistics.Config.TLS.ClientKey)
}

func TestAClosedClientHasNoStatistics(t *testing.T) {
	client := openFakes(t, fakeCluster(t))
	client.Close()
	_, err := client.Statistics()
	require.Equal(t, StatusClosed, err.(*Error).Status)
}

func TestEveryNodeOfALiveClusterIsCounted(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	run(t, client, command("CONFIG", "GET", "port").to(byAddress(client.Topology().Nodes()[3].Address.String(), 0)))
	statistics := statisticsOf(t, client)
	require.Equal(t, client.Topology().Epoch, statistics.Epoch)
	for i, node := range client.Topology().Nodes() {
		require.Equal(t, node.Address, statistics.Nodes[i].Node.Address)
	}
	require.EqualValues(t, 1, statistics.Nodes[3].Requests)
}
