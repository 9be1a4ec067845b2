package routing

import (
	"cmp"
	"slices"
	"strings"
	"sync/atomic"
)

// Node is one server as the topology knows it.
type Node struct {
	ID       string
	Address  Address // the name under which callers see it
	Endpoint Address // where to connect to it
	Role     Role
	Zone     string
	Aliases  []Address // its other names

	shard *Shard
}

// Slots are the slots of the node's shard.
func (n *Node) Slots() []SlotRange { return n.shard.Slots }

// Shard is a primary, its replicas and the slots they hold.
type Shard struct {
	Slots    []SlotRange
	Primary  *Node
	Replicas []*Node

	nodes []*Node // the primary first
	// turn rotates over the replicas. It outlives the snapshot, so a refresh does not send
	// everybody back to the first replica.
	turn *atomic.Uint32
}

// members are the primary and the replicas.
func (s *Shard) members() []*Node { return s.nodes }

// maxShards is how many shards there can be: each has a slot at least. What a hostile server says
// beyond that is left out.
const maxShards = SlotCount

// Snapshot is one immutable view of the cluster. A look-up takes no lock: readers hold the
// snapshot they loaded, writers publish a new one.
type Snapshot struct {
	Epoch      uint64 // the highest configuration epoch that the cluster knew
	Standalone bool   // a server that is not a cluster: one shard with every slot

	shards    []*Shard // in the order of their first slots; those without slots last
	nodes     []*Node  // shard by shard, the primary first
	primaries []*Node
	owners    owners // by their places in shards
	names     map[Address]*Node
}

// Shards, Nodes and Primaries are in topology order. They must not be changed.
func (s *Snapshot) Shards() []*Shard   { return s.shards }
func (s *Snapshot) Nodes() []*Node     { return s.nodes }
func (s *Snapshot) Primaries() []*Node { return s.primaries }

// Owner returns the shard that serves slot, or nil where none does.
func (s *Snapshot) Owner(slot Slot) *Shard {
	if i := s.owners.of(slot); i >= 0 {
		return s.shards[i]
	}
	return nil
}

// successor is the primary that stands where node, a primary of an older snapshot, stood: node
// itself, or one of its replicas that took over since. Where there is none it stays node.
func (s *Snapshot) successor(node *Node) *Node {
	for _, member := range node.shard.nodes {
		if now := s.Find(member.Address); now != nil && now.Role == Primary {
			return now
		}
	}
	return node
}

// HasZones says whether any node names its availability zone.
func (s *Snapshot) HasZones() bool {
	return slices.ContainsFunc(s.nodes, func(n *Node) bool { return n.Zone != "" })
}

// Find returns the node of that name, or nil. "localhost" stands for both loopback addresses
// where no node has it as a name of its own.
func (s *Snapshot) Find(name Address) *Node {
	node := s.names[name]
	if node == nil && name.Host == "localhost" {
		for _, loopback := range []string{"127.0.0.1", "::1"} {
			if node = s.names[Address{loopback, name.Port}]; node != nil {
				return node
			}
		}
	}
	return node
}

// known lists the addresses of all nodes for an error message.
func (s *Snapshot) known() string {
	text := make([]string, len(s.nodes))
	for i, node := range s.nodes {
		text[i] = node.Address.String()
	}
	return strings.Join(text, ", ")
}

// NewStandalone is the view of a server that is not a cluster, with its replicas.
func NewStandalone(primary Address, replicas ...Address) *Snapshot {
	shard := draft{primary: Node{Address: primary, Endpoint: primary}}
	for _, replica := range replicas {
		shard.replicas = append(shard.replicas, Node{Address: replica, Endpoint: replica})
	}
	snapshot := &Snapshot{Standalone: true}
	snapshot.owners.give(everySlot, 0)
	snapshot.assemble([]draft{shard}, nil)
	return snapshot
}

var noView Snapshot

// Unknown is the view of a client that has not asked anybody yet: no node, no slot.
func Unknown() *Snapshot { return &noView }

// Amended is the snapshot with every node as amend leaves it, which may set its zone and add
// aliases.
func (s *Snapshot) Amended(amend func(*Node)) *Snapshot {
	drafts := s.draft()
	for i := range drafts {
		amend(&drafts[i].primary)
		for j := range drafts[i].replicas {
			amend(&drafts[i].replicas[j])
		}
	}
	return s.followedBy(drafts, &s.owners)
}

// followedBy is the snapshot that comes after s, of the same server or cluster.
func (s *Snapshot) followedBy(drafts []draft, owners *owners) *Snapshot {
	next := &Snapshot{Epoch: s.Epoch, Standalone: s.Standalone}
	next.owners = *owners
	next.assemble(drafts, s)
	return next
}

