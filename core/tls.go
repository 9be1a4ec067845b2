package core

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"time"
)

// TLS says how connections are encrypted.
type TLS struct {
	Insecure   bool     // take any certificate of the server
	ServerName string   // that the certificate must be for; default: the host of each node
	RootCerts  [][]byte // PEM bundles that take the place of the system's roots
	// A certificate of the client's own: PEM, or the paths of files with it.
	ClientCert, ClientKey         []byte
	ClientCertPath, ClientKeyPath string
	// ReloadEvery has the files read again for a connection that is made so long after they were
	// read; 0: never.
	ReloadEvery time.Duration
}

// config checks t and makes the form that connections take. The error is an *Error.
func (t *TLS) config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: t.Insecure, ServerName: t.ServerName}
	if len(t.RootCerts) > 0 {
		if t.Insecure {
			return nil, NewError(StatusConfig, "root_certs: with insecure TLS no certificate is checked against them")
		}
		config.RootCAs = x509.NewCertPool()
		for i, bundle := range t.RootCerts {
			if !config.RootCAs.AppendCertsFromPEM(bundle) {
				return nil, NewError(StatusConfig, "root_certs[%d] holds no certificate in PEM form", i)
			}
		}
	}
	cert, key := t.ClientCert, t.ClientKey
	switch {
	case (t.ClientCertPath == "") != (t.ClientKeyPath == ""):
		return nil, NewError(StatusConfig, "client_cert_path and client_key_path go together")
	case (len(cert) == 0) != (len(key) == 0):
		return nil, NewError(StatusConfig, "client_cert and client_key go together")
	case t.ClientCertPath != "" && len(cert) > 0:
		return nil, NewError(StatusConfig, "client_cert and client_cert_path are both set")
	case t.ReloadEvery != 0 && t.ClientCertPath == "":
		return nil, NewError(StatusConfig, "cert_reload needs client_cert_path and client_key_path")
	case t.ClientCertPath != "":
		files := &certFiles{cert: t.ClientCertPath, key: t.ClientKeyPath, every: t.ReloadEvery}
		if err := files.read(); err != nil {
			return nil, err
		}
		config.GetClientCertificate = files.present
		return config, nil
	case len(cert) == 0:
		return config, nil
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, NewError(StatusConfig, "client_cert and client_key: %v", err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

// secure puts TLS over a connection to the link's node.
func (l *link) secure(ctx context.Context, raw net.Conn) (net.Conn, error) {
	config := l.config.tls
	if config == nil {
		return raw, nil
	}
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName = l.endpoint.Host
	}
	secured := tls.Client(raw, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS handshake: %w", err)
	}
	return secured, nil
}
