package routing

// Planner decides where requests go. Its fields are set once; any number of goroutines may then
// use it.
type Planner struct {
	Random func(n int) int // draws a number in 0..n-1; n is at least 1
	Reads  ReadStrategy
	Zone   string // of the client, for the strategies that prefer one
	// ReadOnly refuses every command that may write.
	ReadOnly bool
	// Usable says whether a node can be sent to at present, where there is a choice. nil: all can.
	Usable func(*Node) bool
	// Latency is the time that requests to a node take as of late, in any unit; 0: not known yet.
	// LowestLatency needs it.
	Latency func(*Node) float64
}

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
	read      bool  // by the read strategy
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
	chooseSuccessor                // the node or, where it is no primary any more, the replica that took its place
	chooseReader                   // of a standalone server, by the read strategy
)

// Plan is where a request goes. The zero Plan is ready for Planner.Plan, which may be called again
// to make it another; the common plan of one leg then needs no memory of its own.
type Plan struct {
	Legs   []Leg
	Policy Policy // PolicyDefault: one leg, whose reply is the value
	Split  bool   // the legs are parts of one command, by slot
	Wait   Wait
	// ReadOnly says that the command changes nothing, so that it may run twice.
	ReadOnly bool
	// Writes says that the command may change keys, so that to follow a redirect on several legs
	// would run it several times on one node.
	Writes bool
	// SetsState says that the command sets a state of the connection it comes over, which means
	// nothing on one of many.
	SetsState bool
	Epoch     uint64 // of the snapshot it was made from

	one [1]Leg
}

// FanOut says whether the plan addresses nodes for their own sake: all of them, or all primaries.
func (p *Plan) FanOut() bool { return p.Policy != PolicyDefault && !p.Split }

// Plan makes p the plan of r over s. An explicit route is obeyed or refused with the reason. The
// error is an *Error.
func (by *Planner) Plan(p *Plan, r *Request, s *Snapshot) error {
	command, err := by.begin(p, r, s)
	if err != nil {
		return err
	}
	if r.Route.Kind == RouteDefault {
		err = by.byCommand(p, command, r, s)
	} else {
		err = by.byRoute(p, command, r, s)
	}
	if err != nil || r.Policy == PolicyDefault {
		return err
	}
	if !p.FanOut() {
		return badArgument("response policy %s is for all nodes or all primaries; %s does not go there", r.Policy, CommandName(r.Words))
	}
	p.Policy = r.Policy
	return nil
}

// begin makes p a plan without legs, which says of the request what does not depend on its nodes.
func (by *Planner) begin(p *Plan, r *Request, s *Snapshot) (*command, error) {
	*p = Plan{Legs: p.Legs[:0], Epoch: s.Epoch}
	command, err := by.command(r)
	if err != nil {
		return nil, err
	}
	p.ReadOnly, p.Writes = command.access == accessRead || command.access == accessLook, command.access == accessWrite
	p.SetsState = command.access == accessState
	p.Wait, err = command.wait.of(r.Words)
	return command, err
}

// command finds the row of a request that may be sent at all.
func (by *Planner) command(r *Request) (*command, error) {
	switch {
	case len(r.Words) == 0:
		return nil, badArgument("the command has no words")
	case len(r.Words[0]) == 0:
		return nil, badArgument("the first word of the command is empty")
	case !r.Policy.Valid():
		return nil, badArgument("response policy %d is none", r.Policy)
	}
	command := find(r.Words)
	switch {
	case command.place == placeRefused:
		return nil, badArgument("%s is not sent: it %s", command.name, command.refusal)
	case by.ReadOnly && command.access == accessWrite:
		return nil, fault(FaultReadOnly, "%s may write, and the client is read-only", CommandName(r.Words))
	}
	return command, nil
}

func (by *Planner) byRoute(p *Plan, command *command, r *Request, s *Snapshot) error {
	leg := Leg{Words: r.Words, Slot: NoSlot}
	switch r.Route.Kind {
	case RouteAllNodes:
		return p.fanOut(s.nodes, chooseFixed, command, r)
	case RouteAllPrimaries:
		return p.fanOut(s.primaries, chooseSuccessor, command, r)
	case RouteRandomNode:
		leg.choice = chooseNode
		if command.access == accessWrite { // a replica would only redirect it
			leg.choice = choosePrimary
		}
	case RouteSlotKey, RouteSlotID:
		slot, err := r.Route.slot()
		if err != nil {
			return err
		}
		if s.Standalone {
			return badArgument("a slot route needs a cluster; %s is a standalone server", s.known())
		}
		leg.Slot, leg.Role, leg.choice = int32(slot), r.Route.Role, chooseOwner
	case RouteByAddress:
		address, err := r.Route.address()
		if err != nil {
			return err
		}
		node := s.Find(address)
		if node == nil {
			return noNode("node %q not found in the topology (epoch %d); known: %s", address, s.Epoch, s.known())
		}
		leg.Node, leg.Role = node, node.Role
	default:
		return badArgument("route kind %d is none", r.Route.Kind)
	}
	return by.single(p, leg, s)
}

