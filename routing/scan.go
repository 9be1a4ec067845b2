package routing

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Scan is where a scan over a whole cluster stands. It travels as text, so that no client has to
// remember it.
//
// A node shows its keys in a turn of steps. A key that is there throughout is shown at least once,
// since a slot is done only
//
//   - by the turn of a node that owned it from the beginning to the end of that turn, and handed
//     none of its keys over meanwhile; or
//   - where its keys were being handed over, key by key, by the turn of the node that owned it and
//     then another one, begun after that, of the node that is given them. What the first turn
//     missed had gone to the second node before, and does not come back.
//
// A turn counts only if the node's process was the same throughout, since a cursor of SCAN means
// nothing to another one. What the questions at the ends of turns cannot tell is that between two of
// them a slot's hand-over to a node was begun and given up, or given up and begun again, and keys came
// back meanwhile.
type Scan struct {
	done SlotSet
	owed []debt // in the order of the turns that are to come

	node  Address   // whose turn it is; the zero address: nobody's
	Step  string    // the cursor that node gave; "0" begins
	begun beginning // how the node stood when its turn began
}

// debt is slots of which the node that owns them has shown what it had, and to is to show the rest.
type debt struct {
	to    Address
	slots SlotSet
}

type beginning struct {
	epoch  uint64
	run    string
	owned  SlotSet
	moving map[Slot]string // as in Standing
}

// ScanFinished is the cursor of a scan that has seen every slot.
const ScanFinished = "finished"

// ParseScan reads a cursor: "" or "0" to begin, else the text of an earlier step.
func ParseScan(text string) (*Scan, error) {
	s := &Scan{Step: "0"}
	if text == "" || text == "0" {
		return s, nil
	}
	field := strings.Split(text, "|")
	if len(field) != 8 {
		return nil, badArgument("scan cursor %q: it is none of a cluster scan", text)
	}
	err := s.parse(field)
	if err != nil {
		return nil, badArgument("scan cursor %q: %v", text, err)
	}
	return s, nil
}

func (s *Scan) parse(field []string) (err error) {
	if s.done, err = parseSlotSet(field[0]); err != nil {
		return err
	}
	if field[1] != "" {
		for text := range strings.SplitSeq(field[1], ";") {
			slots, to, _ := strings.Cut(text, "@")
			var owed debt
			if owed.slots, err = parseSlotSet(slots); err != nil {
				return err
			}
			if owed.to, err = ParseAddress(to); err != nil {
				return err
			}
			s.owed = append(s.owed, owed)
		}
	}
	if field[2] == "" {
		return nil
	}
	if s.node, err = ParseAddress(field[2]); err != nil {
		return err
	}
	if _, err = strconv.ParseUint(field[3], 10, 64); err != nil {
		return fmt.Errorf("step %q", field[3])
	}
	s.Step, s.begun.run = field[3], field[5]
	if s.begun.epoch, err = strconv.ParseUint(field[4], 10, 64); err != nil {
		return fmt.Errorf("epoch %q", field[4])
	}
	if s.begun.owned, err = parseSlotSet(field[6]); err != nil || field[7] == "" {
		return err
	}
	s.begun.moving = make(map[Slot]string)
	for text := range strings.SplitSeq(field[7], ",") {
		number, id, _ := strings.Cut(text, ">")
		slot, err := strconv.ParseUint(number, 10, 16)
		if err != nil || slot >= SlotCount {
			return fmt.Errorf("slot %q", number)
		}
		s.begun.moving[Slot(slot)] = id
	}
	return nil
}

// String is the cursor that ParseScan reads.
func (s *Scan) String() string {
	if s.done == SetOf(everySlot) {
		return ScanFinished
	}
	var owed []string
	for i := range s.owed {
		owed = append(owed, s.owed[i].slots.String()+"@"+s.owed[i].to.String())
	}
	field := []string{s.done.String(), strings.Join(owed, ";"), "", "", "", "", "", ""}
	if s.node != (Address{}) {
		begun := &s.begun
		copy(field[2:], []string{
			s.node.String(), s.Step, strconv.FormatUint(begun.epoch, 10), begun.run, begun.owned.String(), begun.hands(),
		})
	}
	return strings.Join(field, "|")
}

// hands is the text of moving, as "7>id,93>id".
func (b *beginning) hands() string {
	var text []string
	for _, slot := range slices.Sorted(maps.Keys(b.moving)) {
		text = append(text, fmt.Sprintf("%d>%s", slot, b.moving[slot]))
	}
	return strings.Join(text, ",")
}

