package routing

import (
	"fmt"
	"iter"
	"math/bits"
	"strconv"
	"strings"
)

// SlotSet is a set of slots. Its text is ranges, as "0-99,7000-7000".
type SlotSet [SlotCount / 64]uint64

// SetOf is the set of ranges of slots.
func SetOf(ranges ...SlotRange) (s SlotSet) {
	for _, held := range ranges {
		for slot := int(held.First); slot <= int(held.Last); slot++ {
			s.Add(Slot(slot))
		}
	}
	return s
}

func (s *SlotSet) Add(slot Slot)      { s[slot/64] |= 1 << (slot % 64) }
func (s *SlotSet) Remove(slot Slot)   { s[slot/64] &^= 1 << (slot % 64) }
func (s *SlotSet) Has(slot Slot) bool { return s[slot/64]&(1<<(slot%64)) != 0 }
func (s *SlotSet) Empty() bool        { return *s == SlotSet{} }

// All gives the slots of the set in their order.
func (s *SlotSet) All() iter.Seq[Slot] {
	return func(yield func(Slot) bool) {
		for i, word := range s {
			for ; word != 0; word &= word - 1 {
				if !yield(Slot(i*64 + bits.TrailingZeros64(word))) {
					return
				}
			}
		}
	}
}

func (s *SlotSet) String() string {
	var text strings.Builder
	for first := 0; first < SlotCount; first++ {
		if !s.Has(Slot(first)) {
			continue
		}
		last := first
		for last+1 < SlotCount && s.Has(Slot(last+1)) {
			last++
		}
		if text.Len() > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, "%d-%d", first, last)
		first = last
	}
	return text.String()
}

// parseSlotSet reads what String writes.
func parseSlotSet(text string) (s SlotSet, err error) {
	if text == "" {
		return s, nil
	}
	for run := range strings.SplitSeq(text, ",") {
		held, good := parseSlotRange(run)
		if !good {
			return s, fmt.Errorf("slots %q", run)
		}
		for slot := int(held.First); slot <= int(held.Last); slot++ {
			s.Add(Slot(slot))
		}
	}
	return s, nil
}

// parseSlotRange reads "0-99", or "7000" for one slot.
func parseSlotRange(text string) (held SlotRange, good bool) {
	firstText, lastText, ranged := strings.Cut(text, "-")
	if !ranged {
		lastText = firstText
	}
	first, err1 := strconv.ParseUint(firstText, 10, 16)
	last, err2 := strconv.ParseUint(lastText, 10, 16)
	return SlotRange{Slot(first), Slot(last)}, err1 == nil && err2 == nil && first <= last && last < SlotCount
}
