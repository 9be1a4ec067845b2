package cluster

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are taken from below those that the system gives to outgoing connections (32768 and up
// on Linux, 49152 on macOS): a port of those may be gone again before the server binds it, or
// while the server is down in a test. Ports and bus ports do not overlap either.
const (
	firstPort = 10000
	lastPort  = 19999
	busOffset = 10000 // what a server adds to its port for the cluster bus
)

// freePort returns a port that was free a moment ago, and so was its bus port. Whoever starts a
// server there must still expect to lose the race for it.
func freePort(host string) (int, error) {
	var err error
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		if err = bindable(host, port); err != nil {
			continue
		}
		if err = bindable(host, port+busOffset); err == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port on %s in %d..%d: %w", host, firstPort, lastPort, err)
}

func bindable(host string, port int) error {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return listener.Close()
}
