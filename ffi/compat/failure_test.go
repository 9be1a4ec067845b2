package main

import (
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"libglide/core"
	"libglide/ffi/compat/convert"
	"libglide/routing"
)

func TestTheLineOfAServerIsToldAsGLIDETellsIt(t *testing.T) {
	for line, text := range map[string]string{
		"ERR unknown command 'X'":         "An error was signalled by the server: - ResponseError: unknown command 'X'",
		"NOSCRIPT No matching script":     "An error was signalled by the server: - NoScriptError: No matching script",
		"CLUSTERDOWN":                     "An error was signalled by the server:- ClusterDown",
		"WRONGTYPE Operation against a k": "WRONGTYPE: Operation against a k",
		"BUSYGROUP":                       "BUSYGROUP: Unknown extension error encountered",
		"my own words":                    "my: own words",
	} {
		require.Equal(t, &failure{unspecified, text}, refusedBy(line))
	}
	require.Equal(t, execAbort, refusedBy("EXECABORT Transaction discarded because of previous errors.").kind)
}

func TestWhatWentWrongChoosesTheClassOfTheException(t *testing.T) {
	refused := func(fault routing.Fault, seconds float64) error {
		return &routing.Error{Fault: fault, Message: "m", Seconds: seconds}
	}
	for text, expected := range map[string]struct {
		kind int
		err  error
	}{
		"timed out": {timedOut, core.NewError(core.StatusTimeout, "GET: no reply")},
		"Received connection error `lost`. Will attempt to reconnect":              {disconnected, core.NewError(core.StatusConnection, "lost")},
		"Received connection error `h refused: NOAUTH`. Will attempt to reconnect": {disconnected, &core.Error{Status: core.StatusServer, Code: "NOAUTH", Message: "h refused: NOAUTH"}},
		"Reached maximum inflight requests- ClientError":                           {unspecified, core.NewError(core.StatusBusy, "m")},
		"OOM: no": {unspecified, &core.Error{Status: core.StatusServer, Code: "OOM", Message: "OOM no"}},
		"Received crossed slots in pipeline- CrossSlot":                                                         {unspecified, refused(routing.FaultCrossSlot, 0)},
		"write commands are not allowed in read-only mode- ReadOnly":                                            {unspecified, refused(routing.FaultReadOnly, 0)},
		"Timeout cannot be negative - ResponseError: Received timeout = -1.0.":                                  {unspecified, refused(routing.FaultTimeout, -1)},
		"Failed to parse the timeout argument to f64 - ResponseError: m":                                        {unspecified, refused(routing.FaultTimeout, math.NaN())},
		"Timeout is out of range, max timeout is 2^32 - 1 (u32::MAX) - ResponseError: Received timeout = 1e30.": {unspecified, refused(routing.FaultTimeout, 1e30)},
		"no double - TypeError: (response was array)":                                                           {unspecified, &convert.TypeError{What: "no double", Kind: routing.KindArray}},
		"else": {unspecified, errors.New("else")},
	} {
		require.Equal(t, &failure{expected.kind, text}, asFailure(expected.err))
	}
}

func TestAClientThatCannotBeHadNamesTheAddressOrTheOption(t *testing.T) {
	one := core.Config{Standalone: true, Addresses: []routing.Address{{Host: "h", Port: 1}}}
	two := core.Config{Standalone: true, Addresses: []routing.Address{{Host: "h", Port: 1}, {Host: "i", Port: 2}}}
	down := core.NewError(core.StatusConnection, "no usable server: h:1: refused; i:2: late")
	for text, err := range map[string]error{
		"Received error for address `h:1`: WRONGPASS: x\n":                        unreachable(&core.Error{Status: core.StatusServer, Code: "WRONGPASS", Message: "no usable server: h:1: WRONGPASS x"}, &one),
		"Received errors:\nh:1: refused\ni:2: late\n":                             unreachable(down, &two),
		"Failed to create initial connections - IoError: h:1: refused; i:2: late": unreachable(down, &core.Config{}),
	} {
		require.Equal(t, &failure{notConnected, text}, asConnectionFailure(err))
	}
	wrong := asConnectionFailure(unreachable(core.NewError(core.StatusConfig, "lazy_connect is not supported yet"), &one))
	require.Equal(t, &failure{misconfigured, "configuration error: lazy_connect is not supported yet"}, wrong)
}

func TestAClientThatConnectsWithItsFirstRequestTellsThatItCannot(t *testing.T) {
	down := core.NewError(core.StatusConnection, "no usable server: h:1: refused")
	one := core.Config{Standalone: true, Addresses: []routing.Address{{Host: "h", Port: 1}}}
	require.Equal(t, clientFault("Standalone connect failed - IoError: Received error for address `h:1`: refused\n"), unconnectedYet(down, &one))
	require.Equal(t, clientFault("Failed to create initial connections - IoError: h:1: refused"), unconnectedYet(down, &core.Config{}))
	other := core.NewError(core.StatusTimeout, "late")
	require.Equal(t, other, unconnectedYet(other, &one))
	require.NoError(t, unconnectedYet(nil, &one))
}

func TestAPanicBecomesAnErrorThatNamesThePlace(t *testing.T) {
	_, err := guarded(func() (int, error) { panic("on purpose") })
	require.Regexp(t, `^panic: on purpose at .*failure_test.go:\d+- ClientError$`, asFailure(err).text)
}

func TestNumbersAreWrittenAsGLIDEWritesThem(t *testing.T) {
	for number, text := range map[float64]string{-1: "-1.0", -0.005: "-0.005", 2.5: "2.5", 1e30: "1e30", -1.5e20: "-1.5e20", math.Inf(1): "inf"} {
		require.Equal(t, text, decimal(number))
	}
}
