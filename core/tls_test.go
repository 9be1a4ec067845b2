package core

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
	"libglide/routing"
)

// authority signs certificates of a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testing.T) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true,
		NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{cert, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// sign makes a certificate for a host name and 127.0.0.1, and its key, in PEM.
func (a *authority) sign(t *testing.T, name string, ips ...net.IP) (cert, key []byte) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, IPAddresses: ips,
		NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &private.PublicKey, a.key)
	require.NoError(t, err)
	privateDER, err := x509.MarshalECPrivateKey(private)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: privateDER})
}

// tlsCluster is three real servers that speak TLS on a port of their own, with certificates for
// 127.0.0.1 and "node.test". They ask clients for a certificate where mutual is set.
func tlsCluster(t *testing.T, ca *authority, mutual bool) []string {
	server := os.Getenv("TLS_SERVER")
	if server == "" {
		server, _ = exec.LookPath("redis-server")
	}
	if server == "" {
		t.Skip("NOT TESTED: no server that speaks TLS; install Debian's redis-server or set TLS_SERVER")
	}
	t.Setenv("VALKEY_SERVER", server)
	folder := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		return path
	}
	cert, key := ca.sign(t, "node.test", net.IPv4(127, 0, 0, 1))
	c := cluster.Run(t, cluster.Options{Replicas: cluster.NoReplicas, TLS: &cluster.TLS{
		Cert: file("cert.pem", cert), Key: file("key.pem", key), CA: file("ca.pem", ca.pem), Mutual: mutual,
	}})
	var addresses []string
	for _, node := range c.Nodes {
		addresses = append(addresses, "127.0.0.1:"+strconv.Itoa(node.TLSPort))
	}
	return addresses
}

func refusedOpen(t *testing.T, address string, tls *TLS) *Error {
	t.Helper()
	_, err := Open(Config{Addresses: []routing.Address{mustParse(address)}, TLS: tls})
	var refused *Error
	require.ErrorAs(t, err, &refused)
	return refused
}

func TestEveryConnectionOfAClusterIsEncryptedAndItsServerKnown(t *testing.T) {
	ca := newAuthority(t)
	addresses := tlsCluster(t, ca, false)
	secure := &TLS{RootCerts: [][]byte{ca.pem}}
	topology := open(t, Config{TLS: secure}, addresses[0]).Topology()
	for _, address := range addresses {
		require.NotNil(t, topology.Find(mustParse(address)), "a port without TLS was named")
	}
	for _, tls := range []*TLS{secure, {Insecure: true}, {RootCerts: [][]byte{ca.pem}, ServerName: "node.test"}} {
		client := open(t, Config{TLS: tls}, addresses[0])
		run(t, client, command("MSET", "foo", "1", "bar", "2", "b", "3"))
		require.Len(t, run(t, client, command("KEYS", "*")).Outcomes, 3)
	}
	require.Contains(t, refusedOpen(t, addresses[0], &TLS{}).Message, "unknown authority")
	require.Contains(t, refusedOpen(t, addresses[0], &TLS{RootCerts: [][]byte{newAuthority(t).pem}}).Message, "unknown authority")
	require.Contains(t, refusedOpen(t, addresses[0], &TLS{RootCerts: [][]byte{ca.pem}, ServerName: "other.test"}).Message, "not other.test")
	plain := refusedOpen(t, addresses[0], nil)
	require.Equal(t, StatusConnection, plain.Status)
}

func TestMessagesComeOverTLS(t *testing.T) {
	ca := newAuthority(t)
	client := open(t, Config{TLS: &TLS{RootCerts: [][]byte{ca.pem}}}, tlsCluster(t, ca, false)[0])
	l := listen(t, client, SubscriberConfig{PingEvery: 5 * time.Millisecond})
	l.join(Sharded, shardKeys[:]...)
	for i := range 100 {
		publish(t, client, "SPUBLISH", "foo", strconv.Itoa(i))
	}
	l.await("all messages", func() bool { return len(l.payloads(Sharded)) == 100 })
	require.Empty(t, l.seen(EventLost))
}

func TestAServerThatAsksForACertificateGetsTheClients(t *testing.T) {
	ca := newAuthority(t)
	address := tlsCluster(t, ca, true)[0]
	cert, key := ca.sign(t, "client.test")
	folder := t.TempDir()
	certPath, keyPath := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	require.NoError(t, os.WriteFile(certPath, cert, 0o600))
	require.NoError(t, os.WriteFile(keyPath, key, 0o600))
	for _, tls := range []*TLS{
		{RootCerts: [][]byte{ca.pem}, ClientCert: cert, ClientKey: key},
		{RootCerts: [][]byte{ca.pem}, ClientCertPath: certPath, ClientKeyPath: keyPath},
	} {
		run(t, open(t, Config{TLS: tls}, address), command("CLUSTER", "MYID"))
	}
	// The server says why and hangs up; the hang-up may overtake what it said.
	require.Regexp(t, "certificate required|reset by peer|broken pipe|closed it", refusedOpen(t, address, &TLS{RootCerts: [][]byte{ca.pem}}).Message)
}

func TestTLSMaterialThatIsNoneIsRefusedByName(t *testing.T) {
	cert, key := newAuthority(t).sign(t, "client.test")
	other, _ := newAuthority(t).sign(t, "client.test")
	for message, tls := range map[string]*TLS{
		"root_certs[1] holds no certificate":                 {RootCerts: [][]byte{cert, []byte("x")}},
		"client_cert and client_key go together":             {ClientCert: cert},
		"client_cert_path and client_key_path go together":   {ClientKeyPath: "x"},
		"client_cert and client_cert_path are both set":      {ClientCert: cert, ClientKey: key, ClientCertPath: "x", ClientKeyPath: "x"},
		"client_cert_path: open /nowhere: no such file":      {ClientCertPath: "/nowhere", ClientKeyPath: "/nowhere"},
		"client_cert and client_key: tls: private key does":  {ClientCert: other, ClientKey: key},
		"root_certs: with insecure TLS no certificate is ch": {Insecure: true, RootCerts: [][]byte{cert}},
	} {
		refused := refusedOpen(t, "127.0.0.1:1", tls)
		require.Equal(t, StatusConfig, refused.Status)
		require.Contains(t, refused.Message, message)
	}
}
