package core

import (
	"context"
	"fmt"
	"time"

	"libglide/routing"
)

// BatchRequest is several commands that travel together.
type BatchRequest struct {
	routing.Batch
	Timeout time.Duration // from the call to its end; 0: the client's
	// Raise makes the first command that failed the error of the whole. Without it errors stand
	// among the results, each in the place of its command.
	Raise bool
	// Repeat says that commands may run twice: the ones whose reply was lost are sent once more.
	Repeat bool
}

// ExecuteBatch runs a batch: the commands for one node in one write, or all of them as one
// transaction. The value is an array with a result for each command in the caller's order; nil
// where a transaction was given up because of a WATCH. The error is an *Error.
//
// Commands that were refused, or never written, go again alone; a transaction as a whole. What a
// command that blocks asks for does not prolong the deadline.
func (c *Client) ExecuteBatch(request *BatchRequest) (routing.Value, error) {
	if err := c.enter(); err != nil {
		return routing.Value{}, err
	}
	defer c.leave()
	ctx, cancel := c.within(c.orDefault(request.Timeout))
	defer cancel()
	return c.batch(ctx, request)
}

// StartBatch is ExecuteBatch for an owner that waits elsewhere; see Start.
func (c *Client) StartBatch(k *Call, request *BatchRequest) {
	c.startAs(k, request.Timeout, func(ctx context.Context) (Response, error) {
		value, err := c.batch(ctx, request)
		return Response{Value: value}, err
	})
}

func (c *Client) batch(ctx context.Context, request *BatchRequest) (routing.Value, error) {
	plan, err := c.planBatch(ctx, &request.Batch)
	if err != nil {
		return routing.Value{}, err
	}
	var value routing.Value
	if plan.Atomic {
		value, err = c.transact(ctx, plan, request.Repeat)
	} else {
		value, err = c.pipeline(ctx, plan, request)
	}
	if err == nil && request.Raise {
		err = firstError(value)
	}
	if err != nil {
		if c.closed() {
			err = errClosed
		}
		return routing.Value{}, err
	}
	return value, nil
}

func (c *Client) planBatch(ctx context.Context, batch *routing.Batch) (*routing.BatchPlan, error) {
	plan, err := c.planner.Batch(batch, c.topology.now())
	if err := c.again(ctx, err, func() (err error) {
		plan, err = c.planner.Batch(batch, c.topology.now())
		return err
	}); err != nil {
		return nil, err
	}
	for _, part := range plan.Parts {
		for _, step := range part.Steps {
			if routing.SetsState(step.Words) {
				refused := setsState(step.Words)
				refused.Message = fmt.Sprintf("command %d of the batch: %s", step.Command, refused.Message)
				return nil, refused
			}
		}
	}
	return plan, nil
}

// pipeline runs the commands of a batch each for itself.
func (c *Client) pipeline(ctx context.Context, plan *routing.BatchPlan, request *BatchRequest) (routing.Value, error) {
	parts := make([][]*flight, len(plan.Parts))
	var all []*flight
	for i, part := range plan.Parts {
		for _, step := range part.Steps {
			command, leg := plan.Of(step)
			f := newFlight(command, leg)
			f.readOnly = f.readOnly || request.Repeat
			parts[i] = append(parts[i], f)
			all = append(all, f)
		}
	}
	c.deliver(ctx, all)
	replies := make([][]routing.Value, len(parts))
	first := -1
	var failure *Error
	for i, part := range parts {
		for j, f := range part {
			replies[i] = append(replies[i], f.outcome.reply())
			if command := plan.Parts[i].Steps[j].Command; f.outcome.Err != nil && (first < 0 || command < first) {
				first, failure = command, f.outcome.Err
			}
		}
	}
	results, err := plan.Combine(replies)
	if err != nil {
		return routing.Value{}, NewError(StatusInternal, "%v", err)
	}
	if request.Raise && failure != nil && results[first].IsError() {
		return routing.Value{}, failure
	}
	return routing.ArrayOf(results...), nil
}

// reply is the outcome as an element of the results of a batch. A failure that no server spoke
// of begins with the name of its status, as errors of the server begin with their code.
func (o *Outcome) reply() routing.Value {
	switch {
	case o.Err == nil:
		return o.Value
	case o.Err.Status == StatusServer && o.Err.Code != "":
		return routing.ErrorReply(o.Err.Message)
	case o.Err.Status == StatusTimeout:
		return routing.ErrorReply("TIMEOUT " + o.Err.Message)
	}
	return routing.ErrorReply("CONNECTION " + o.Err.Message)
}

func firstError(value routing.Value) error {
	for _, item := range value.Items {
		if item.IsError() {
			return serverError(string(item.Text), "")
		}
	}
	return nil
}

var (
	multiWords = [][]byte{[]byte("MULTI")}
	execWords  = [][]byte{[]byte("EXEC")}
)

// transact runs a batch as one transaction, in one write.
func (c *Client) transact(ctx context.Context, plan *routing.BatchPlan, repeat bool) (routing.Value, error) {
	part := plan.Parts[0]
	commands := [][][]byte{multiWords}
	for _, step := range part.Steps {
		commands = append(commands, step.Words)
	}
	f := &flight{leg: plan.Whole, readOnly: plan.ReadOnly || repeat, transaction: append(commands, execWords)}
	c.deliver(ctx, []*flight{f})
	switch outcome := f.outcome; {
	case outcome.Err != nil:
		return routing.Value{}, outcome.Err
	case outcome.Value.IsNil():
		return outcome.Value, nil
	case len(outcome.Value.Items) != len(part.Steps):
		return routing.Value{}, NewError(StatusServer, "transaction: %s answered EXEC of %d commands with %d results", f.to, len(part.Steps), len(outcome.Value.Items))
	default:
		return outcome.Value, nil
	}
}

// executed reduces the replies to MULTI, commands and EXEC to one: what EXEC answered or, where a
// command was refused before it, that refusal. Nothing has run then, so the transaction may go
// again; the EXECABORT that follows would hide why.
func executed(replies []routing.Value) routing.Value {
	for _, reply := range replies {
		if reply.IsError() {
			return reply
		}
	}
	return replies[len(replies)-1]
}
