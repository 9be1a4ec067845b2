package routing

import "fmt"

// ParseShards reads an answer to CLUSTER SHARDS that the node at from gave, as ParseSlots reads
// CLUSTER SLOTS. The ports are those for TLS where tls is set. A replica that the cluster does not
// call online is left out; a primary stays, since its slots have no other owner.
func ParseShards(reply Value, from Address, tls bool) (*View, error) {
	if reply.Kind != KindArray {
		return nil, fmt.Errorf("CLUSTER SHARDS of %s: %s instead of an array", from, reply.Kind)
	}
	view := newView()
	for _, item := range reply.Items {
		slots, shard, good := parseShard(item, from, tls)
		if !good {
			continue
		}
		for _, held := range slots {
			view.add(entry{held, shard})
			shard.replicas = nil // they are known now
		}
	}
	return view.finish("CLUSTER SHARDS", from, len(reply.Items))
}

func parseShard(item Value, from Address, tls bool) (slots []SlotRange, shard draft, good bool) {
	bounds, nodes := item.field("slots"), item.field("nodes")
	for i := 0; i+1 < len(bounds.Items); i += 2 {
		if held, good := parseRange(bounds.Items[i], bounds.Items[i+1]); good {
			slots = append(slots, held)
		}
	}
	hasPrimary := false
	for _, item := range nodes.Items {
		node, known := parseShardNode(item, from, tls)
		switch role := item.field("role").textOr(""); {
		case !known:
		case role == "master" || role == "primary":
			// After a failover a shard may list two; the one that is online holds the slots.
			if online := item.isOnline(); !hasPrimary || online {
				shard.primary, hasPrimary = node, true
			}
		case item.isOnline():
			shard.replicas = append(shard.replicas, node)
		}
	}
	return slots, shard, hasPrimary && len(slots) > 0
}

func (v Value) isOnline() bool { return v.field("health").textOr("online") == "online" }

// parseShardNode reads the endpoint of a node, and its names, which here stand beside it rather
// than in metadata.
func parseShardNode(item Value, from Address, tls bool) (Node, bool) {
	port := item.field("port")
	if tls {
		port = item.field("tls-port")
	}
	return parseNode(ArrayOf(item.field("endpoint"), port, item.field("id"), item), from)
}

// field is the value beside a name: in a map (RESP3), or in a flat array (RESP2). Nil where there
// is none.
func (v Value) field(name string) Value {
	if v.Kind != KindMap && v.Kind != KindArray {
		return Value{}
	}
	for i := 0; i+1 < len(v.Items); i += 2 {
		if v.Items[i].textOr("") == name {
			return v.Items[i+1]
		}
	}
	return Value{}
}
