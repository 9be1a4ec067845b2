package routing

// Random draws a number in 0..n-1; n is at least 1.
type Random func(n int) int

// Request is what a caller wants done, and where.
type Request struct {
	Words  [][]byte // the command; at least one word
	Route  Route
	Policy Policy // PolicyDefault: the command's own
}

// Leg is one command for one node.
type Leg struct {
	Node     *Node
	Words    [][]byte
	Slot     int32 // the slot that chose the node, or NoSlot
	Role     Role  // of the node that was asked for
	Fallback bool  // a primary stands in for the replica that was asked for

	choice    choice
	positions []int // of its keys among the keys of the request, where that was split
}

// NoSlot is the slot of a leg whose node was not chosen by one.
const NoSlot int32 = -1

// choice says how the node of a leg is chosen, so that it can be chosen anew.
type choice uint8

const (
	chooseFixed      choice = iota // a node of the topology or a named one
	chooseOwner                    // the shard of Slot; an error where none serves it
	chooseOwnerOrAny               // the shard of Slot; any primary where none serves it: it answers MOVED
	chooseNode                     // any
	choosePrimary                  // any primary
)

// Plan is where a request goes. The zero Plan is ready for Resolve, which may be called again to
// make it another; the common plan of one leg then needs no memory of its own.
type Plan struct {
	Legs   []Leg
	Policy Policy // PolicyDefault: one leg, whose reply is the value
	Split  bool   // the legs are parts of one command, by slot
	Wait   Wait
	// ReadOnly says that the command changes no key, so that it may run twice.
	ReadOnly bool
	Epoch    uint64 // of the snapshot it was made from

	one [1]Leg
}

// FanOut says whether the plan addresses nodes for their own sake: all of them, or all primaries.
func (p *Plan) FanOut() bool { return p.Policy != PolicyDefault && !p.Split }

// Resolve plans r over s. An explicit route is obeyed or refused with the reason. The error is
// an *Error.
func (p *Plan) Resolve(r *Request, s *Snapshot, random Random) error {
	p.Legs, p.Policy, p.Split, p.Epoch = p.Legs[:0], PolicyDefault, false, s.Epoch
	if len(r.Words) == 0 {
		return badArgument("the command has no words")
	}
	if len(r.Words[0]) == 0 {
		return badArgument("the first word of the command is empty")
	}
	if !r.Policy.Valid() {
		return badArgument("response policy %d is none", r.Policy)
	}
	command := find(r.Words)
	if command.place == placeRefused {
		return badArgument("%s is not sent: it %s", command.name, command.refusal)
	}
	p.ReadOnly = command.access == accessRead
	var err error
	if p.Wait, err = command.wait.of(r.Words); err != nil {
		return err
	}
	if r.Route.Kind == RouteDefault {
		err = p.byCommand(command, r, s, random)
	} else {
		err = p.byRoute(command, r, s, random)
	}
	if err == nil && r.Policy != PolicyDefault && p.Policy != PolicyDefault && !p.Split {
		p.Policy = r.Policy
	}
	return err
}

func (p *Plan) byRoute(command *command, r *Request, s *Snapshot, random Random) error {
	switch r.Route.Kind {
	case RouteAllNodes:
		return p.fanOut(s.nodes, command, r)
	case RouteAllPrimaries:
		return p.fanOut(s.primaries, command, r)
	case RouteRandomNode:
		// A write would only be redirected from a replica.
		if command.access == accessWrite {
			return p.single(Leg{Words: r.Words, Slot: NoSlot, choice: choosePrimary}, s, random)
		}
		return p.single(Leg{Words: r.Words, Slot: NoSlot, choice: chooseNode}, s, random)
	case RouteSlotKey, RouteSlotID:
		slot, err := r.Route.slot()
		if err != nil {
			return err
		}
		if s.Standalone {
			return badArgument("a slot route needs a cluster; %s is a standalone server", s.known())
		}
		return p.single(Leg{Words: r.Words, Slot: int32(slot), Role: r.Route.Role, choice: chooseOwner}, s, random)
	case RouteByAddress:
		address, err := r.Route.address()
		if err != nil {
			return err
		}
		node := s.Find(address)
		if node == nil {
			return noNode("node %q not found in the topology (epoch %d); known: %s", address, s.Epoch, s.known())
		}
		return p.single(Leg{Node: node, Words: r.Words, Slot: NoSlot, Role: node.Role}, s, random)
	}
	return badArgument("route kind %d is none", r.Route.Kind)
}

