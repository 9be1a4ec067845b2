package routing

import "fmt"

// Batch is several commands that travel together.
type Batch struct {
	Commands [][][]byte
	Atomic   bool  // one transaction, on one node
	Route    Route // RouteDefault, or a route to one node for the whole batch
}

// BatchPlan is where the commands of a batch go.
type BatchPlan struct {
	Parts  []Part // one for each node, in the order in which the nodes are first needed
	Atomic bool   // the one part goes between MULTI and EXEC
	// ReadOnly says of an atomic batch that nothing in it changes a key.
	ReadOnly bool
	Epoch    uint64
	Whole    *Leg // of an atomic batch: how its node is chosen; it has no words

	plans []Plan // of each command, where it is not atomic
}

// Of returns the plan that a step belongs to, and its leg. An atomic batch has none.
func (p *BatchPlan) Of(step Step) (*Plan, *Leg) {
	plan := &p.plans[step.Command]
	return plan, &plan.Legs[step.Leg]
}

// Part is what one node gets, in one write.
type Part struct {
	Node  *Node
	Slot  int32 // of an atomic batch with keys; else NoSlot
	Steps []Step
}

// Step is one leg of one command of the batch.
type Step struct {
	Command int // index into Batch.Commands
	Leg     int // of the command's own plan
	Words   [][]byte
}

// Batch makes p the plan of b over s, in the memory that p has. All routes are known before anything
// is sent, or none is. The error is an *Error that names the command.
func (by *Planner) Batch(p *BatchPlan, b *Batch, s *Snapshot) error {
	p.reset()
	p.Epoch = s.Epoch
	if len(b.Commands) == 0 {
		return badArgument("empty batch: it has no commands")
	}
	if k := b.Route.Kind; k == RouteAllNodes || k == RouteAllPrimaries {
		return badArgument("a batch goes to one node or where its commands belong, not to all nodes")
	}
	if b.Atomic {
		return by.atomic(p, b, s)
	}
	routed, err := by.routed(b, s)
	if err != nil {
		return err
	}
	p.hold(len(b.Commands))
	for i, words := range b.Commands {
		plan := &p.plans[i]
		if err := by.planInBatch(plan, &Request{Words: words}, routed, s); err != nil {
			return inBatch(i, err)
		}
		p.join(plan)
		for j := range plan.Legs {
			leg := &plan.Legs[j]
			part := p.partOf(leg.Node)
			part.Steps = append(part.Steps, Step{i, j, leg.Words})
		}
	}
	return nil
}

// hold makes room for the plans of so many commands.
func (p *BatchPlan) hold(commands int) {
	if cap(p.plans) < commands {
		p.plans = make([]Plan, commands)
	}
	p.plans = p.plans[:commands]
}

// reset makes the plan an empty one.
func (p *BatchPlan) reset() {
	*p = BatchPlan{Parts: p.Parts[:0], plans: p.plans[:0]}
}

// Clear lets go of what the plan holds, and keeps its memory: that of so many commands.
func (p *BatchPlan) Clear() (commands int) {
	for i := range p.Parts {
		commands += cap(p.Parts[i].Steps)
		clear(p.Parts[i].Steps)
		p.Parts[i].Node = nil
	}
	clear(p.plans)
	p.reset()
	return max(commands, cap(p.plans))
}

// partOf is the part of a node, which has few others beside it.
func (p *BatchPlan) partOf(node *Node) *Part {
	for i := range p.Parts {
		if p.Parts[i].Node == node {
			return &p.Parts[i]
		}
	}
	var steps []Step
	if before := len(p.Parts); before < cap(p.Parts) {
		steps = p.Parts[:before+1][before].Steps[:0]
	}
	p.Parts = append(p.Parts, Part{Node: node, Slot: NoSlot, Steps: steps})
	return &p.Parts[len(p.Parts)-1]
}

