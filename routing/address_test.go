package routing

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnAddressIsSplitAtItsLastColonAndMadeCanonical(t *testing.T) {
	for text, expected := range map[string]Address{
		"127.0.0.1:7000":            {"127.0.0.1", 7000},
		"[::1]:7000":                {"::1", 7000},
		"::1:7000":                  {"::1", 7000},
		"0:0:0:0:0:0:0:1:7000":      {"::1", 7000},
		"2001:DB8::1:7001":          {"2001:db8::1", 7001},
		"[2001:0db8:0:0:0:0:0:1]:1": {"2001:db8::1", 1},
		"::ffff:10.0.0.1:7000":      {"10.0.0.1", 7000},
		"Node-1.Example.:65535":     {"node-1.example", 65535},
		"fe80::1%eth0:7000":         {"fe80::1%eth0", 7000},
		"host with blanks:7000":     {"host with blanks", 7000},
	} {
		parsed, err := ParseAddress(text)
		require.NoError(t, err, text)
		require.Equal(t, expected, parsed, text)
	}
}

func TestAnAddressThatIsNoneIsRefusedByName(t *testing.T) {
	for text, reason := range map[string]string{
		"":           "no port",
		"host":       "no port",
		":7000":      "no host",
		"host:":      "not a number in 1..65535",
		"host:0":     "not a number in 1..65535",
		"host:65536": "not a number in 1..65535",
		"host:-1":    "not a number in 1..65535",
		"host:7000x": "not a number in 1..65535",
		"host:+7000": "not a number in 1..65535",
	} {
		_, err := ParseAddress(text)
		require.ErrorContains(t, err, reason, text)
		require.ErrorContains(t, err, `"`+text+`"`)
	}
}

func TestOnlyDiallersSeeBrackets(t *testing.T) {
	address := NewAddress("2001:db8::1", 7001)
	require.Equal(t, "2001:db8::1:7001", address.String())
	require.Equal(t, "[2001:db8::1]:7001", address.Dial())
	require.Equal(t, "h:7001", NewAddress("h", 7001).Dial())
}

func TestWhatCanBeNoHostIsRefused(t *testing.T) {
	for _, host := range []string{"", ".", "a b", "a\x00b", "h\n", "10.0.0.1:7000", "h:1"} {
		require.ErrorContains(t, CheckHost(host), "host ", "%q", host)
	}
	for _, host := range []string{"h", "10.0.0.1", "::1", "[::1]", "fe80::1%eth0", "n1.example."} {
		require.NoError(t, CheckHost(host), host)
	}
}

func TestAHostWithCredentialsIsRefusedWithoutThem(t *testing.T) {
	for _, host := range []string{"valkey://app:sesame@example.com", "sesame@example.com", "sesame@sesame@example.com"} {
		err := CheckHost(host)
		require.ErrorContains(t, err, `host "...@example.com" holds credentials`)
		require.NotContains(t, err.Error(), "sesame")
	}
}