func (p *Plan) byCommand(command *command, r *Request, s *Snapshot, random Random) error {
	leg := Leg{Words: r.Words, Slot: NoSlot, choice: choosePrimary}
	switch command.place {
	case placeAllNodes:
		return p.fanOut(s.nodes, command, r)
	case placeAllPrimaries:
		return p.fanOut(s.primaries, command, r)
	case placeAnyNode:
		leg.choice = chooseNode
	case placeAnyPrimary:
	case placeAddress:
		return badArgument("%s is for one node only: name it with a by-address route", command.name)
	case placeSplitKeys, placeSplitKeysLast, placeSplitPairs, placeSplitTriples, placeSplitCountedPairs:
		return p.split(command, r, s, random)
	default:
		where := command.locate(r.Words)
		switch {
		case where.slot != NoSlot:
			leg.Slot, leg.choice = where.slot, chooseOwnerOrAny
		case where.anyNode:
			leg.choice = chooseNode
		}
	}
	return p.single(leg, s, random)
}

func (p *Plan) single(leg Leg, s *Snapshot, random Random) error {
	p.one[0] = leg
	p.Legs = p.one[:]
	return p.Legs[0].Choose(s, random)
}

func (p *Plan) fanOut(nodes []*Node, command *command, r *Request) error {
	if len(nodes) == 0 {
		return noNode("the topology has no nodes")
	}
	p.Policy = command.policyOf(r.Words)
	if p.Policy == PolicyDefault {
		p.Policy = PolicyPerNode
	}
	for _, node := range nodes {
		p.Legs = append(p.Legs, Leg{Node: node, Words: r.Words, Slot: NoSlot, Role: node.Role})
	}
	return nil
}

// Choose gives the leg its node, or another one after the topology has changed. A leg to a
// certain node keeps it.
func (l *Leg) Choose(s *Snapshot, random Random) error {
	l.Fallback = false
	switch l.choice {
	case chooseFixed:
		return nil
	case chooseNode:
		return l.pick(s.nodes, random)
	case choosePrimary:
		return l.pick(s.primaries, random)
	}
	shard := s.Owner(Slot(l.Slot))
	if shard == nil {
		if l.choice == chooseOwnerOrAny {
			return l.pick(s.primaries, random)
		}
		return noNode("no route to slot %d: its shard was not found in the topology (epoch %d)", l.Slot, s.Epoch)
	}
	l.Node = shard.Primary
	if l.Role == Replica {
		if replica := shard.nextReplica(); replica != nil {
			l.Node = replica
		} else {
			l.Fallback = true
		}
	}
	return nil
}

// Slots are the slots that the leg is about: the one that chose its node, else all of the node's
// shard.
func (l *Leg) Slots() []SlotRange {
	if l.Slot != NoSlot {
		return []SlotRange{{Slot(l.Slot), Slot(l.Slot)}}
	}
	return l.Node.Slots()
}

// Movable says whether Choose may come to another node, a primary that is.
func (l *Leg) Movable() bool { return l.choice != chooseFixed && l.Role == Primary }

func (l *Leg) pick(nodes []*Node, random Random) error {
	if len(nodes) == 0 {
		return noNode("the topology has no nodes")
	}
	l.Node = nodes[random(len(nodes))]
	l.Role = l.Node.Role
	return nil
}