func (by *Planner) byCommand(p *Plan, command *command, r *Request, s *Snapshot) error {
	leg := Leg{Words: r.Words, Slot: NoSlot, choice: choosePrimary}
	switch command.place {
	case placeAllNodes:
		return p.fanOut(s.nodes, chooseFixed, command, r)
	case placeAllPrimaries:
		if s.Standalone && command.access == accessRead {
			return p.fanOut([]*Node{by.reader(s.shards[0])}, chooseReader, command, r)
		}
		return p.fanOut(s.primaries, chooseSuccessor, command, r)
	case placeAnyNode:
		leg.choice = chooseAny(s)
	case placeAnyPrimary:
	case placeAddress:
		return badArgument("%s is for one node only: name it with a by-address route", command.name)
	case placeSplitKeys, placeSplitKeysLast, placeSplitPairs, placeSplitTriples, placeSplitCountedPairs:
		return by.split(p, command, r, s)
	default:
		where := command.locate(r.Words)
		switch {
		case where.slot != NoSlot:
			leg.Slot, leg.choice, leg.read = where.slot, chooseOwnerOrAny, command.access == accessRead
		case where.anyNode:
			leg.choice = chooseAny(s)
		}
	}
	return by.single(p, leg, s)
}

// chooseAny is for a command that any node can serve. Of a standalone server and its replicas that
// is the one that reads go to: there everything is about one set of data, and a replica lags.
func chooseAny(s *Snapshot) choice {
	if s.Standalone {
		return chooseReader
	}
	return chooseNode
}

func (by *Planner) single(p *Plan, leg Leg, s *Snapshot) error {
	p.one[0] = leg
	p.Legs = p.one[:]
	return by.Choose(&p.Legs[0], s)
}

func (p *Plan) fanOut(nodes []*Node, by choice, command *command, r *Request) error {
	if len(nodes) == 0 {
		return noNode("the topology has no nodes")
	}
	p.Policy = command.policyOf(r.Words)
	if p.Policy == PolicyDefault {
		p.Policy = PolicyPerNode
	}
	for _, node := range nodes {
		p.Legs = append(p.Legs, Leg{Node: node, Words: r.Words, Slot: NoSlot, Role: node.Role, choice: by})
	}
	return nil
}

// Choose gives a leg its node, or another one after the topology has changed. A leg to a certain
// node keeps it.
func (by *Planner) Choose(l *Leg, s *Snapshot) error {
	l.Fallback = false
	switch l.choice {
	case chooseFixed:
		return nil
	case chooseNode:
		return by.pick(l, s.nodes)
	case choosePrimary:
		return by.pick(l, s.primaries)
	case chooseSuccessor:
		l.Node = s.successor(l.Node)
		return nil
	case chooseReader:
		l.Node = by.reader(s.shards[0])
		l.Role = l.Node.Role
		return nil
	}
	shard := s.Owner(Slot(l.Slot))
	switch {
	case shard == nil && l.choice == chooseOwnerOrAny:
		return by.pick(l, s.primaries)
	case shard == nil:
		return noNode("no route to slot %d: its shard was not found in the topology (epoch %d)", l.Slot, s.Epoch)
	case l.Role == Replica:
		if l.Node = by.replica(shard); l.Node == nil {
			l.Node, l.Fallback = shard.Primary, true
		}
	case l.read:
		l.Node = by.reader(shard)
	default:
		l.Node = shard.Primary
	}
	return nil
}

// maxDraws is how often a node is drawn before the next best one is taken.
const maxDraws = 4

// pick takes a random node that is usable, or any where none is. In place of one that is not another
// is drawn: its neighbour would have to serve for two.
func (by *Planner) pick(l *Leg, nodes []*Node) error {
	if len(nodes) == 0 {
		return noNode("the topology has no nodes")
	}
	drawn := by.Random(len(nodes))
	for range maxDraws {
		if by.usable(nodes[drawn]) {
			break
		}
		drawn = by.Random(len(nodes))
	}
	l.Node = nodes[drawn]
	for i := range nodes {
		if node := nodes[(drawn+i)%len(nodes)]; by.usable(node) {
			l.Node = node
			break
		}
	}
	l.Role = l.Node.Role
	return nil
}

func (by *Planner) usable(node *Node) bool { return by.Usable == nil || by.Usable(node) }

// Slots are the slots that the leg is about: the one that chose its node, else all of the node's
// shard.
func (l *Leg) Slots() []SlotRange {
	if l.Slot != NoSlot {
		return []SlotRange{{Slot(l.Slot), Slot(l.Slot)}}
	}
	return l.Node.Slots()
}

// Chooses says whether the leg came to a replica that others could stand in for.
func (l *Leg) Chooses(node *Node) bool {
	return node.Role == Replica && (l.read || l.Role == Replica && l.choice == chooseOwner || l.choice == chooseNode || l.choice == chooseReader)
}

// Movable says whether Choose may come to another node, a primary that is.
func (l *Leg) Movable() bool { return l.choice != chooseFixed && l.Role == Primary }
