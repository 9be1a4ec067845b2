package routing

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

func TestANodeIsAMemberUnderItsIPAndItsHostName(t *testing.T) {
	const nodes = "txt:aa 10.0.0.1:7000@17000,one.test,shard-id=x myself,master - 0 0 1 connected 0-5\n" +
		"bb [2001:db8::2]:7001@17001 slave,fail aa 0 0 2 connected\n" +
		"cc 10.0.0.3:7002@17002 handshake - 0 0 0 connected\n" +
		"dd :0@0 master,noaddr - 0 0 3 disconnected\n" +
		"ee :7004@17004,five.test master - 0 0 4 connected\n" +
		"ff 10.0.0.6:7005@17005 master\n"
	from := Address{"gateway", 7000}
	for address, member := range map[string]bool{
		"10.0.0.1:7000": true, "ONE.test:7000": true, "10.0.0.1:7001": false, "one.test:17000": false,
		"2001:db8:0::2:7001": true, "10.0.0.3:7002": false, ":0": false, "five.test:7004": true,
		"10.0.0.6:7005": false, "evil.test:7000": false, "shard-id=x:7000": false,
		"gateway:7001": true, "gateway:7009": false, // where the servers do not tell their own host
	} {
		parsed, err := ParseAddress(address)
		if err != nil {
			require.False(t, member, address)
			continue
		}
		require.Equal(t, member, HasMember(nodes, parsed, from), address)
	}
	require.False(t, HasMember("", from, from))
}

// A node that is named is found, whatever stands in the other lines.
func FuzzHasMember(f *testing.F) {
	f.Add("aa 10.0.0.1:7000@17000,one.test myself,master - 0 0 1 connected 0-5", "10.0.0.2:7001")
	f.Fuzz(func(t *testing.T, others, text string) {
		address, err := ParseAddress(text)
		if err != nil || strings.ContainsFunc(address.Host, func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == '@' }) {
			return
		}
		nodes := others + "\nbb " + address.String() + "@1 master - 0 0 2 connected\n" + others
		if !HasMember(nodes, address, sender) {
			t.Fatalf("%q does not name %s", nodes, address)
		}
	})
}
