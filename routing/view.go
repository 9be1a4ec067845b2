package routing

import (
	"fmt"
	"net/netip"
	"slices"
)

// View is what one node says of the cluster: its answer to CLUSTER SLOTS or CLUSTER SHARDS.
type View struct {
	Epoch uint64 // the highest configuration epoch that the node knows; for the caller to set

	drafts []draft
	byName map[Address]int // primary -> index into drafts
	owners owners          // by their places in drafts
	fresh  int             // no shard serves the slots from there on
}

// ParseSlots reads an answer to CLUSTER SLOTS that the node at from gave. An entry that is
// malformed, or whose primary's endpoint is unknown ("?"), leaves its slots uncovered; a reply
// without one good entry is an error.
//
// An empty or NULL endpoint means the host under which the answering node was reached.
func ParseSlots(reply Value, from Address) (*View, error) {
	if reply.Kind != KindArray {
		return nil, fmt.Errorf("CLUSTER SLOTS of %s: %s instead of an array", from, reply.Kind)
	}
	view := newView()
	// Each entry has a slot at least. What a hostile server says beyond that is left out.
	for _, item := range reply.Items[:min(len(reply.Items), SlotCount)] {
		if entry, good := parseEntry(item, from); good {
			view.add(entry)
		}
	}
	return view.finish("CLUSTER SLOTS", from, len(reply.Items))
}

func newView() *View {
	return &View{byName: make(map[Address]int)}
}

func (v *View) finish(command string, from Address, entries int) (*View, error) {
	if len(v.drafts) == 0 {
		return nil, fmt.Errorf("%s of %s: no usable node in %d entries", command, from, entries)
	}
	v.settleRoles()
	return v, nil
}

// Snapshot makes the view the topology. Rotation over replicas goes on from before, which may be
// nil.
func (v *View) Snapshot(before *Snapshot) *Snapshot {
	snapshot := &Snapshot{Epoch: v.Epoch}
	snapshot.owners = v.owners
	snapshot.assemble(v.drafts, before)
	return snapshot
}

// entry is one range of slots with the nodes that hold it.
type entry struct {
	slots SlotRange
	shard draft
}

func parseEntry(item Value, from Address) (entry, bool) {
	if item.Kind != KindArray || len(item.Items) < 3 {
		return entry{}, false
	}
	slots, good := parseRange(item.Items[0], item.Items[1])
	if !good {
		return entry{}, false
	}
	primary, known := parseNode(item.Items[2], from)
	if !known {
		return entry{}, false
	}
	e := entry{slots, draft{primary: primary}}
	for _, item := range item.Items[3:] {
		if replica, known := parseNode(item, from); known {
			e.shard.replicas = append(e.shard.replicas, replica)
		}
	}
	return e, true
}

func parseRange(first, last Value) (SlotRange, bool) {
	if first.Kind != KindInteger || last.Kind != KindInteger ||
		first.Integer < 0 || last.Integer < first.Integer || last.Integer >= SlotCount {
		return SlotRange{}, false
	}
	return SlotRange{Slot(first.Integer), Slot(last.Integer)}, true
}

// parseNode reads [endpoint, port, id, metadata], of which the first two suffice. It refuses a
// node whose endpoint is unknown.
//
// A host name in the metadata is preferred as the node's name, as GLIDE does it; the connection
// still goes to the endpoint that the server prefers.
func parseNode(item Value, from Address) (Node, bool) {
	if item.Kind != KindArray || len(item.Items) < 2 {
		return Node{}, false
	}
	port := item.Items[1]
	if port.Kind != KindInteger || port.Integer < 1 || port.Integer > 65535 {
		return Node{}, false
	}
	var host string
	switch endpoint := item.Items[0]; {
	case endpoint.IsNil():
	case endpoint.isText():
		host = string(endpoint.Text)
	default:
		return Node{}, false
	}
	switch host {
	case "?":
		return Node{}, false
	case "":
		host = from.Host
	}
	endpoint := NewAddress(host, uint16(port.Integer))
	if endpoint.Host == "" {
		return Node{}, false
	}
	node := Node{Address: endpoint, Endpoint: endpoint}
	if len(item.Items) > 2 {
		node.ID = item.Items[2].textOr("")
	}
	if len(item.Items) > 3 {
		node.describe(item.Items[3])
	}
	return node, true
}

// describe adds what the metadata says: pairs of a map (RESP3) or of a flat array (RESP2).
func (n *Node) describe(metadata Value) {
	if metadata.Kind != KindMap && metadata.Kind != KindArray {
		return
	}
	for i := 0; i+1 < len(metadata.Items); i += 2 {
		value := metadata.Items[i+1].textOr("")
		if value == "" || value == "?" {
			continue
		}
		switch metadata.Items[i].textOr("") {
		case "ip":
			if _, err := netip.ParseAddr(value); err == nil {
				n.Alias(NewAddress(value, n.Endpoint.Port))
			}
		case "hostname":
			name := NewAddress(value, n.Endpoint.Port)
			if n.Address.IsIP() {
				n.Address = name
				n.Alias(n.Endpoint)
			} else {
				n.Alias(name)
			}
		case "availability-zone":
			n.Zone = value
		}
	}
}

// Alias adds a name, if it is a new one.
func (n *Node) Alias(name Address) {
	if name != n.Address && !slices.Contains(n.Aliases, name) {
		// Copied: another snapshot may hold the same ones.
		n.Aliases = append(slices.Clone(n.Aliases), name)
	}
}

// add joins an entry to the shard of the same primary. Of two entries for one slot the first
// serves.
func (v *View) add(e entry) {
	i, known := v.byName[e.shard.primary.Address]
	if !known && len(v.drafts) == maxShards {
		return
	}
	if !known {
		i = len(v.drafts)
		v.byName[e.shard.primary.Address] = i
		v.drafts = append(v.drafts, e.shard)
	} else {
		v.drafts[i].replicas = append(v.drafts[i].replicas, e.shard.replicas...)
	}
	if int(e.slots.First) >= v.fresh { // as servers list them
		v.owners.give(e.slots, i)
	} else {
		v.owners.fill(e.slots, i)
	}
	v.fresh = max(v.fresh, int(e.slots.Last)+1)
}

// settleRoles leaves every node in one place: a primary is nobody's replica, and a replica
// belongs to the first shard that names it. Replicas are sorted, since servers list them in
// any order.
func (v *View) settleRoles() {
	seen := make(map[Address]bool)
	for i := range v.drafts {
		seen[v.drafts[i].primary.Address] = true
	}
	for i := range v.drafts {
		d := &v.drafts[i]
		d.replicas = slices.DeleteFunc(d.replicas, func(n Node) bool {
			again := seen[n.Address]
			seen[n.Address] = true
			return again
		})
		slices.SortFunc(d.replicas, func(a, b Node) int { return a.Address.compare(b.Address) })
	}
}
