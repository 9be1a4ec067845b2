package core

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

// front is a TLS server before a fake node. It asks clients for a certificate of the authority and
// remembers the names that they showed and the server names that they asked for.
type front struct {
	address string

	mu      sync.Mutex
	shown   []string
	servers []string
}

func frontOf(t *testing.T, ca *authority, name string, behind *fakenode.Node) *front {
	cert, key := ca.sign(t, name)
	pair, err := tls.X509KeyPair(cert, key)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca.pem)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.VerifyClientCertIfGiven,
	})
	require.NoError(t, err)
	f := &front{address: listener.Addr().String()}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			outer, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() { f.serve(outer.(*tls.Conn), behind.Address()) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		behind.Stop()
		open.Wait()
	})
	return f
}

func (f *front) serve(outer *tls.Conn, behind string) {
	defer outer.Close()
	if outer.Handshake() != nil {
		return
	}
	f.mu.Lock()
	state := outer.ConnectionState()
	f.servers = append(f.servers, state.ServerName)
	for _, cert := range state.PeerCertificates {
		f.shown = append(f.shown, cert.Subject.CommonName)
	}
	f.mu.Unlock()
	inner, err := net.Dial("tcp", behind)
	if err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(inner, outer)
		inner.Close()
	}()
	_, _ = io.Copy(outer, inner)
	outer.Close()
}

func (f *front) seen() (shown, servers []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.shown...), append([]string(nil), f.servers...)
}

func TestFilesOfACertificateThatWereReplacedServeNewConnections(t *testing.T) {
	ca := newAuthority(t)
	node, _ := fakeGroup(t)
	server := frontOf(t, ca, "node.test", node)
	folder := t.TempDir()
	certPath, keyPath := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	place := func(name string) {
		cert, key := ca.sign(t, name)
		require.NoError(t, os.WriteFile(certPath, cert, 0o600))
		require.NoError(t, os.WriteFile(keyPath, key, 0o600))
	}
	place("first.test")
	config := func(every time.Duration) Config {
		return Config{Standalone: true, RefreshEvery: -1, TLS: &TLS{
			RootCerts: [][]byte{ca.pem}, ServerName: "node.test", ClientCertPath: certPath, ClientKeyPath: keyPath, ReloadEvery: every,
		}}
	}
	reloading, fixed := open(t, config(time.Nanosecond), server.address), open(t, config(0), server.address)
	again := func(client *Client) string {
		client.links.renew(mustParse(server.address))
		run(t, client, command("PING"))
		shown, _ := server.seen()
		return shown[len(shown)-1]
	}
	place("second.test")
	require.Equal(t, "second.test", again(reloading))
	require.Equal(t, "first.test", again(fixed))
	require.NoError(t, os.WriteFile(keyPath, []byte("half a k"), 0o600))
	require.Equal(t, "second.test", again(reloading), "the last good pair serves")
	place("third.test")
	require.Equal(t, "third.test", again(reloading))
}

func TestACertificateIsNotReadAgainBeforeItsTime(t *testing.T) {
	cert, key := newAuthority(t).sign(t, "first.test")
	folder := t.TempDir()
	files := &certFiles{cert: filepath.Join(folder, "cert.pem"), key: filepath.Join(folder, "key.pem"), every: time.Hour}
	require.NoError(t, os.WriteFile(files.cert, cert, 0o600))
	require.NoError(t, os.WriteFile(files.key, key, 0o600))
	require.NoError(t, files.read())
	first := files.pair
	for _, expected := range []bool{true, false} {
		pair, err := files.present(nil)
		require.NoError(t, err)
		require.Equal(t, expected, pair == first)
		files.at = time.Now().Add(-files.every)
	}
}

func TestReadingACertificateAgainNeedsFiles(t *testing.T) {
	cert, key := newAuthority(t).sign(t, "client.test")
	refused := refusedOpen(t, "127.0.0.1:1", &TLS{ClientCert: cert, ClientKey: key, ReloadEvery: time.Second})
	require.Equal(t, StatusConfig, refused.Status)
	require.Contains(t, refused.Message, "cert_reload needs client_cert_path")
}

func TestTheCertificateOfATranslatedNodeIsForItsAnnouncedHost(t *testing.T) {
	ca := newAuthority(t)
	nodes, announced, _ := behindNAT(t)
	mapped := make(map[routing.Address]routing.Address)
	var fronts [2]*front
	names := [2]string{announced[0].Host, "other.test"}
	for i, node := range nodes {
		fronts[i] = frontOf(t, ca, names[i], node)
		mapped[announced[i]] = mustParse(fronts[i].address)
	}
	client := open(t, Config{RefreshEvery: -1, AddressMap: mapped, TLS: &TLS{RootCerts: [][]byte{ca.pem}}}, announced[0].String())
	run(t, client, command("GET", "bar"))
	_, servers := fronts[0].seen()
	require.Contains(t, servers, announced[0].Host)
	request := command("GET", "foo")
	request.Timeout = 300 * time.Millisecond
	require.Contains(t, failure(t, client, request).Message, "certificate for 10.255.255.2")
}
