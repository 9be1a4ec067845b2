package routing

// notInSession are the commands that a session refuses beyond those that have no reply of the
// usual kind: they would undo what the client has set up on the connection, or ask for messages
// that nobody reads.
var notInSession = map[string]string{
	"HELLO":           "would change the protocol under the client",
	"RESET":           "would undo what the client has set up on the connection; close the session instead",
	"CLIENT TRACKING": "asks for messages that nobody reads",
	"CLIENT CACHING":  "is for tracking, which is refused",
	"SCRIPT DEBUG":    "turns the connection into a debugger",
}

// InSession checks a command that is to go over a connection of the caller's own, and gives the
// time that it may block. State of the connection, as MULTI, WATCH and SELECT set it, is the
// caller's there. The error is an *Error.
func (by *Planner) InSession(words [][]byte) (Wait, error) {
	if len(words) == 0 {
		return Wait{}, badArgument("the command has no words")
	}
	row := find(words)
	if reason, refused := notInSession[row.name]; refused {
		return Wait{}, badArgument("%s is not sent in a session: it %s", row.name, reason)
	}
	if row.place != placeRefused || row.refusal != refusals["session"] {
		if _, err := by.command(&Request{Words: words}); err != nil {
			return Wait{}, err
		}
	}
	return row.wait.of(words)
}

// Session chooses the node of a session: that of a route to one node, or the primary of a
// standalone server. The error is an *Error.
func (by *Planner) Session(route Route, s *Snapshot) (*Leg, error) {
	switch route.Kind {
	case RouteAllNodes, RouteAllPrimaries:
		return nil, badArgument("a session is with one node; this route is to several")
	case RouteDefault:
		if !s.Standalone {
			return nil, badArgument("a session on a cluster needs a route: it is with one node, as the primary of a key's slot")
		}
		leg := &Leg{Slot: NoSlot, choice: choosePrimary}
		return leg, by.Choose(leg, s)
	}
	var plan Plan
	if err := by.Plan(&plan, &Request{Words: [][]byte{[]byte("PING")}, Route: route}, s); err != nil {
		return nil, err
	}
	return &plan.Legs[0], nil
}
