package routing

import (
	"cmp"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Address is a host and a port. Two spellings of one IP give equal addresses, so an Address
// serves as a map key.
type Address struct {
	Host string // an IP in its canonical form or a lower-case host name; no brackets
	Port uint16
}

// NewAddress brings host into canonical form. It accepts brackets around an IP address, and dots
// behind a name.
func NewAddress(host string, port uint16) Address {
	inner := host
	if len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']' {
		inner = host[1 : len(host)-1]
	}
	if ip, err := netip.ParseAddr(inner); err == nil {
		return Address{ip.Unmap().String(), port}
	}
	return Address{strings.ToLower(strings.TrimRight(host, ".")), port}
}

// ParseAddress splits "host:port" at the last colon, so an IPv6 address needs no brackets but
// may have them.
func ParseAddress(text string) (Address, error) {
	colon := strings.LastIndexByte(text, ':')
	if colon < 0 {
		return Address{}, fmt.Errorf("address %q has no port; write host:port", text)
	}
	port, err := ParsePort(text[colon+1:])
	if err != nil {
		return Address{}, fmt.Errorf("address %q: %w", text, err)
	}
	address := NewAddress(text[:colon], port)
	if address.Host == "" {
		return Address{}, fmt.Errorf("address %q has no host; write host:port", text)
	}
	return address, nil
}

// ParsePort reads a port in digits, 1..65535.
func ParsePort(text string) (uint16, error) {
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("port %q is not a number in 1..65535", text)
	}
	return uint16(port), nil
}

// CheckHost refuses what can be no host: empty, with a blank or a control character, with a port
// or with credentials.
func CheckHost(host string) error {
	address := NewAddress(host, 1)
	switch {
	case strings.Contains(host, "@"): // of a URL, so what stands before it may be a password
		return fmt.Errorf("host \"...%s\" holds credentials: the username and the password stand in fields of their own", host[strings.LastIndexByte(host, '@'):])
	case address.Host == "":
		return fmt.Errorf("host %q is empty", host)
	case strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return fmt.Errorf("host %q has a blank or a control character", host)
	case strings.Contains(address.Host, ":") && !address.IsIP():
		return fmt.Errorf("host %q is no IPv6 address; a port stands beside it", host)
	}
	return nil
}

// String is the form in which nodes are named to callers: no brackets, also around IPv6.
func (a Address) String() string {
	return a.Host + ":" + strconv.Itoa(int(a.Port))
}

// Dial is the form that a dialler takes: brackets around IPv6.
func (a Address) Dial() string {
	if strings.IndexByte(a.Host, ':') >= 0 {
		return "[" + a.Host + "]:" + strconv.Itoa(int(a.Port))
	}
	return a.String()
}

// IsIP says whether the host is an IP address rather than a name.
func (a Address) IsIP() bool {
	_, err := netip.ParseAddr(a.Host)
	return err == nil
}

func (a Address) compare(b Address) int {
	return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Port, b.Port))
}
