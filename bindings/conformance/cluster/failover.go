package cluster

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Failover makes a replica the primary of its shard and waits until all nodes know. Its primary,
// if it runs, becomes its replica and no write is lost; if not, the replica takes over as it is.
func (c *Cluster) Failover(ctx context.Context, replica *Node) error {
	primary := replica.Primary()
	if primary == nil {
		return fmt.Errorf("failover to %s: it is no replica", replica)
	}
	words := []string{"CLUSTER", "FAILOVER"}
	if !primary.serving() {
		words = append(words, "FORCE")
	}
	slot := slices.Index(c.topology().owner[:], primary) // any of the shard
	var asked time.Time
	return c.converge(ctx, func(t *topology) string {
		if t.owner[slot] != replica {
			// The election may fail, and the server does not try again by itself.
			if time.Since(asked) > 6*time.Second { // cluster-manual-failover-timeout is 5 s
				asked = time.Now()
				if _, err := replica.Do(ctx, words...); err != nil {
					return fmt.Sprintf("%s to be asked to take over: %s", replica, err)
				}
			}
			return fmt.Sprintf("%s as the primary of slot %d", replica, slot)
		}
		if primary.serving() && t.primary[primary] != replica {
			return fmt.Sprintf("%s as a replica of %s", primary, replica)
		}
		return ""
	})
}
