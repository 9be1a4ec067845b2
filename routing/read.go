package routing

// ReadStrategy says which node of a shard serves a read without a route. The numbers are those of
// ReadFrom in the wire contract.
type ReadStrategy uint8

const (
	ReadPrimary ReadStrategy = iota
	ReadPreferReplica
	ReadLowestLatency
	ReadZoneReplicas           // of the client's zone, else any replica, else the primary
	ReadZoneReplicasAndPrimary // a replica of the zone, else the primary if it is there, else any replica
	ReadAllNodes
	ReadZoneAllNodes // any node of the zone, else any
)

// Valid says whether r is one of the strategies above.
func (r ReadStrategy) Valid() bool { return r <= ReadZoneAllNodes }

// NeedsZone says whether the strategy prefers the client's zone.
func (r ReadStrategy) NeedsZone() bool {
	return r == ReadZoneReplicas || r == ReadZoneReplicasAndPrimary || r == ReadZoneAllNodes
}

// exploration is the share of reads, one in so many, that LowestLatency gives to a node in turn,
// so that it learns when another one has become quicker.
const exploration = 20

// reader chooses the node for a read. Turns are taken with one fetch-and-add, so concurrent
// callers spread evenly.
func (by *Planner) reader(shard *Shard) *Node {
	if by.Reads == ReadPrimary || len(shard.Replicas) == 0 {
		return shard.Primary
	}
	turn := shard.turn.Add(1) - 1
	var node *Node
	switch by.Reads {
	case ReadLowestLatency:
		node = by.quickest(shard, turn)
	case ReadAllNodes:
		node = by.rotate(shard.members(), turn, false)
	case ReadZoneAllNodes:
		if node = by.rotate(shard.members(), turn, true); node == nil {
			node = by.rotate(shard.members(), turn, false)
		}
	case ReadZoneReplicas:
		node = by.zoneReplica(shard, turn)
	case ReadZoneReplicasAndPrimary:
		if node = by.rotate(shard.Replicas, turn, true); node == nil && shard.Primary.Zone == by.Zone && by.usable(shard.Primary) {
			return shard.Primary
		}
		if node == nil {
			node = by.rotate(shard.Replicas, turn, false)
		}
	default:
		node = by.rotate(shard.Replicas, turn, false)
	}
	if node == nil {
		return shard.Primary
	}
	return node
}

// replica chooses the node for a REPLICA route: the strategy's zone is preferred, its primary
// never.
func (by *Planner) replica(shard *Shard) *Node {
	if len(shard.Replicas) == 0 {
		return nil
	}
	turn := shard.turn.Add(1) - 1
	if by.Reads.NeedsZone() {
		return by.zoneReplica(shard, turn)
	}
	return by.rotate(shard.Replicas, turn, false)
}

func (by *Planner) zoneReplica(shard *Shard, turn uint32) *Node {
	if node := by.rotate(shard.Replicas, turn, true); node != nil {
		return node
	}
	return by.rotate(shard.Replicas, turn, false)
}

// rotate gives the turn to one of the usable nodes, those of the client's zone only where inZone.
// It is nil where none fits. A client without a zone has none to prefer.
func (by *Planner) rotate(nodes []*Node, turn uint32, inZone bool) *Node {
	if inZone && by.Zone == "" {
		return nil
	}
	fits := func(node *Node) bool { return (!inZone || node.Zone == by.Zone) && by.usable(node) }
	count := uint32(0)
	for _, node := range nodes {
		if fits(node) {
			count++
		}
	}
	if count == 0 {
		return nil
	}
	skip := turn % count
	for _, node := range nodes {
		if fits(node) {
			if skip == 0 {
				return node
			}
			skip--
		}
	}
	return nil
}

// quickest takes the node with the least latency. One that was never asked comes first, and now
// and then the turn goes round.
func (by *Planner) quickest(shard *Shard, turn uint32) *Node {
	if by.Latency == nil || turn%exploration == exploration-1 {
		return by.rotate(shard.members(), turn/exploration, false)
	}
	var best *Node
	var least float64
	for _, node := range shard.members() {
		if latency := by.Latency(node); by.usable(node) && (best == nil || latency < least) {
			best, least = node, latency
		}
	}
	return best
}
