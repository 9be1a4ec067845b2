package cluster

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Settle waits until all nodes that run agree on who serves which slot, all slots are served and
// all replicas are in sync, and takes that as the view of Primaries, Replicas, Owner and
// Addresses. Call it after Kill, Pause, Continue or Restart.
func (c *Cluster) Settle(ctx context.Context) error {
	return c.converge(ctx, func(t *topology) string {
		for _, n := range c.Nodes {
			switch {
			case n.serving() && !t.has(n):
				return fmt.Sprintf("%s in its CLUSTER SLOTS", n)
			case !n.serving() && t.has(n):
				return fmt.Sprintf("%s out of its CLUSTER SLOTS", n)
			}
		}
		return ""
	})
}

// converge waits until all nodes that run see the same topology, in which expect finds nothing
// missing, and are healthy. Then this is the topology of c.
func (c *Cluster) converge(ctx context.Context, expect func(*topology) string) error {
	var node *Node
	var what string
	for {
		now, missing := c.unsettled(ctx, expect)
		if now == nil {
			return nil
		}
		if node == nil || ctx.Err() == nil { // else what is missing is only the time
			node, what = now, missing
		}
		select {
		case <-ctx.Done():
			return node.failure(what, context.Cause(ctx))
		case <-time.After(pollInterval):
		}
	}
}

// unsettled returns the first node that something is missing of, and what.
func (c *Cluster) unsettled(ctx context.Context, expect func(*topology) string) (*Node, string) {
	var common *topology
	var words string
	for _, n := range c.Nodes {
		if !n.serving() {
			continue
		}
		own, err := c.ask(ctx, n)
		if err != nil {
			return n, "CLUSTER SLOTS: " + err.Error()
		}
		if common == nil {
			if what := expect(own); what != "" {
				return n, what
			}
			common, words = own, own.describe(c.Nodes)
		}
		if has := own.describe(c.Nodes); has != words {
			return n, fmt.Sprintf("the topology %q; it has %q", words, has)
		}
		if what := n.unhealthy(ctx, own, len(c.Nodes)); what != "" {
			return n, what
		}
	}
	if common == nil {
		return c.Nodes[0], "a node of the cluster that runs"
	}
	c.seen.Store(common)
	return nil, ""
}

// unhealthy returns what a node lacks to serve as the topology has it.
func (n *Node) unhealthy(ctx context.Context, seen *topology, nodes int) string {
	info, err := n.info(ctx, "CLUSTER", "INFO")
	if err != nil {
		return "CLUSTER INFO: " + err.Error()
	}
	for name, value := range map[string]string{
		"cluster_state":          "ok",
		"cluster_slots_assigned": strconv.Itoa(SlotCount),
		"cluster_slots_ok":       strconv.Itoa(SlotCount),
		"cluster_known_nodes":    strconv.Itoa(nodes),
	} {
		if info[name] != value {
			return fmt.Sprintf("%s:%s; it is %s", name, value, info[name])
		}
	}
	if !seen.has(n) {
		return "" // a primary without slots, or its replica: the topology does not tell them apart
	}
	replication, err := n.info(ctx, "INFO", "replication")
	if err != nil {
		return "INFO replication: " + err.Error()
	}
	primary := seen.primary[n]
	if primary == nil {
		return unsynced(replication)
	}
	if replication["master_link_status"] != "up" {
		return fmt.Sprintf("master_link_status:up from %s; it is %q", primary, replication["master_link_status"])
	}
	return ""
}

// unsynced returns a replica that is not in sync yet, in the view of its primary.
func unsynced(replication map[string]string) string {
	if replication["role"] != "master" {
		return "role:master; it is " + replication["role"]
	}
	for name, value := range replication { // slave0:ip=127.0.0.1,port=7004,state=online,offset=14,lag=0
		if strings.HasPrefix(name, "slave") && strings.Contains(value, "state=") &&
			!strings.Contains(value, ",state=online,") {
			return fmt.Sprintf("its replica to be in sync: %s:%s", name, value)
		}
	}
	return ""
}
