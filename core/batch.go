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
// transaction. The value is an array with a result for each command in the caller's order, and
// Failures tells of those that are errors; it is nil where a transaction was given up because of
// a WATCH. The error is an *Error.
//
// Commands that were refused, or never written, go again alone; a transaction as a whole. What a
// command that blocks asks for does not prolong the deadline.
func (c *Client) ExecuteBatch(request *BatchRequest) (Response, error) {
	if err := c.enter(); err != nil {
		return Response{}, err
	}
	defer c.leave()
	ctx, cancel := c.within(c.orDefault(request.Timeout))
	defer cancel()
	load := new(cargo)
	return c.batch(ctx, request, load, c.planOnce(&load.plan, &request.Batch))
}

// StartBatch is ExecuteBatch for an owner that waits elsewhere; see Start.
func (c *Client) StartBatch(k *Call, request *BatchRequest) {
	if !k.begin(c) {
		return
	}
	k.waits(c.orDefault(request.Timeout))
	load := takeCargo()
	k.cargo = load
	err := c.planOnce(&load.plan, &request.Batch)
	if err == nil && !load.plan.Atomic {
		k.deliver(load.loadBatch(request), func() (Response, error) {
			return c.concludeBatch(request, load.response(request), nil)
		})
		return
	}
	k.goOnAs(func(ctx context.Context) (Response, error) { return c.batch(ctx, request, load, err) })
}

// batch carries a batch out by the plan that was made for it. Where there is none for want of a
// node, it makes one after a look at the topology.
func (c *Client) batch(ctx context.Context, request *BatchRequest, load *cargo, unplanned error) (Response, error) {
	err := c.again(ctx, unplanned, func() error { return c.planOnce(&load.plan, &request.Batch) })
	if err != nil {
		return Response{}, err
	}
	if load.plan.Atomic {
		response, err := c.transact(ctx, &load.plan, request.Repeat)
		return c.concludeBatch(request, response, err)
	}
	c.deliver(ctx, load.loadBatch(request))
	return c.concludeBatch(request, load.response(request), nil)
}

// concludeBatch makes the first failure the error of the whole, where the request wants that.
func (c *Client) concludeBatch(request *BatchRequest, response Response, err error) (Response, error) {
	if err == nil && request.Raise {
		err = response.firstFailure()
	}
	switch {
	case err == nil:
		return response, nil
	case c.closed():
		return Response{}, errClosed
	}
	return Response{}, err
}

// planOnce resolves the commands of a batch. The error is an *Error.
func (c *Client) planOnce(plan *routing.BatchPlan, batch *routing.Batch) error {
	if err := c.planner.Batch(plan, batch, c.topology.now()); err != nil {
		return err
	}
	for _, part := range plan.Parts {
		for _, step := range part.Steps {
			if routing.SetsState(step.Words) {
				refused := setsState(step.Words)
				refused.Message = fmt.Sprintf("command %d of the batch: %s", step.Command, refused.Message)
				return refused
			}
		}
	}
	return nil
}

// byNode is a map of what each node answered: a batch has no outcomes beside its values.
func byNode(outcomes []Outcome) routing.Value {
	value := routing.Value{Kind: routing.KindMap}
	for _, outcome := range outcomes {
		value.Items = append(value.Items, routing.Bulk(outcome.Node.Address.String()), outcome.Value)
	}
	return value
}

// fail puts an error in the place of a command's result.
func (r *Response) fail(command int, failure *Error) {
	if r.Failures == nil {
		r.Failures = make([]*Error, len(r.Value.Items))
	}
	r.Value.Items[command] = routing.ErrorReply(failure.Message)
	r.Failures[command] = failure
}

func (r *Response) firstFailure() error {
	for _, failure := range r.Failures {
		if failure != nil {
			return failure
		}
	}
	return nil
}

var (
	multiWords = [][]byte{[]byte("MULTI")}
	execWords  = [][]byte{[]byte("EXEC")}
)

// transact runs a batch as one transaction, in one write.
func (c *Client) transact(ctx context.Context, plan *routing.BatchPlan, repeat bool) (Response, error) {
	part := plan.Parts[0]
	commands := [][][]byte{multiWords}
	for _, step := range part.Steps {
		commands = append(commands, step.Words)
	}
	f := &flight{leg: plan.Whole, readOnly: plan.ReadOnly || repeat, transaction: append(commands, execWords)}
	c.deliver(ctx, []*flight{f})
	if f.outcome.Err != nil {
		return Response{}, f.outcome.Err
	}
	return transacted(f.outcome.Value, len(part.Steps), f.to.name())
}

// transacted is what EXEC of so many commands answered. A command that failed has run and the
// others with it, so none may go again alone.
func transacted(reply routing.Value, commands int, node string) (Response, error) {
	response := Response{Value: reply}
	if !reply.IsNil() && len(reply.Items) != commands {
		return Response{}, NewError(StatusServer, "transaction: %s answered EXEC of %d commands with %d results", node, commands, len(reply.Items))
	}
	for i, item := range reply.Items {
		if item.IsError() {
			failure := serverError(string(item.Text), node)
			failure.Retryable = false
			response.fail(i, failure)
		}
	}
	return response, nil
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
