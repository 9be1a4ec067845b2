package core

import (
	"crypto/tls"
	"strings"
	"time"

	"libglide/routing"
)

// Config says how a client connects. The zero value of a field is its default.
type Config struct {
	Addresses      []routing.Address // at least one
	Standalone     bool              // the addresses are a primary and its replicas, not a cluster
	RequestTimeout time.Duration     // default 250 ms
	ConnectTimeout time.Duration     // for one connection with its handshake; default 2 s
	InflightLimit  int               // requests at once; default 1000
	// RefreshEvery is the time between looks at the topology without a cause; default 60 s,
	// negative: none.
	RefreshEvery time.Duration
	Username     string // default: the default user, where a password is set
	Password     string
	ClientName   string
	LibraryName  string // for CLIENT SETINFO; default "libglide"
	Database     int
	RESP2        bool
	Nagle        bool // wait for more to send (TCP_NODELAY off)
	TLS          *TLS // nil: plain connections
	// Reads says which node serves a read without a route; Zone is the client's, and is needed by
	// the strategies that prefer a zone and by no others.
	Reads routing.ReadStrategy
	Zone  string
	// AnyZone goes on where no server names its zone: all nodes then are of another one than Zone.
	AnyZone bool

	// ReadOnly refuses every command that may write, and is content with replicas. It is for
	// standalone servers; reads prefer replicas unless Reads says something else.
	ReadOnly bool

	Lazy      bool      // connect with the first request, not when the client is opened
	Backoff   *Backoff  // of connecting to a node that could not be; nil: the default
	FromSeeds bool      // ask Addresses for the topology first, and known nodes where none answers
	Discovery Discovery // of standalone servers
	// AddressMap says where to connect to a node that announces the address on the left.
	AddressMap map[routing.Address]routing.Address
	// Subscriptions are for who makes a subscriber with the client; a client by itself makes none.
	Subscriptions map[ChannelKind][][]byte
	// EventLimit is how many messages may wait for the Take of a subscriber; default 8192.
	EventLimit int
	// Resolve says the same of an address that is not in AddressMap; nil: connect to what nodes
	// announce. It is asked before a connection is made, on any goroutine, and may wait.
	Resolve func(routing.Address) routing.Address

	tls         *tls.Config // what TLS comes to
	credentials *credentials
}

// Version is the release of the library.
const Version = "0.1.0"

func (c Config) withDefaults() (Config, error) {
	if len(c.Addresses) == 0 {
		return c, NewError(StatusConfig, "addresses: at least one is needed")
	}
	for option, name := range map[string]string{"client_name": c.ClientName, "lib_name": c.LibraryName} {
		if strings.ContainsFunc(name, func(r rune) bool { return r < '!' || r > '~' }) {
			return c, NewError(StatusConfig, "%s %q: the server takes printable ASCII without blanks only", option, name)
		}
	}
	if err := checkZone(c.Reads, c.Zone); err != nil {
		return c, err
	}
	switch {
	case !c.ReadOnly:
	case !c.Standalone:
		return c, NewError(StatusConfig, "read_only is for standalone servers; cluster_mode_enabled is set")
	case c.Reads.NeedsZone():
		return c, NewError(StatusConfig, "read_only does not go together with a read_from that prefers a zone")
	case c.Reads == routing.ReadPrimary:
		c.Reads = routing.ReadPreferReplica
	}
	if c.Discovery != DiscoverRoles && !c.Standalone {
		return c, NewError(StatusConfig, "node_discovery_mode is for standalone servers; cluster_mode_enabled is set")
	}
	if c.Backoff == nil {
		c.Backoff = &defaultBackoff
	}
	if err := c.Backoff.check(); err != nil {
		return c, err
	}
	c.credentials = newCredentials(c.Username, c.Password)
	if c.TLS != nil {
		var err error
		if c.tls, err = c.TLS.config(); err != nil {
			return c, err
		}
	}
	if c.RequestTimeout == 0 {
		c.RequestTimeout = 250 * time.Millisecond
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 2 * time.Second
	}
	if c.InflightLimit == 0 {
		c.InflightLimit = 1000
	}
	if c.RefreshEvery == 0 {
		c.RefreshEvery = time.Minute
	}
	if c.LibraryName == "" {
		c.LibraryName = "libglide"
	}
	return c, nil
}

// checkZone refuses a zone that would do nothing, and a strategy that would miss it.
func checkZone(reads routing.ReadStrategy, zone string) error {
	if reads.NeedsZone() == (zone != "") {
		return nil
	}
	return NewError(StatusConfig, "client_az %q: it is needed by the read strategies that prefer a zone, and by no others", zone)
}

// dialled is where the connection to a node's announced address goes.
func (c *Config) dialled(announced routing.Address) routing.Address {
	if address, mapped := c.AddressMap[announced]; mapped {
		return address
	}
	if c.Resolve != nil {
		return c.Resolve(announced)
	}
	return announced
}
