package fakenode

// Shards is the reply to CLUSTER SHARDS of nodes that serve these ranges, as Slots is to CLUSTER
// SLOTS. valkey-go asks for it where HELLO tells a version from 8 on, which a fake node does.
func Shards(ranges ...Range) Value {
	var order []string // IDs of the primaries
	slots, nodes := map[string][]Value{}, map[string][]Value{}
	for _, r := range ranges {
		id := r.Nodes[0].ID
		if slots[id] == nil {
			order = append(order, id)
			for i, node := range r.Nodes {
				nodes[id] = append(nodes[id], node.inShard(i == 0))
			}
		}
		slots[id] = append(slots[id], Int(r.First), Int(r.Last))
	}
	shards := make([]Value, len(order))
	for i, id := range order {
		shards[i] = Map(Bulk("slots"), Array(slots[id]...), Bulk("nodes"), Array(nodes[id]...), Bulk("id"), Bulk(id))
	}
	return Array(shards...)
}

func (e Endpoint) inShard(primary bool) Value {
	role := "replica"
	if primary {
		role = "master"
	}
	return Map(
		Bulk("id"), Bulk(e.ID),
		Bulk("port"), Int(e.Port),
		Bulk("ip"), Bulk(host),
		Bulk("endpoint"), e.Host,
		Bulk("role"), Bulk(role),
		Bulk("replication-offset"), Int(1),
		Bulk("health"), Bulk("online"),
	)
}
