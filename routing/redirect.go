package routing

import (
	"strconv"
	"strings"
)

// Redirect is a MOVED or an ASK.
type Redirect struct {
	Ask  bool // for this one command only; the topology stands
	Slot Slot
	To   Address
}

// ParseRedirect reads an error line such as "MOVED 3999 127.0.0.1:6381". from is the node that
// sent it: an empty host in the line means the host of that node (the server's unknown-endpoint
// mode). It is false for other errors and for a redirect that cannot be followed: malformed, or
// to the host "?".
func ParseRedirect(line string, from Address) (Redirect, bool) {
	code, rest, _ := strings.Cut(line, " ")
	if code != "MOVED" && code != "ASK" {
		return Redirect{}, false
	}
	slotText, target, _ := strings.Cut(rest, " ")
	slot, err := strconv.ParseUint(slotText, 10, 16)
	if err != nil || slot >= SlotCount {
		return Redirect{}, false
	}
	// Newer servers may append words after the address.
	target, _, _ = strings.Cut(target, " ")
	if strings.HasPrefix(target, ":") && strings.Count(target, ":") == 1 {
		target = from.Host + target
	}
	to, err := ParseAddress(target)
	if err != nil || to.Host == "?" {
		return Redirect{}, false
	}
	return Redirect{code == "ASK", Slot(slot), to}, true
}
