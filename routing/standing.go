package routing

import (
	"fmt"
	"strconv"
	"strings"
)

// Standing is what a node says of itself in CLUSTER NODES: nobody else knows which of its slots
// are on their way to another node.
type Standing struct {
	ID    string
	Run   string // of the process: another one after a restart; "" where the node does not tell
	Epoch uint64 // of its configuration: another one whenever slots came to it from other nodes
	Owned SlotSet
	// Moving are those of its slots whose keys are being handed over, to the node of that id.
	Moving map[Slot]string

	peers map[string]Address // of every node, by id
}

// ParseStanding reads an answer to CLUSTER NODES. Of a replica, which owns no slots itself, nothing
// is owned.
func ParseStanding(nodes, run string) (*Standing, error) {
	s := &Standing{Run: run, Moving: make(map[Slot]string), peers: make(map[string]Address)}
	for line := range strings.Lines(strings.TrimPrefix(nodes, "txt:")) {
		field := strings.Fields(line)
		if len(field) < 8 {
			continue
		}
		if address, err := nodeAddress(field[1]); err == nil {
			s.peers[field[0]] = address
		}
		if !hasFlag(field[2], "myself") {
			continue
		}
		s.ID = field[0]
		var err error
		if s.Epoch, err = strconv.ParseUint(field[6], 10, 64); err != nil {
			return nil, fmt.Errorf("CLUSTER NODES: configuration epoch %q", field[6])
		}
		for _, token := range field[8:] {
			if err := s.readSlots(token); err != nil {
				return nil, err
			}
		}
	}
	if s.ID == "" {
		return nil, fmt.Errorf("CLUSTER NODES: no node says that it is itself")
	}
	return s, nil
}

// nodeAddress reads "10.0.0.1:7000@17000,host name,...": the IP, or the host name where there is none.
func nodeAddress(text string) (Address, error) {
	place, names, _ := strings.Cut(text, ",")
	place, _, _ = strings.Cut(place, "@")
	if strings.HasPrefix(place, ":") {
		name, _, _ := strings.Cut(names, ",")
		place = name + place
	}
	return ParseAddress(place)
}

// readSlots reads a range that the node owns, "[7->-id]" for a slot that it hands over, or
// "[7-<-id]" for one that it is given, which is not its own yet.
func (s *Standing) readSlots(token string) error {
	inner, bracketed := strings.CutPrefix(token, "[")
	if !bracketed {
		held, good := parseSlotRange(token)
		if !good {
			return fmt.Errorf("CLUSTER NODES: slots %q", token)
		}
		for slot := int(held.First); slot <= int(held.Last); slot++ {
			s.Owned.Add(Slot(slot))
		}
		return nil
	}
	number, target, leaves := strings.Cut(strings.TrimSuffix(inner, "]"), "->-")
	if !leaves {
		return nil
	}
	slot, good := parseSlotRange(number)
	if !good || target == "" || strings.ContainsAny(target, "|,>") {
		return fmt.Errorf("CLUSTER NODES: slots %q", token)
	}
	s.Moving[slot.First] = target
	return nil
}

// address is that of a node by its id: as the topology names it, or as this node knows it, since
// one without slots of its own is in no topology.
func (s *Standing) address(id string, snapshot *Snapshot) (Address, bool) {
	for _, node := range snapshot.nodes {
		if node.ID == id {
			return node.Address, true
		}
	}
	address, known := s.peers[id]
	return address, known
}
