package suite

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"libglide/bindings/conformance/fakenode"
)

const (
	loopback = "127.0.0.1"
	maxPort  = 65535
)

// world is the fake nodes that a client of a vector meets. The vector's addresses (h:7003) stand
// for those of the fake nodes: calls and scripted replies are translated on their way to the
// driver, its answers on their way back.
type world struct {
	trial    *trial
	topology *Topology
	script   *script
	nodes    []*node
	aliases  map[string]*node  // by every address that the vector has for it
	back     *strings.Replacer // undoes the translation of answers
	opened   time.Time         // what came before is not of the request
	client   bool
}

// node is one fake node.
type node struct {
	name    string // as the vector calls it
	ip      string // as the vector calls its IP, where its name is another
	fake    *fakenode.Node
	mark    int // commands that it had got before the request
	refused bool
}

// host is the name that the node has in its cluster.
func (n *node) host() string {
	if n.ip == "" {
		return loopback
	}
	host, _ := splitAddress(n.name)
	return host
}

func (n *node) real() string { return joinAddress(n.host(), n.fake.Port()) }

// ports are those of fake nodes. A closed one stays taken: another node there would be met in its
// stead.
var ports struct {
	sync.Mutex
	taken map[int]bool
}

func listen() (*fakenode.Node, error) {
	for {
		fake, err := fakenode.Listen()
		if err != nil {
			return nil, err
		}
		ports.Lock()
		if ports.taken == nil {
			ports.taken = make(map[int]bool)
		}
		free := !ports.taken[fake.Port()]
		ports.taken[fake.Port()] = true
		ports.Unlock()
		if free {
			return fake, nil
		}
		fake.Stop()
	}
}

// build starts a fake node for each address of the topology and for each that the vector names
// elsewhere.
func (t *trial) build(topology *Topology, script *script) *world {
	w := &world{trial: t, topology: topology, script: script, aliases: make(map[string]*node)}
	script.world = w
	names, _ := get[map[string]string](t, t.state, "ip") // of nodes that are known by a host name
	for _, address := range topology.nodes() {
		w.add(w.renamed(address, names))
	}
	for name, ip := range names {
		n := w.aliases[name]
		if n == nil {
			t.misread("state.ip", name)
			continue
		}
		if host, port := splitAddress(name); host != ip {
			n.ip = ip
			w.aliases[joinAddress(ip, port)] = n
		}
	}
	for _, address := range script.addresses() {
		w.add(address)
	}
	for _, name := range []string{"sends", "one_of", "steps", "error"} {
		for _, address := range addressesIn(string(t.expect.raw[name])) {
			w.add(address)
		}
	}
	if r, has := get[route](t, t.request, "route"); has && r.Type == "address" {
		if r.Port > 0 && r.Port <= maxPort {
			w.add(joinAddress(r.Host, r.Port))
		} else if r.Port == 0 {
			w.add(r.Host)
		}
	}
	w.startTranslation()
	return w
}

// renamed is the address of a node that is known by a host name: its port says which one it is.
func (w *world) renamed(address string, names map[string]string) string {
	_, port := splitAddress(address)
	for name := range names {
		if _, other := splitAddress(name); other == port {
			w.topology = w.topology.renamed(address, name)
			return name
		}
	}
	return address
}

func (w *world) add(address string) *node {
	if n := w.aliases[address]; n != nil {
		return n
	}
	fake, err := listen()
	if err != nil {
		w.trial.differ("fake node "+address, "a free port", err)
		return nil
	}
	n := &node{name: address, fake: fake}
	w.nodes = append(w.nodes, n)
	w.aliases[address] = n
	return n
}

// startTranslation prepares answers to be read in the vector's addresses, and the nodes to give
// theirs.
func (w *world) startTranslation() {
	var pairs, back []string
	for _, n := range w.nodes {
		pairs = append(pairs, n.real(), n.name)
		back = append(back, n.name, n.real())
		if n.ip != "" {
			_, port := splitAddress(n.name)
			pairs = append(pairs, joinAddress(loopback, n.fake.Port()), joinAddress(n.ip, port))
		}
	}
	w.trial.rename = strings.NewReplacer(pairs...)
	w.back = strings.NewReplacer(back...)
	for _, n := range w.nodes {
		w.tell(n, w.topology)
		w.script.serve(n)
	}
}

