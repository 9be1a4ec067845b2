package routing

import (
	"fmt"
	"strconv"
	"strings"
)

// Scan is where a scan over a whole cluster stands: which slots are done, and how far the node
// that is being scanned has come. It travels as text, so that no client has to remember it.
type Scan struct {
	done  [SlotCount]bool
	node  Address // that is being scanned; the zero address: none
	Step  string  // the cursor that node gave; "0" begins
	Epoch uint64  // of the node's configuration when its scan began
}

// ScanFinished is the cursor of a scan that has seen every slot.
const ScanFinished = "finished"

// ParseScan reads a cursor: "" or "0" to begin, else the text of an earlier step.
func ParseScan(text string) (*Scan, error) {
	s := &Scan{Step: "0"}
	if text == "" || text == "0" {
		return s, nil
	}
	bad := func(why string) (*Scan, error) {
		return nil, badArgument("scan cursor %q: %s", text, why)
	}
	field := strings.Split(text, "|")
	if len(field) != 4 {
		return bad("it is none of a cluster scan")
	}
	for run := range strings.SplitSeq(field[0], ",") {
		if run == "" {
			continue
		}
		firstText, lastText, _ := strings.Cut(run, "-")
		first, err1 := strconv.ParseUint(firstText, 10, 16)
		last, err2 := strconv.ParseUint(lastText, 10, 16)
		if err1 != nil || err2 != nil || first > last || last >= SlotCount {
			return bad("slots " + run)
		}
		s.mark(SlotRange{Slot(first), Slot(last)})
	}
	if field[1] == "" {
		return s, nil
	}
	var err error
	if s.node, err = ParseAddress(field[1]); err != nil {
		return bad(err.Error())
	}
	if _, err = strconv.ParseUint(field[2], 10, 64); err != nil {
		return bad("step " + field[2])
	}
	if s.Epoch, err = strconv.ParseUint(field[3], 10, 64); err != nil {
		return bad("epoch " + field[3])
	}
	s.Step = field[2]
	return s, nil
}

// String is the cursor that ParseScan reads.
func (s *Scan) String() string {
	var text strings.Builder
	left := false
	for first := 0; first < SlotCount; first++ {
		if !s.done[first] {
			left = true
			continue
		}
		last := first
		for last+1 < SlotCount && s.done[last+1] {
			last++
		}
		if text.Len() > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, "%d-%d", first, last)
		first = last
	}
	switch {
	case !left:
		return ScanFinished
	case s.node == Address{}:
		return text.String() + "|||"
	}
	return fmt.Sprintf("%s|%s|%s|%d", text.String(), s.node, s.Step, s.Epoch)
}

// Next is the node to go on with: the one being scanned while it still is a primary, else the
// owner of the lowest slot that is left. It is nil where nothing is left. A slot that no shard
// serves is an error, or counts as done where gaps are allowed.
func (s *Scan) Next(snapshot *Snapshot, allowGaps bool) (*Node, error) {
	var next *Node
	for slot := range s.done {
		if s.done[slot] {
			continue
		}
		shard := snapshot.Owner(Slot(slot))
		switch {
		case shard == nil && allowGaps:
			s.done[slot] = true
		case shard == nil:
			return nil, noNode("not all slots covered: no shard serves slot %d (epoch %d)", slot, snapshot.Epoch)
		case next == nil:
			next = shard.Primary
		}
	}
	if node := snapshot.Find(s.node); next != nil && node != nil && node.Role == Primary {
		return node, nil
	}
	s.Restart()
	if next != nil {
		s.node = next.Address
	}
	return next, nil
}

// Begins says whether the next step is the first on its node.
func (s *Scan) Begins() bool { return s.Step == "0" }

// Restart forgets the node that is being scanned: what it has not finished is scanned again.
func (s *Scan) Restart() { s.node, s.Step, s.Epoch = Address{}, "0", 0 }

// Finish takes note that the node has shown all it has. What it owns now is done, unless its
// configuration changed meanwhile: slots that came to it during the scan may have been missed.
func (s *Scan) Finish(owned []SlotRange, epoch uint64) {
	if epoch == s.Epoch {
		for _, held := range owned {
			s.mark(held)
		}
	}
	s.Restart()
}

func (s *Scan) mark(held SlotRange) {
	for slot := int(held.First); slot <= int(held.Last); slot++ {
		s.done[slot] = true
	}
}
