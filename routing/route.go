package routing

import "fmt"

// Role is what a node is to its shard.
type Role uint8

const (
	Primary Role = iota
	Replica
)

func (r Role) String() string {
	if r == Replica {
		return "replica"
	}
	return "primary"
}

// RouteKind is one of the six routes, or none.
type RouteKind uint8

const (
	RouteDefault RouteKind = iota // where the command belongs
	RouteAllNodes
	RouteAllPrimaries
	RouteRandomNode
	RouteSlotKey
	RouteSlotID
	RouteByAddress
)

// Route is where the caller wants a request to go.
type Route struct {
	Kind   RouteKind
	Role   Role   // RouteSlotKey, RouteSlotID
	Key    []byte // RouteSlotKey
	SlotID int32  // RouteSlotID
	Host   string // RouteByAddress; "host:port" where Port is 0
	Port   int32  // RouteByAddress
}

// Fault says what is wrong with a request or a topology.
type Fault uint8

const (
	FaultArgument  Fault = iota // the request can never work
	FaultNoNode                 // the topology has no node for it now
	FaultTimeout                // it asks to block for a time that is none
	FaultReadOnly               // it may write, and the client is read-only
	FaultCrossSlot              // its keys are in several slots
)

// Error is why a request could not be planned.
type Error struct {
	Fault   Fault
	Message string
	Seconds float64 // of FaultTimeout: what it asks for, NaN where that is no number
}

func (e *Error) Error() string { return e.Message }

func badArgument(format string, args ...any) error {
	return fault(FaultArgument, format, args...)
}

func fault(of Fault, format string, args ...any) *Error {
	return &Error{Fault: of, Message: fmt.Sprintf(format, args...)}
}

func noNode(format string, args ...any) error {
	return fault(FaultNoNode, format, args...)
}

// slot is the slot that a slot route names.
func (r *Route) slot() (Slot, error) {
	if r.Kind == RouteSlotKey {
		return SlotOf(r.Key), nil
	}
	if r.SlotID < 0 || r.SlotID >= SlotCount {
		return 0, badArgument("slot %d is out of range 0..%d", r.SlotID, SlotCount-1)
	}
	return Slot(r.SlotID), nil
}

// address is the address that a by-address route names.
func (r *Route) address() (Address, error) {
	if r.Port == 0 {
		address, err := ParseAddress(r.Host)
		if err != nil {
			return Address{}, badArgument("by-address route with port 0: %v", err)
		}
		return address, nil
	}
	if r.Port < 0 || r.Port > 65535 {
		return Address{}, badArgument("port %d of the by-address route is out of range 1..65535", r.Port)
	}
	if r.Host == "" {
		return Address{}, badArgument("the by-address route has no host")
	}
	return NewAddress(r.Host, uint16(r.Port)), nil
}