// tell has a node answer with a topology when it is asked for its own.
func (w *world) tell(n *node, topology *Topology) {
	if topology.Standalone {
		disabled := fakenode.Err("ERR This instance has cluster support disabled")
		n.fake.On("CLUSTER SLOTS", disabled)
		n.fake.On("CLUSTER INFO", disabled)
		role := "slave"
		if n.name == topology.Primary {
			role = "master"
		}
		n.fake.On("ROLE", fakenode.Array(fakenode.Bulk(role)))
		return
	}
	n.fake.On("CLUSTER SLOTS", w.slots(topology))
	n.fake.On("CLUSTER INFO", fakenode.Bulk("cluster_state:ok\r\ncluster_current_epoch:1\r\ncluster_my_epoch:1\r\n"))
	var owned []string
	for _, held := range topology.Ranges {
		if held.Primary == n.name {
			owned = append(owned, fmt.Sprintf("%d-%d", held.Start, held.End))
		}
	}
	n.fake.On("CLUSTER NODES", n.fake.Standing(owned...))
}

func (w *world) slots(topology *Topology) fakenode.Value {
	var ranges []fakenode.Range
	for _, held := range topology.Ranges {
		primary := w.endpoint(held.Primary, topology)
		var replicas []fakenode.Endpoint
		for _, replica := range held.Replicas {
			replicas = append(replicas, w.endpoint(replica, topology))
		}
		ranges = append(ranges, fakenode.Serves(held.Start, held.End, primary, replicas...))
	}
	return fakenode.Slots(ranges...)
}

func (w *world) endpoint(address string, topology *Topology) fakenode.Endpoint {
	n := w.add(address)
	var metadata []string
	if n.ip != "" {
		metadata = append(metadata, "hostname", n.host())
	}
	if zone := topology.Zones[address]; zone != "" {
		metadata = append(metadata, "availability-zone", zone)
	}
	return n.fake.Endpoint().With(metadata...)
}

// real is the address behind one of the vector's.
func (w *world) real(address string) string {
	if n := w.aliases[address]; n != nil {
		host, _ := splitAddress(address)
		if n.ip != "" && host == n.host() {
			return n.real()
		}
		return joinAddress(loopback, n.fake.Port())
	}
	return address
}

// tellAll has every node of the world answer with a topology.
func (w *world) tellAll(topology *Topology) {
	for _, n := range w.nodes {
		w.tell(n, topology)
	}
}

// close ends the client first, so that it never meets what comes to these ports later.
func (w *world) close() {
	if w.client {
		w.trial.close()
	}
	ports.Lock()
	defer ports.Unlock()
	for _, n := range w.nodes {
		n.fake.Stop()
		delete(ports.taken, n.fake.Port())
	}
	w.trial.rename = nil
}

func joinAddress(host string, port int) string { return host + ":" + strconv.Itoa(port) }

// splitAddress divides an address at its last colon; the port is 0 where there is none.
func splitAddress(address string) (host string, port int) {
	colon := strings.LastIndexByte(address, ':')
	if colon < 0 {
		return address, 0
	}
	port, _ = strconv.Atoi(address[colon+1:])
	return address[:colon], port
}

// addressesIn are the addresses in a text: words with a colon and a port at their end.
func addressesIn(text string) []string {
	var addresses []string
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(` "',()[]{}`, r) }) {
		word = strings.TrimRight(word, ":")
		host, port := splitAddress(word)
		isName := host != "" && host != "?" && (net.ParseIP(host) != nil || !strings.ContainsAny(host, ":/#"))
		if isName && port > 0 && port <= maxPort && !slices.Contains(addresses, word) {
			addresses = append(addresses, word)
		}
	}
	return addresses
}
