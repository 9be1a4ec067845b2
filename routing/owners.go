package routing

import "iter"

// owners gives each slot the shard that serves it: its place among shards, counted from 1. The zero
// value gives none to any.
type owners [SlotCount]uint16

// of is the index of the shard that serves a slot; -1: none does.
func (o *owners) of(slot Slot) int { return int(o[slot]) - 1 }

// give has the shard of an index serve slots, whoever served them before.
func (o *owners) give(slots SlotRange, shard int) {
	run := o[slots.First : int(slots.Last)+1]
	run[0] = uint16(shard + 1)
	for done := 1; done < len(run); done *= 2 {
		copy(run[done:], run[:done])
	}
}

// fill is give for those of the slots that no shard serves.
func (o *owners) fill(slots SlotRange, shard int) {
	for slot := int(slots.First); slot <= int(slots.Last); slot++ {
		if o[slot] == 0 {
			o[slot] = uint16(shard + 1)
		}
	}
}

// taken is the first of the slots that a shard serves, if there is one.
func (o *owners) taken(slots SlotRange) (Slot, bool) {
	for i, shard := range o[slots.First : int(slots.Last)+1] {
		if shard != 0 {
			return slots.First + Slot(i), true
		}
	}
	return 0, false
}

// runs gives each run of slots that one shard serves, with its index, in the order of the slots.
func (o *owners) runs() iter.Seq2[SlotRange, int] {
	return func(yield func(SlotRange, int) bool) {
		for first := 0; first < SlotCount; {
			last := o.last(first)
			if shard := o.of(Slot(first)); shard >= 0 && !yield(SlotRange{Slot(first), Slot(last)}, shard) {
				return
			}
			first = last + 1
		}
	}
}

// last is the end of the run that begins at a slot.
func (o *owners) last(first int) int {
	for i, shard := range o[first:] {
		if shard != o[first] {
			return first + i - 1
		}
	}
	return SlotCount - 1
}
