package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/valkey-io/valkey-go"
)

// topology is who serves which slots and who copies from whom, as one node tells it in CLUSTER
// SLOTS. It does not change once it is made.
type topology struct {
	owner   [SlotCount]*Node
	primary map[*Node]*Node // of each replica
}

func (t *topology) replicas(nodes []*Node, primary *Node) []*Node {
	var replicas []*Node
	for _, n := range nodes {
		if t.primary[n] == primary && primary != nil {
			replicas = append(replicas, n)
		}
	}
	return replicas
}

// has tells whether a node serves slots or is a replica.
func (t *topology) has(n *Node) bool {
	return t.primary[n] != nil || slices.Contains(t.owner[:], n)
}

// describe puts a topology into words that are equal where the topologies are, as
// "0-5460 127.0.0.1:7001 (127.0.0.1:7004); 5461-10922 ...".
func (t *topology) describe(nodes []*Node) string {
	var text strings.Builder
	for first := 0; first < SlotCount; {
		owner, last := t.owner[first], first
		for last+1 < SlotCount && t.owner[last+1] == owner {
			last++
		}
		if owner != nil {
			fmt.Fprintf(&text, "%d-%d %s %v; ", first, last, owner, t.replicas(nodes, owner))
		}
		first = last + 1
	}
	return strings.TrimSuffix(text.String(), "; ")
}

// ask reads the topology as node n sees it.
func (c *Cluster) ask(ctx context.Context, n *Node) (*topology, error) {
	reply, err := n.Do(ctx, "CLUSTER", "SLOTS")
	if err != nil {
		return nil, err
	}
	ranges, err := reply.ToArray()
	t := &topology{primary: map[*Node]*Node{}}
	for _, entry := range ranges {
		if err == nil {
			err = c.read(entry, t)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("CLUSTER SLOTS of %s: %w", n, err)
	}
	return t, nil
}

// read adds one entry of CLUSTER SLOTS: first slot, last slot, primary, replicas.
func (c *Cluster) read(entry valkey.ValkeyMessage, t *topology) error {
	fields, err := entry.ToArray()
	if err != nil {
		return err
	}
	if len(fields) < 3 {
		return fmt.Errorf("an entry of %d fields", len(fields))
	}
	first, err := fields[0].ToInt64()
	if err != nil {
		return err
	}
	last, err := fields[1].ToInt64()
	if err != nil {
		return err
	}
	if first < 0 || last >= SlotCount {
		return fmt.Errorf("slots %d-%d are out of range 0..%d", first, last, SlotCount-1)
	}
	primary, err := c.readNode(fields[2])
	if err != nil {
		return err
	}
	for slot := first; slot <= last; slot++ {
		t.owner[slot] = primary
	}
	for _, field := range fields[3:] {
		replica, err := c.readNode(field)
		if err != nil {
			return err
		}
		t.primary[replica] = primary
	}
	return nil
}

// readNode reads address, port, ID and metadata of a node.
func (c *Cluster) readNode(field valkey.ValkeyMessage) (*Node, error) {
	parts, err := field.ToArray()
	if err != nil {
		return nil, err
	}
	if len(parts) < 4 {
		return nil, fmt.Errorf("a node of %d parts", len(parts))
	}
	id, err := parts[2].ToString()
	if err != nil {
		return nil, err
	}
	metadata, err := parts[3].AsStrMap()
	if err != nil {
		return nil, err
	}
	for _, n := range c.Nodes {
		if n.ID == id {
			if name := metadata["hostname"]; name != c.options.Hostname {
				return nil, fmt.Errorf("%s has the hostname %q, not %q", n, name, c.options.Hostname)
			}
			return n, nil
		}
	}
	return nil, fmt.Errorf("node %s is none of this cluster", id)
}
