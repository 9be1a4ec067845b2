package routing

import "fmt"

// Topology is a description of a cluster that somebody gives, to make a Snapshot of.
type Topology struct {
	Epoch      uint64
	Standalone bool    // one shard, which gets every slot
	Shards     []Shard // Slots, Primary and Replicas; roles are those of their places
}

// Snapshot checks the description and makes a snapshot of it. Unlike a server's view it must be
// right throughout: a slot belongs to one shard at most, a node to one place.
func (t *Topology) Snapshot() (*Snapshot, error) {
	if t.Standalone && len(t.Shards) != 1 {
		return nil, fmt.Errorf("a standalone server is one shard, not %d", len(t.Shards))
	}
	if len(t.Shards) > maxShards {
		return nil, fmt.Errorf("%d shards; there can be %d", len(t.Shards), maxShards)
	}
	snapshot := &Snapshot{Epoch: t.Epoch, Standalone: t.Standalone}
	if err := t.owned(&snapshot.owners); err != nil {
		return nil, err
	}
	drafts := make([]draft, len(t.Shards))
	seen := make(map[Address]bool)
	for i := range t.Shards {
		shard := &t.Shards[i]
		for _, node := range append([]*Node{shard.Primary}, shard.Replicas...) {
			if seen[node.Address] {
				return nil, fmt.Errorf("node %s stands in two places", node.Address)
			}
			seen[node.Address] = true
		}
		drafts[i].primary = *shard.Primary
		for _, replica := range shard.Replicas {
			drafts[i].replicas = append(drafts[i].replicas, *replica)
		}
	}
	snapshot.assemble(drafts, nil)
	return snapshot, nil
}

// owned gives every slot the place of its shard.
func (t *Topology) owned(owners *owners) error {
	if t.Standalone {
		owners.give(everySlot, 0)
		return nil
	}
	for i, shard := range t.Shards {
		for _, held := range shard.Slots {
			if slot, taken := owners.taken(held); taken {
				return fmt.Errorf("slot %d is given twice", slot)
			}
			owners.give(held, i)
		}
	}
	return nil
}
