package routing

import (
	"strconv"
)

// pattern is how the words of a command that may be split repeat.
type pattern struct {
	first  int // index of the first key
	stride int // words from one key to the next
	end    int // index behind the last repeated word; what follows goes with every part
	counts bool
}

// pattern reads where the keys of these words stand. ok is false where the words do not fit:
// the command can then only be sent whole.
func (c *command) pattern(words [][]byte) (p pattern, ok bool) {
	p = pattern{first: 1, stride: 1, end: len(words)}
	switch c.place {
	case placeSplitKeysLast:
		p.end--
	case placeSplitPairs:
		p.stride = 2
	case placeSplitTriples:
		p.stride = 3
	case placeSplitCountedPairs:
		count, counted := number(words, 1)
		if !counted {
			return p, false
		}
		p = pattern{first: 2, stride: 2, end: 2 + 2*int(count), counts: true}
	}
	return p, p.end > p.first && p.end <= len(words) && (p.end-p.first)%p.stride == 0
}

// split plans a command over several keys: whole where they share a slot, else one leg for each
// slot. A malformed command is sent whole where it can be, for the server to report it; over
// several slots it is refused, since a part of it could run.
func (by *Planner) split(p *Plan, command *command, r *Request, s *Snapshot) error {
	whole := Leg{Words: r.Words, Slot: NoSlot, choice: choosePrimary, read: p.ReadOnly}
	keys, fits := command.pattern(r.Words)
	if keys.first < len(r.Words) && (fits || !keys.counts) {
		whole.Slot, whole.choice = int32(SlotOf(r.Words[keys.first])), chooseOwnerOrAny
	}
	if whole.Slot == NoSlot || s.Standalone || keys.oneSlot(r.Words, Slot(whole.Slot)) {
		return by.single(p, whole, s)
	}
	if !fits {
		return badArgument("%s over several slots: wrong number of arguments (%d words)", command.name, len(r.Words))
	}
	if keys.counts && conditional(r.Words[keys.end:]) {
		return badArgument("CROSSSLOT %s with NX or XX needs all keys in one slot", command.name)
	}
	p.Split, p.Policy = true, command.policyOf(r.Words)
	p.parts(keys, r.Words)
	for i := range p.Legs {
		if err := by.Choose(&p.Legs[i], s); err != nil {
			return err
		}
	}
	return nil
}

// parts makes one leg for each slot, in the order in which the slots first appear.
func (p *Plan) parts(keys pattern, words [][]byte) {
	head, tail := words[:keys.first], words[keys.end:]
	count := (keys.end - keys.first) / keys.stride
	legOf, legs, sizes := make(map[Slot]int, count), make([]int, count), make([]int, 0, count)
	p.Legs = make([]Leg, 0, count)
	for position := range legs {
		slot := SlotOf(words[keys.first+position*keys.stride])
		at, known := legOf[slot]
		if !known {
			at = len(p.Legs)
			legOf[slot] = at
			p.Legs = append(p.Legs, Leg{Slot: int32(slot), choice: chooseOwner, read: p.ReadOnly})
			sizes = append(sizes, 0)
		}
		legs[position] = at
		sizes[at]++
	}
	// What the legs hold is in one piece each.
	room := make([][]byte, len(p.Legs)*(len(head)+len(tail))+count*keys.stride)
	positions := make([]int, count)
	for at, size := range sizes {
		leg, length := &p.Legs[at], len(head)+size*keys.stride+len(tail)
		leg.Words, room = append(room[:0:length], head...), room[length:]
		leg.positions, positions = positions[:0:size], positions[size:]
		if keys.counts {
			leg.Words[1] = strconv.AppendInt(nil, int64(size), 10)
		}
	}
	for position, at := range legs {
		leg, i := &p.Legs[at], keys.first+position*keys.stride
		leg.Words = append(leg.Words, words[i:i+keys.stride]...)
		leg.positions = append(leg.positions, position)
	}
	for i := range p.Legs {
		p.Legs[i].Words = append(p.Legs[i].Words, tail...)
	}
}

func (p pattern) oneSlot(words [][]byte, slot Slot) bool {
	for i := p.first; i < min(p.end, len(words)); i += p.stride {
		if SlotOf(words[i]) != slot {
			return false
		}
	}
	return true
}

// conditional says whether the options of MSETEX hold NX or XX: all keys or none, which parts
// cannot promise.
func conditional(options [][]byte) bool {
	return after(options, "NX", 0) > 0 || after(options, "XX", 0) > 0
}
