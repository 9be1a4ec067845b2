package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Add starts a further node and waits until all others know it: a replica of primary, or, where
// that is nil, a primary that has no slots yet and is not among Primaries before it has. Nobody
// else may use the cluster meanwhile; its nodes may be used.
func (c *Cluster) Add(ctx context.Context, primary *Node) (*Node, error) {
	binary, err := Server()
	if err != nil {
		return nil, err
	}
	n, err := start(ctx, binary, c.folder.path, c.options, true)
	if err != nil {
		return nil, err
	}
	n.cluster = c
	if err := c.join(ctx, n, primary); err != nil {
		return nil, errors.Join(fmt.Errorf("add %s: %w", n, err), n.Stop())
	}
	return n, nil
}

func (c *Cluster) join(ctx context.Context, n, primary *Node) error {
	if err := n.learnID(ctx); err != nil {
		return err
	}
	if err := n.meet(ctx, c.Nodes); err != nil {
		return err
	}
	c.Nodes = append(slices.Clone(c.Nodes), n)
	if primary != nil {
		if err := n.replicate(ctx, primary); err != nil {
			return err
		}
	}
	return c.converge(ctx, func(t *topology) string {
		if t.primary[n] != primary {
			return fmt.Sprintf("%s as a replica of %s", n, primary)
		}
		return ""
	})
}

// Remove stops a node that serves no slots and has no replicas, and waits until the others have
// forgotten it. As with Add, nobody else may use the cluster meanwhile.
func (c *Cluster) Remove(ctx context.Context, n *Node) error {
	seen := c.topology()
	if slices.Contains(seen.owner[:], n) {
		return fmt.Errorf("remove %s: it serves slots", n)
	}
	if len(seen.replicas(c.Nodes, n)) > 0 {
		return fmt.Errorf("remove %s: it has replicas", n)
	}
	// Its own gossip would bring it back, so it goes first.
	if err := n.Stop(); err != nil {
		return err
	}
	c.Nodes = slices.DeleteFunc(slices.Clone(c.Nodes), func(other *Node) bool { return other == n })
	for _, other := range c.Nodes {
		if !other.serving() {
			continue
		}
		if err := other.do(ctx, "CLUSTER", "FORGET", n.ID); err != nil {
			return err
		}
	}
	return c.converge(ctx, func(*topology) string { return "" })
}
