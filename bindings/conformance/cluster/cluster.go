// Package cluster starts real Valkey clusters on this machine, for tests and demos, breaks them
// on request, and leaves nothing behind: no server and no folder, however its process ends.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// SlotCount is the number of hash slots of every cluster.
const SlotCount = 16384

// Cluster is a running cluster.
type Cluster struct {
	Nodes []*Node // as they were started: first the primaries in slot order, then the replicas

	options Options
	folder  *folder
	seen    atomic.Pointer[topology] // as it was when last looked at

	mu     sync.Mutex
	moving map[int]move // slots between BeginMigration and FinishMigration
}

// Start starts a cluster and returns when every node of it knows all others and serves, and every
// replica is in sync. On an error, which names the node and ends with its log, nothing is left.
func Start(ctx context.Context, options Options) (*Cluster, error) {
	options, err := options.filled()
	if err != nil {
		return nil, err
	}
	binary, err := Server()
	if err != nil {
		return nil, err
	}
	folder, err := newFolder()
	if err != nil {
		return nil, err
	}
	c := &Cluster{options: options, folder: folder, moving: map[int]move{}}
	c.seen.Store(&topology{})
	if err := c.form(ctx, binary); err != nil {
		return nil, errors.Join(fmt.Errorf("start a cluster: %w", err), c.Stop())
	}
	return c, nil
}

// Stop ends all servers and removes their folder. It may be called more than once.
func (c *Cluster) Stop() error {
	err := each(c.Nodes, (*Node).Stop)
	return errors.Join(err, c.folder.remove())
}

// Addresses returns the address of every node: the primaries first and in the order of their
// slots, then the replicas, then nodes that had no part in the cluster when last looked at.
func (c *Cluster) Addresses() []string {
	nodes := append(c.Primaries(), c.Replicas()...)
	for _, n := range c.Nodes {
		if !slices.Contains(nodes, n) {
			nodes = append(nodes, n)
		}
	}
	addresses := make([]string, len(nodes))
	for i, n := range nodes {
		addresses[i] = n.Address()
	}
	return addresses
}

// Primaries returns the nodes that serve slots, in the order of their first slot.
func (c *Cluster) Primaries() []*Node {
	var primaries []*Node
	for _, n := range c.topology().owner {
		if n != nil && !slices.Contains(primaries, n) {
			primaries = append(primaries, n)
		}
	}
	return primaries
}

// Replicas returns the nodes that copy from a primary, in the order of their primaries.
func (c *Cluster) Replicas() []*Node {
	topology := c.topology()
	var replicas []*Node
	for _, primary := range c.Primaries() {
		replicas = append(replicas, topology.replicas(c.Nodes, primary)...)
	}
	return replicas
}

// Owner returns the primary that serves a slot, nil where none does.
func (c *Cluster) Owner(slot int) *Node {
	if slot < 0 || slot >= SlotCount {
		return nil
	}
	return c.topology().owner[slot]
}

func (c *Cluster) topology() *topology { return c.seen.Load() }

// each calls do for all items at once and returns the first error there was.
func each[T any](items []T, do func(T) error) error {
	var first error
	var once sync.Once
	var group sync.WaitGroup
	for _, item := range items {
		group.Go(func() {
			if err := do(item); err != nil {
				once.Do(func() { first = err })
			}
		})
	}
	group.Wait()
	return first
}