// routed is the leg to the one node that the route of a batch names; nil where it has none. The
// node is chosen once: drawn or rotated to for each command it would be several.
func (by *Planner) routed(b *Batch, s *Snapshot) (*Leg, error) {
	if b.Route.Kind == RouteDefault {
		return nil, nil
	}
	whole := new(command)
	for _, words := range b.Commands {
		if len(words) > 0 && find(words).access == accessWrite {
			whole.access = accessWrite
		}
	}
	var plan Plan
	if err := by.byRoute(&plan, whole, &Request{Route: b.Route}, s); err != nil {
		return nil, err
	}
	return &plan.Legs[0], nil
}

// planInBatch plans one command of a batch: where routed says, if it says anything. On a standalone
// server all of a batch goes to the primary, whatever its commands are, as in GLIDE.
func (by *Planner) planInBatch(p *Plan, r *Request, routed *Leg, s *Snapshot) error {
	if routed == nil && !s.Standalone {
		return by.Plan(p, r, s)
	}
	if _, err := by.begin(p, r, s); err != nil {
		return err
	}
	if routed == nil {
		return by.single(p, Leg{Words: r.Words, Slot: NoSlot, choice: choosePrimary}, s)
	}
	p.one[0] = *routed
	p.one[0].Words = r.Words
	p.Legs = p.one[:]
	return nil
}

func inBatch(command int, err error) error {
	told := *err.(*Error)
	told.Message = fmt.Sprintf("command %d of the batch: %s", command, told.Message)
	return &told
}

// join sends a command that may go to any node along with others: to the first node that the
// batch needs anyway and that will do.
func (p *BatchPlan) join(plan *Plan) {
	leg := &plan.Legs[0]
	if len(plan.Legs) > 1 || leg.choice != chooseNode && leg.choice != choosePrimary {
		return
	}
	for _, part := range p.Parts {
		if leg.choice == chooseNode || part.Node.Role == Primary {
			leg.Node, leg.Role = part.Node, part.Node.Role
			return
		}
	}
}

// atomic plans a transaction. Its commands with keys decide the node, and must agree on the slot;
// the others go along. It may go to a replica where nothing in it writes.
func (by *Planner) atomic(p *BatchPlan, b *Batch, s *Snapshot) error {
	part := Part{Slot: NoSlot}
	readOnly := true
	for i, words := range b.Commands {
		command, err := by.command(&Request{Words: words})
		if err != nil {
			return inBatch(i, err)
		}
		part.Steps = append(part.Steps, Step{Command: i, Words: words})
		slot, several := command.oneSlot(words)
		if several && !s.Standalone {
			return fault(FaultCrossSlot, "CROSSSLOT command %d of the atomic batch has keys in several slots", i)
		}
		if slot == NoSlot {
			continue
		}
		readOnly = readOnly && command.access == accessRead
		if part.Slot != NoSlot && part.Slot != slot && !s.Standalone {
			return fault(FaultCrossSlot, "CROSSSLOT command %d of the atomic batch has its keys in slot %d, another one in slot %d", i, slot, part.Slot)
		}
		part.Slot = slot
	}
	leg := Leg{Slot: part.Slot, choice: chooseOwner, read: readOnly && !s.Standalone}
	if part.Slot == NoSlot {
		leg.choice = choosePrimary
	}
	p.Atomic, p.ReadOnly = true, readOnly && part.Slot != NoSlot
	routed, err := by.routed(b, s)
	if err != nil {
		return err
	}
	if routed != nil {
		leg = *routed
	} else if err := by.Choose(&leg, s); err != nil {
		return err
	}
	part.Node = leg.Node
	p.Parts, p.Whole = append(p.Parts, part), &leg
	return nil
}

// oneSlot is the slot of the command's keys, NoSlot where it has none. Of the commands that can be
// split it sees every key, of the others the first.
func (c *command) oneSlot(words [][]byte) (slot int32, several bool) {
	switch c.place {
	case placeSplitKeys, placeSplitKeysLast, placeSplitPairs, placeSplitTriples, placeSplitCountedPairs:
		keys, fits := c.pattern(words)
		if keys.first >= len(words) || keys.counts && !fits {
			return NoSlot, false
		}
		first := SlotOf(words[keys.first])
		return int32(first), !keys.oneSlot(words, first)
	}
	return c.locate(words).slot, false
}