// draft is a shard of a snapshot in the making.
type draft struct {
	primary  Node
	replicas []Node
}

// assemble makes s of drafts, by whose places its owners are at first. Rotation goes on where the
// shard of the same primary in before stands.
func (s *Snapshot) assemble(drafts []draft, before *Snapshot) {
	s.shards = make([]*Shard, len(drafts))
	for i := range drafts {
		s.shards[i] = drafts[i].shard(before)
	}
	for slots, i := range s.owners.runs() {
		s.shards[i].Slots = append(s.shards[i].Slots, slots)
	}
	slices.SortStableFunc(s.shards, func(a, b *Shard) int { return cmp.Compare(a.firstSlot(), b.firstSlot()) })
	for i, shard := range s.shards {
		for _, slots := range shard.Slots {
			s.owners.give(slots, i)
		}
		s.primaries = append(s.primaries, shard.Primary)
		s.nodes = append(s.nodes, shard.nodes...)
	}
	s.nameNodes()
}

// nameNodes fills names. A node's own address wins over an alias of another, and the first of
// two equal aliases over the second.
func (s *Snapshot) nameNodes() {
	s.names = make(map[Address]*Node, len(s.nodes))
	for _, node := range s.nodes {
		s.names[node.Address] = node
	}
	for _, node := range s.nodes {
		for _, alias := range append(node.Aliases, node.Endpoint) {
			if _, taken := s.names[alias]; !taken {
				s.names[alias] = node
			}
		}
	}
}

func (d *draft) shard(before *Snapshot) *Shard {
	shard := &Shard{turn: new(atomic.Uint32)}
	if before != nil {
		if old := before.names[d.primary.Address]; old != nil {
			shard.turn = old.shard.turn
		}
	}
	primary := d.primary
	primary.Role, primary.shard = Primary, shard
	shard.Primary = &primary
	for _, replica := range d.replicas {
		replica.Role, replica.shard = Replica, shard
		shard.Replicas = append(shard.Replicas, &replica)
	}
	shard.nodes = append([]*Node{&primary}, shard.Replicas...)
	return shard
}

func (s *Shard) firstSlot() int {
	if len(s.Slots) == 0 {
		return SlotCount
	}
	return int(s.Slots[0].First)
}

// Equal says whether two snapshots give the same slots to the same nodes in the same roles.
func (s *Snapshot) Equal(other *Snapshot) bool {
	if s.Epoch != other.Epoch || s.Standalone != other.Standalone || s.owners != other.owners {
		return false
	}
	return slices.EqualFunc(s.nodes, other.nodes, func(a, b *Node) bool {
		return a.ID == b.ID && a.Address == b.Address && a.Endpoint == b.Endpoint &&
			a.Role == b.Role && a.Zone == b.Zone && slices.Equal(a.Aliases, b.Aliases)
	})
}

// Moved is the snapshot after a node answered that slot has moved to address. It is s itself
// where that says nothing new.
//
// A replica of the slot's own shard has been promoted: the shard swaps roles for all its slots.
// The primary of another shard gets this one slot. A replica of another shard and an unknown
// address become a shard of their own with this slot: the next full view will tell.
func (s *Snapshot) Moved(slot Slot, address Address) *Snapshot {
	node, shard := s.Find(address), s.Owner(slot)
	if node != nil && shard != nil && shard.Primary == node || len(s.shards) > maxShards {
		return s
	}
	drafts, owner := s.draft(), 0
	switch {
	case node == nil:
		owner = len(drafts)
		drafts = append(drafts, draft{primary: Node{Address: address, Endpoint: address}})
	case node.shard == shard:
		owner = s.owners.of(slot)
		drafts[owner].promote(node)
	case node.Role == Primary:
		owner = slices.Index(s.shards, node.shard)
	default:
		drafts[slices.Index(s.shards, node.shard)].drop(node)
		owner = len(drafts)
		drafts = append(drafts, draft{primary: *node})
	}
	owners := s.owners
	owners.give(SlotRange{slot, slot}, owner)
	return s.followedBy(drafts, &owners)
}

func (s *Snapshot) draft() []draft {
	drafts := make([]draft, len(s.shards), len(s.shards)+1)
	for i, shard := range s.shards {
		drafts[i].primary = *shard.Primary
		for _, replica := range shard.Replicas {
			drafts[i].replicas = append(drafts[i].replicas, *replica)
		}
	}
	return drafts
}

func (d *draft) promote(node *Node) {
	d.drop(node)
	d.replicas = append(d.replicas, d.primary)
	d.primary = *node
}

func (d *draft) drop(node *Node) {
	d.replicas = slices.DeleteFunc(d.replicas, func(n Node) bool { return n.Address == node.Address })
}
