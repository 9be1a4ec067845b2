package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"libglide/core"
	"libglide/ffi/compat/convert"
	"libglide/routing"
)

// The numbers of glide_error_type.
const (
	unspecified = iota
	execAbort
	timedOut
	disconnected
)

// The numbers of glide_connection_error_type.
const (
	notConnected = iota
	misconfigured
)

// failure is an error as GLIDE's bindings know them: the number that chooses their exception class,
// and the text of its message.
type failure struct {
	kind int
	text string
}

func (f *failure) Error() string { return f.text }

// clientFault is an error of the caller's.
func clientFault(format string, args ...any) *failure {
	return &failure{unspecified, fmt.Sprintf(format, args...)}
}

// kinds are what GLIDE calls the errors that it knows by their code. The others keep it.
var kinds = map[string]string{
	"ERR": "ResponseError", "EXECABORT": "ExecAbortError", "LOADING": "BusyLoadingError",
	"NOSCRIPT": "NoScriptError", "MOVED": "Moved", "ASK": "Ask", "TRYAGAIN": "TryAgain",
	"CLUSTERDOWN": "ClusterDown", "CROSSSLOT": "CrossSlot", "MASTERDOWN": "MasterDown",
	"READONLY": "ReadOnly", "NOTBUSY": "NotBusy", "NOPERM": "PermissionDenied",
}

// signalled is the text for the line of a server's error.
func signalled(line string) string {
	code, detail, _ := strings.Cut(line, " ")
	kind, known := kinds[code]
	switch {
	case known && detail != "":
		return fmt.Sprintf("An error was signalled by the server: - %s: %s", kind, detail)
	case known:
		return "An error was signalled by the server:- " + kind
	case detail != "":
		return code + ": " + detail
	}
	return code + ": Unknown extension error encountered"
}

// refusedBy is the failure of a command that a server answered with an error.
func refusedBy(line string) *failure {
	if strings.HasPrefix(line, "EXECABORT") {
		return &failure{execAbort, signalled(line)}
	}
	return &failure{unspecified, signalled(line)}
}

// asFailure tells an error in the terms of GLIDE.
func asFailure(err error) *failure {
	var known *failure
	if errors.As(err, &known) {
		return known
	}
	var wrong *convert.TypeError
	if errors.As(err, &wrong) {
		return &failure{unspecified, wrong.Error()}
	}
	var refused *routing.Error
	if errors.As(err, &refused) {
		return notPlanned(refused)
	}
	var failed *core.Error
	if errors.As(err, &failed) {
		return coreFailure(failed)
	}
	return &failure{unspecified, err.Error()}
}

// coreFailure tells an error of the core; where several nodes failed the first.
func coreFailure(err *core.Error) *failure {
	if first, several := err.Unwrap().(*core.Error); several {
		return coreFailure(first)
	}
	switch err.Status {
	case core.StatusServer, core.StatusPartial:
		if !strings.HasPrefix(err.Message, err.Code) { // it refused the connection, before the command
			return lost(err.Message)
		}
		return refusedBy(err.Message)
	case core.StatusTimeout:
		return &failure{timedOut, "timed out"}
	case core.StatusConnection, core.StatusClosed:
		return lost(err.Message)
	case core.StatusBusy:
		return clientFault("Reached maximum inflight requests- ClientError")
	}
	return clientFault("%s- ClientError", err.Message)
}

// notPlanned tells what routing refuses as GLIDE does, where it has words for it.
func notPlanned(err *routing.Error) *failure {
	switch err.Fault {
	case routing.FaultNoNode:
		return lost("Requested connection not found for route - ConnectionNotFoundForRoute: " + err.Message)
	case routing.FaultCrossSlot:
		return clientFault("Received crossed slots in pipeline- CrossSlot")
	case routing.FaultReadOnly:
		return clientFault("write commands are not allowed in read-only mode- ReadOnly")
	case routing.FaultTimeout:
		return badTimeout(err)
	}
	return clientFault("%s- ClientError", err.Message)
}

// badTimeout says why a command cannot block for as long as it asks to.
func badTimeout(err *routing.Error) *failure {
	why := "Timeout is out of range, max timeout is 2^32 - 1 (u32::MAX)"
	switch {
	case math.IsNaN(err.Seconds):
		return clientFault("Failed to parse the timeout argument to f64 - ResponseError: %s", err.Message)
	case err.Seconds < 0:
		why = "Timeout cannot be negative"
	}
	return clientFault("%s - ResponseError: Received timeout = %s.", why, decimal(err.Seconds))
}

// decimal writes a number as GLIDE's core does: with a point, or with an exponent without a sign
// where it is large.
func decimal(number float64) string {
	if math.IsInf(number, 0) || math.Abs(number) >= 1e16 {
		return strings.Replace(strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(number, 'e', -1, 64), "+")), "e+", "e", 1)
	}
	text := strconv.FormatFloat(number, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

func lost(why string) *failure {
	return &failure{disconnected, fmt.Sprintf("Received connection error `%s`. Will attempt to reconnect", why)}
}

func misconfiguration(format string, args ...any) *failure {
	return &failure{misconfigured, "configuration error: " + fmt.Sprintf(format, args...)}
}

// asConnectionFailure tells why there is no client, with a glide_connection_error_type.
func asConnectionFailure(err error) *failure {
	var known *failure
	var failed *core.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &failed) && (failed.Status == core.StatusConfig || failed.Status == core.StatusDecode):
		return misconfiguration("%s", failed.Message)
	}
	return &failure{notConnected, err.Error()}
}

// unreachable tells which of the addresses could not be connected to.
func unreachable(err error, config *core.Config) error {
	why, is := strings.CutPrefix(err.Error(), "no usable server: ")
	switch {
	case !is:
		return err
	case !config.Standalone:
		return &failure{notConnected, "Failed to create initial connections - IoError: " + why}
	case len(config.Addresses) == 1:
		address := config.Addresses[0].String()
		why = strings.TrimPrefix(why, address+": ")
		if refused, by := errors.AsType[*core.Error](err); by && refused.Code != "" && strings.HasPrefix(why, refused.Code) {
			why = signalled(why)
		}
		return &failure{notConnected, fmt.Sprintf("Received error for address `%s`: %s\n", address, why)}
	}
	return &failure{notConnected, "Received errors:\n" + strings.ReplaceAll(why, "; ", "\n") + "\n"}
}

// unconnectedYet tells of a client that connects with its first request, and cannot.
func unconnectedYet(err error, config *core.Config) error {
	if err == nil {
		return nil
	}
	told, is := unreachable(err, config).(*failure)
	if !is || told == err {
		return err
	}
	if config.Standalone {
		return clientFault("Standalone connect failed - IoError: %s", told.text)
	}
	return &failure{unspecified, told.text}
}

// guarded makes a panic an error that names the place.
func guarded[T any](call func() (T, error)) (result T, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = clientFault("%s- ClientError", core.Panicked(fault).Message)
		}
	}()
	return call()
}
