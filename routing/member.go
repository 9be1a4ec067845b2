package routing

import "strings"

// HasMember says whether an answer to CLUSTER NODES names a node of that address, under its IP or its
// host name. from is the node that answered: in the server's unknown-endpoint mode a redirect names
// its host, whatever the others call theirs. A node whose handshake with the cluster has not ended is
// none of its members, and one without an address cannot be meant.
func HasMember(nodes string, address, from Address) bool {
	for line := range strings.Lines(strings.TrimPrefix(nodes, "txt:")) {
		field := strings.Fields(line)
		if len(field) < 8 || hasFlag(field[2], "handshake") || hasFlag(field[2], "noaddr") {
			continue
		}
		place, names, _ := strings.Cut(field[1], ",")
		place, _, _ = strings.Cut(place, "@")
		colon := strings.LastIndexByte(place, ':')
		if colon < 0 {
			continue
		}
		port, err := ParsePort(place[colon+1:])
		if err != nil || port != address.Port {
			continue
		}
		name, _, _ := strings.Cut(names, ",")
		for _, host := range []string{place[:colon], name, from.Host} {
			if host != "" && NewAddress(host, port) == address {
				return true
			}
		}
	}
	return false
}

func hasFlag(flags, flag string) bool {
	return strings.Contains(","+flags+",", ","+flag+",")
}
