// Package core is the client: it keeps the connections and the topology, sends what routing
// plans, follows redirects and minds the deadline. It knows nothing of C.
package core

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"libglide/routing"
)

// Status is what became of a call. The numbers are those of glide_status.
type Status int32

const (
	StatusOK Status = iota
	StatusInvalidArgument
	StatusDecode
	StatusConfig
	StatusRoute
	StatusServer
	StatusPartial
	StatusTimeout
	StatusConnection
	StatusClosed
	StatusBusy
	StatusCancelled
	StatusForked
	StatusInternal
)

// Error is the only kind of error that the client returns.
type Error struct {
	Status    Status
	Message   string
	Code      string // of the server, as "WRONGTYPE"; empty where no server said anything
	Node      string // host:port, where one node is concerned
	Sent      bool   // the command was written; it may have run
	Retryable bool   // doing it again is safe and may succeed

	cause error // what routing said, where it refused the request; of several nodes the first error
}

func (e *Error) Error() string { return e.Message }

// Unwrap is the *routing.Error of a request that routing refused; where several nodes failed the
// *Error of the first; else nil.
func (e *Error) Unwrap() error { return e.cause }

// NewError makes an error that concerns no node.
func NewError(status Status, format string, args ...any) *Error {
	return &Error{Status: status, Message: fmt.Sprintf(format, args...)}
}

// planError is the error of a request that routing refused.
func planError(err error) *Error {
	var refused *routing.Error
	if errors.As(err, &refused) && refused.Fault == routing.FaultNoNode {
		return &Error{Status: StatusRoute, Message: err.Error(), Retryable: true, cause: err}
	}
	return &Error{Status: StatusInvalidArgument, Message: err.Error(), cause: err}
}

// serverError is the error of a reply; it stands for refusals only, so nothing has run.
func serverError(line string, node string) *Error {
	code := routing.ErrorCode(line)
	return &Error{Status: StatusServer, Message: line, Code: code, Node: node, Sent: true, Retryable: transient[code]}
}

// transportError tells in the caller's terms why there is no reply.
func transportError(what string, to target, err error, readOnly bool) *Error {
	sent := wasSent(err)
	e := &Error{Status: StatusConnection, Node: to.name(), Sent: sent, Retryable: !sent || readOnly}
	switch {
	case errors.Is(err, context.Canceled) && sent:
		e.Status = StatusCancelled
		e.Message = fmt.Sprintf("%s: cancelled after it was written to %s; it may have run", what, to)
	case errors.Is(err, context.Canceled):
		e.Status = StatusCancelled
		e.Message = fmt.Sprintf("%s: cancelled before it was written to %s", what, to)
	case isTimeout(err) && sent:
		e.Status = StatusTimeout
		e.Message = fmt.Sprintf("%s: no reply from %s by the deadline; it may have run", what, to)
	case isTimeout(err):
		e.Status = StatusTimeout
		e.Message = fmt.Sprintf("%s: not sent to %s by the deadline: %v", what, to, err)
	case sent:
		e.Message = fmt.Sprintf("%s: connection to %s was lost after the command was written; it may have run: %v", what, to, err)
	default:
		e.Message = fmt.Sprintf("%s: no connection to %s: %v", what, to, err)
	}
	return e
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// combinedError tells what the failed ones of several outcomes say, all of them.
func combinedError(what string, outcomes []Outcome, cause *routing.CombineError) *Error {
	var failed []*Error
	for _, outcome := range outcomes {
		if outcome.Err != nil {
			failed = append(failed, outcome.Err)
		}
	}
	switch {
	case len(failed) == 0: // good replies that do not fit together
		e := NewError(StatusServer, "%s: %s", what, cause.Message)
		if cause.Leg >= 0 && len(outcomes) > 1 {
			e.Node = outcomes[cause.Leg].Node.Address.String()
			e.Message += " from " + e.Node
		}
		e.Sent = true
		return e
	case len(outcomes) == 1:
		return failed[0]
	}
	all := *failed[0]
	all.cause = failed[0]
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %d of %d targets failed", what, len(failed), len(outcomes))
	for _, outcome := range outcomes {
		if outcome.Err != nil {
			fmt.Fprintf(&text, "; %s: %s", outcome.Node.Address, outcome.Err.Message)
			all.Sent = all.Sent || outcome.Err.Sent
			all.Retryable = all.Retryable && outcome.Err.Retryable
		}
	}
	all.Message, all.Node = text.String(), ""
	if len(failed) < len(outcomes) {
		all.Status, all.Sent = StatusPartial, true
	}
	return &all
}
