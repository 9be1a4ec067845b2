package cluster

import (
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/valkey-io/valkey-go"
)

// admin is the connection that Node.Do uses, made when it is first needed. It has a lock of its
// own: making it takes a while where the server is paused, and Continue must not wait for that.
type admin struct {
	mu     sync.Mutex
	client valkey.Client
}

func (a *admin) connect(host string, port int, password string) (valkey.Client, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.client != nil {
		return a.client, nil
	}
	option := valkey.ClientOption{
		InitAddress:         []string{net.JoinHostPort(host, strconv.Itoa(port))},
		Password:            password,
		ClientName:          "cluster-admin", // so that CLIENT LIST tells it from those under test
		ForceSingleClient:   true,
		DisableCache:        true,
		DisableRetry:        true,
		PipelineMultiplex:   -1, // one connection
		RingScaleEachConn:   4,
		ReadBufferEachConn:  1 << 14,
		WriteBufferEachConn: 1 << 14,
	}
	option.Dialer.Timeout = 2 * time.Second
	client, err := valkey.NewClient(option)
	if err == nil {
		a.client = client
	}
	return client, err
}

// close drops the connection; the next connect makes a new one.
func (a *admin) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.client != nil {
		a.client.Close()
		a.client = nil
	}
}