// Next is the node whose turn it is: the one of the last step while it still is a primary, else
// one that is owed to, else the owner of the lowest slot that is left. It is false where nothing is
// left. A slot that no shard serves is an error, or counts as done where gaps are allowed.
//
// A node that is owed to may be missing from the snapshot: it has no slot of its own yet.
func (s *Scan) Next(snapshot *Snapshot, allowGaps bool) (address Address, left bool, err error) {
	s.owed = slices.DeleteFunc(s.owed, func(d debt) bool {
		node := snapshot.Find(d.to)
		return node != nil && node.Role != Primary
	})
	waits := s.waits()
	var next *Node
	for slot := range Slot(SlotCount) {
		if s.done.Has(slot) || waits.Has(slot) {
			continue
		}
		shard := snapshot.Owner(slot)
		switch {
		case shard == nil && allowGaps:
			s.done.Add(slot)
		case shard == nil:
			return Address{}, false, noNode("not all slots covered: no shard serves slot %d (epoch %d)", slot, snapshot.Epoch)
		case next == nil:
			next = shard.Primary
		}
	}
	if node := snapshot.Find(s.node); (node != nil && node.Role == Primary || s.owes(s.node)) && (next != nil || len(s.owed) > 0) {
		return s.node, true, nil
	}
	s.forget()
	switch {
	case len(s.owed) > 0:
		s.node = s.owed[0].to
	case next != nil:
		s.node = next.Address
	default:
		return Address{}, false, nil
	}
	return s.node, true, nil
}

// waits are the slots that are owed.
func (s *Scan) waits() (all SlotSet) {
	for i := range s.owed {
		for j, word := range s.owed[i].slots {
			all[j] |= word
		}
	}
	return all
}

func (s *Scan) owes(to Address) bool {
	return slices.ContainsFunc(s.owed, func(d debt) bool { return d.to == to })
}

// Begins says whether the next step is the first of its node's turn.
func (s *Scan) Begins() bool { return s.Step == "0" }

// Begin takes note of how the node stood before the first step of its turn.
func (s *Scan) Begin(standing *Standing) {
	s.begun = beginning{standing.Epoch, standing.Run, standing.Owned, standing.Moving}
}

// Restart gives the turn up, and what it was to pay: the slots in question begin anew.
func (s *Scan) Restart() {
	s.settle(s.node)
	s.forget()
}

func (s *Scan) forget() { s.node, s.Step, s.begun = Address{}, "0", beginning{} }

// settle takes away what is owed to a node.
func (s *Scan) settle(to Address) (slots SlotSet) {
	s.owed = slices.DeleteFunc(s.owed, func(d debt) bool {
		if d.to == to {
			slots = d.slots
		}
		return d.to == to
	})
	return slots
}

// Witnesses are the owners of what is owed to the node whose turn it is, but for those slots that it
// owns itself by now.
func (s *Scan) Witnesses(snapshot *Snapshot, owned *SlotSet) []*Node {
	var owners []*Node
	for i := range s.owed {
		for slot := range s.owed[i].slots.All() {
			shard := snapshot.Owner(slot)
			if s.owed[i].to == s.node && !owned.Has(slot) && shard != nil && !slices.Contains(owners, shard.Primary) {
				owners = append(owners, shard.Primary)
			}
		}
	}
	return owners
}

// Vouched says whether one of the witnesses hands slots over to the node whose turn it is. The
// address of a node that is in no topology comes from the cursor, and a cursor from anywhere.
func (s *Scan) Vouched(witnesses []*Standing, snapshot *Snapshot) bool {
	return slices.ContainsFunc(witnesses, func(w *Standing) bool {
		for _, id := range w.Moving {
			if to, known := w.address(id, snapshot); known && to == s.node {
				return true
			}
		}
		return false
	})
}

// Finish takes note that the node has shown all it has, and of how it and the witnesses stand after
// that. Slots that are not done by it are begun again.
func (s *Scan) Finish(standing *Standing, witnesses []*Standing, snapshot *Snapshot) {
	owed := s.settle(s.node)
	if standing.Run == s.begun.run {
		for slot := range owed.All() {
			if standing.Owned.Has(slot) {
				s.shown(slot, standing, snapshot)
			} else if handsOver(witnesses, slot, standing.ID) {
				s.done.Add(slot)
			}
		}
		// With a new epoch slots may have gone and come back, with keys that were missed.
		for slot := range s.begun.owned.All() {
			stayed := standing.Epoch == s.begun.epoch && standing.Owned.Has(slot)
			if before := s.begun.moving[slot]; stayed && (before == "" || before == standing.Moving[slot]) {
				s.shown(slot, standing, snapshot)
			}
		}
	}
	s.forget()
}

func handsOver(witnesses []*Standing, slot Slot, to string) bool {
	return slices.ContainsFunc(witnesses, func(w *Standing) bool { return w.Owned.Has(slot) && w.Moving[slot] == to })
}

// shown takes note that the owner of a slot has shown what it had of it.
func (s *Scan) shown(slot Slot, standing *Standing, snapshot *Snapshot) {
	target, moving := standing.Moving[slot]
	if !moving {
		s.done.Add(slot)
	} else if to, known := standing.address(target, snapshot); known && !s.done.Has(slot) {
		s.owe(slot, to)
	}
}

func (s *Scan) owe(slot Slot, to Address) {
	for i := range s.owed {
		if s.owed[i].to == to {
			s.owed[i].slots.Add(slot)
			return
		}
	}
	s.owed = append(s.owed, debt{to, SetOf(SlotRange{slot, slot})})
}
