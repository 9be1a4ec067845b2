package core

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"libglide/routing"
)

// Discovery says who the nodes of a standalone server are. The numbers are those of
// NodeDiscoveryMode in the wire contract.
type Discovery uint8

const (
	DiscoverRoles  Discovery = iota // the addresses; each is asked for its role
	DiscoverStatic                  // the first address is the primary, the others are its replicas
	DiscoverAll                     // whom the addresses name too: a replica its primary, a primary its replicas
)

// maxHops bounds DiscoverAll: from a replica to its primary, from there to the other replicas.
const maxHops = 2

var (
	roleWords   = [][]byte{[]byte("ROLE")}
	serverWords = [][]byte{[]byte("INFO"), []byte("SERVER")}
)

// askRole asks a server that is no cluster who it is, and who belongs to it.
func (c *Client) askRole(ctx context.Context, found *finding) {
	if c.config.Discovery == DiscoverStatic {
		var replies []routing.Value
		if replies, found.err = c.exchange(ctx, c.targetAt(found.from), pingWords); found.err == nil && replies[0].IsError() {
			found.err = refusal(replies[0].Text)
		}
		if found.order > 0 {
			found.role = routing.Replica
		}
		return
	}
	replies, err := c.exchange(ctx, c.targetAt(found.from), roleWords, serverWords)
	switch {
	case err != nil:
		found.err = err
	case replies[0].IsError():
		found.err = refusal(replies[0].Text)
	default:
		found.readRole(replies[0].Items)
		found.process = infoText(string(replies[1].Text), "run_id")
	}
}

// readRole reads the answer to ROLE: of a primary "master", an offset and a list of its replicas,
// each with host, port and offset; of a replica "slave", its primary's host and port, and more.
func (f *finding) readRole(answer []routing.Value) {
	if len(answer) > 0 && string(answer[0].Text) != "master" {
		f.role = routing.Replica
		if len(answer) > 2 {
			f.name(answer[1], answer[2])
		}
		return
	}
	if len(answer) > 2 {
		for _, replica := range answer[2].Items {
			if len(replica.Items) > 1 {
				f.name(replica.Items[0], replica.Items[1])
			}
		}
	}
}

// name adds a server that the answering one names. A port is an integer or text.
func (f *finding) name(host, port routing.Value) {
	number := string(port.Text)
	if port.Kind == routing.KindInteger {
		number = strconv.FormatInt(port.Integer, 10)
	}
	if address, err := routing.ParseAddress(string(host.Text) + ":" + number); err == nil {
		f.names = append(f.names, address)
	}
}

// named are the servers that findings name and that were not asked yet.
func named(all []finding) (addresses []routing.Address) {
	for _, found := range all {
		for _, address := range found.names {
			asked := slices.ContainsFunc(all, func(other finding) bool { return other.from == address })
			if !asked && !slices.Contains(addresses, address) {
				addresses = append(addresses, address)
			}
		}
	}
	return addresses
}

// infoText reads a field from INFO; empty where it is missing.
func infoText(info, name string) string {
	for line := range strings.Lines(info) {
		if text, found := strings.CutPrefix(line, name+":"); found {
			return strings.TrimRight(text, "\r\n")
		}
	}
	return ""
}

// standalone makes a snapshot of addresses that are no cluster: one primary and its replicas. For
// a client that only reads replicas will do: the first stands where the primary would. Of two
// addresses of one server the second is an alias. A replica that was too late to answer stays one.
func (c *Client) standalone(all []finding) (*routing.Snapshot, error) {
	var primaries, replicas []routing.Address
	known := make(map[string]routing.Address) // by process
	aliases := make(map[routing.Address][]routing.Address)
	for _, found := range all {
		if found.err == errLate && c.isReplica(found.from) {
			replicas = append(replicas, found.from)
		}
		if found.err != nil {
			continue
		}
		if first, again := known[found.process]; again && found.process != "" {
			aliases[first] = append(aliases[first], found.from)
			continue
		}
		known[found.process] = found.from
		if found.role == routing.Replica {
			replicas = append(replicas, found.from)
		} else {
			primaries = append(primaries, found.from)
		}
	}
	switch {
	case len(primaries) > 1:
		return nil, NewError(StatusConfig, "%v are all primaries: name one of them and its replicas, or set cluster_mode_enabled for a cluster", primaries)
	case len(primaries) == 1:
	case len(replicas) > 0 && c.config.ReadOnly:
		primaries, replicas = replicas[:1], replicas[1:]
	case len(replicas) > 0:
		return nil, NewError(StatusConfig, "%v are replicas; the address of their primary is missing", replicas)
	default:
		return nil, unreachable(all)
	}
	snapshot := routing.NewStandalone(primaries[0], replicas...)
	if len(aliases) == 0 {
		return snapshot, nil
	}
	return snapshot.Amended(func(node *routing.Node) {
		for _, alias := range aliases[node.Endpoint] {
			node.Alias(alias)
		}
	}), nil
}

func (c *Client) isReplica(address routing.Address) bool {
	node := c.topology.now().Find(address)
	return node != nil && node.Role == routing.Replica
}
