package cluster

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"
)

// form starts the servers and makes a cluster of them.
func (c *Cluster) form(ctx context.Context, binary string) error {
	count := c.options.Shards * (1 + c.options.Replicas)
	var mu sync.Mutex
	err := each(make([]struct{}, count), func(struct{}) error {
		n, err := start(ctx, binary, c.folder.path, c.options, true)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		n.cluster = c
		c.Nodes = append(c.Nodes, n)
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(c.Nodes, func(a, b *Node) int { return a.Port - b.Port })
	primaries, replicas := c.Nodes[:c.options.Shards], c.Nodes[c.options.Shards:]

	for i, n := range c.Nodes {
		if err := n.introduce(ctx, i+1); err != nil {
			return err
		}
	}
	for i, n := range primaries {
		first, last := slots(i, len(primaries))
		if err := n.do(ctx, "CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(first), strconv.Itoa(last)); err != nil {
			return err
		}
	}
	if err := c.meet(ctx); err != nil {
		return err
	}
	for i, n := range replicas {
		if err := n.replicate(ctx, primaries[i%len(primaries)]); err != nil {
			return err
		}
	}
	return c.converge(ctx, func(t *topology) string {
		for i, n := range primaries {
			if first, _ := slots(i, len(primaries)); t.owner[first] != n {
				return fmt.Sprintf("%s as the primary of slot %d", n, first)
			}
		}
		for i, n := range replicas {
			if primary := primaries[i%len(primaries)]; t.primary[n] != primary {
				return fmt.Sprintf("%s as a replica of %s", n, primary)
			}
		}
		return ""
	})
}

// slots returns the first and last slot of a shard, divided as valkey-cli --cluster create does.
func slots(shard, shards int) (first, last int) {
	each := float64(SlotCount) / float64(shards)
	first = int(math.Round(float64(shard) * each))
	last = int(math.Round(float64(shard+1)*each)) - 1
	return first, last
}

// introduce learns the name of a node and gives it an epoch of its own, so that no two nodes
// have to settle a collision of epochs later.
func (n *Node) introduce(ctx context.Context, epoch int) error {
	if err := n.learnID(ctx); err != nil {
		return err
	}
	return n.do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(epoch))
}

func (n *Node) learnID(ctx context.Context) error {
	id, err := n.Do(ctx, "CLUSTER", "MYID")
	if err != nil {
		return n.failure("CLUSTER MYID", err)
	}
	n.ID, err = id.ToString()
	return err
}

// meet makes every pair of nodes meet at once: gossip would tell them in time, but slowly.
func (c *Cluster) meet(ctx context.Context) error {
	for i, n := range c.Nodes {
		if err := n.meet(ctx, c.Nodes[:i]); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) meet(ctx context.Context, others []*Node) error {
	for _, other := range others {
		if err := n.do(ctx, "CLUSTER", "MEET", other.Host, strconv.Itoa(other.Port), strconv.Itoa(other.Port+busOffset)); err != nil {
			return err
		}
	}
	return nil
}

// replicate makes n a replica, as soon as it knows its primary.
func (n *Node) replicate(ctx context.Context, primary *Node) error {
	return n.await(ctx, func(ctx context.Context) string {
		if _, err := n.Do(ctx, "CLUSTER", "REPLICATE", primary.ID); err != nil {
			return fmt.Sprintf("CLUSTER REPLICATE of %s: %s", primary, err)
		}
		return ""
	})
}

// do runs a command whose reply tells nothing but that it worked.
func (n *Node) do(ctx context.Context, words ...string) error {
	if _, err := n.Do(ctx, words...); err != nil {
		return n.failure(fmt.Sprintf("OK to %q", words), err)
	}
	return nil
}
