package routing

import (
	"testing"

	"github.com/stretchr/testify/require"
)

var sender = Address{"10.0.0.1", 7000}

func TestARedirectNamesItsTarget(t *testing.T) {
	for line, expected := range map[string]Redirect{
		"MOVED 3999 127.0.0.1:6381":       {false, 3999, Address{"127.0.0.1", 6381}},
		"ASK 16383 n1.example:6381":       {true, 16383, Address{"n1.example", 6381}},
		"MOVED 0 2001:db8::1:7001":        {false, 0, Address{"2001:db8::1", 7001}},
		"MOVED 0 ::1:7001":                {false, 0, Address{"::1", 7001}},
		"MOVED 3999 :6381":                {false, 3999, Address{"10.0.0.1", 6381}}, // unknown-endpoint mode
		"MOVED 3999 127.0.0.1:6381 extra": {false, 3999, Address{"127.0.0.1", 6381}},
	} {
		redirect, good := ParseRedirect(line, sender)
		require.True(t, good, line)
		require.Equal(t, expected, redirect, line)
	}
}

func TestARedirectThatCannotBeFollowedIsNone(t *testing.T) {
	for _, line := range []string{
		"", "MOVED", "MOVED ", "MOVED 3999", "MOVED 3999 ", "MOVED x 127.0.0.1:6381", "MOVED -1 h:1",
		"MOVED 16384 127.0.0.1:6381", "MOVED 3999 127.0.0.1", "MOVED 3999 h:0", "MOVED 3999 h:65536",
		"MOVED 3999 ?:6381", "MOVED 3999 ?", "ERR MOVED 1 h:1", "moved 1 h:1", "ASKING 1 h:1",
	} {
		_, good := ParseRedirect(line, sender)
		require.False(t, good, line)
	}
}
