package core

import (
	"crypto/tls"
	"os"
	"sync"
	"time"
)

// certFiles is a client certificate in two files that somebody may replace while the client runs.
type certFiles struct {
	cert, key string
	every     time.Duration // 0: the files are read once

	mu   sync.Mutex
	pair *tls.Certificate
	at   time.Time // when pair was read
}

// read reads the files. The error is an *Error that names the one at fault.
func (f *certFiles) read() error {
	cert, err := os.ReadFile(f.cert)
	if err != nil {
		return NewError(StatusConfig, "client_cert_path: %v", err)
	}
	key, err := os.ReadFile(f.key)
	if err != nil {
		return NewError(StatusConfig, "client_key_path: %v", err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return NewError(StatusConfig, "client_cert_path and client_key_path: %v", err)
	}
	f.pair, f.at = &pair, time.Now()
	return nil
}

// present gives the certificate for a connection. Files that make no pair may be half written: the
// last pair serves, and the next connection looks again.
func (f *certFiles) present(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.every != 0 && time.Since(f.at) >= f.every {
		if err := f.read(); err != nil {
			logf(LogWarn, "the client certificate is not read anew, the last one serves: %v", err)
		}
	}
	return f.pair, nil
}
