package main

import (
	"errors"
	"unicode/utf8"

	"libglide/core"
	"libglide/protobuf"
	"libglide/routing"
)

func asError(err error) *core.Error {
	var known *core.Error
	if errors.As(err, &known) {
		return known
	}
	return core.NewError(core.StatusInternal, "%v", err)
}

func encodeError(err *core.Error) *protobuf.Error {
	return &protobuf.Error{
		Status:    protobuf.Status(err.Status),
		Message:   text(err.Message),
		Code:      err.Code,
		Node:      err.Node,
		Sent:      err.Sent,
		Retryable: err.Retryable,
	}
}

// text makes a string field of what may come from a server in any encoding.
func text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	runes := make([]rune, 0, len(s))
	for _, b := range []byte(s) {
		runes = append(runes, rune(b)) // each byte as the Latin-1 character it may be
	}
	return string(runes)
}

// encodeOutcome leaves the value out; see marshalOutcome.
func encodeOutcome(outcome *core.Outcome) *protobuf.Outcome {
	message := &protobuf.Outcome{
		Node:     encodeNode(outcome.Node),
		Slots:    encodeSlots(outcome.Slots),
		Sent:     outcome.Sent,
		Fallback: outcome.Fallback,
	}
	if outcome.Err != nil {
		message.Result = &protobuf.Outcome_Error{Error: encodeError(outcome.Err)}
		message.Retryable = outcome.Err.Retryable
	}
	if outcome.ServedBy != nil {
		message.ServedBy = outcome.ServedBy.String()
	}
	return message
}

func encodeTopology(snapshot *routing.Snapshot) *protobuf.Topology {
	message := &protobuf.Topology{Epoch: snapshot.Epoch, Standalone: snapshot.Standalone}
	for _, shard := range snapshot.Shards() {
		part := &protobuf.Shard{Slots: encodeSlots(shard.Slots), Primary: encodeNode(shard.Primary)}
		for _, replica := range shard.Replicas {
			part.Replicas = append(part.Replicas, encodeNode(replica))
		}
		message.Shards = append(message.Shards, part)
	}
	return message
}

func encodePlan(plan *routing.Plan) *protobuf.Plan {
	message := &protobuf.Plan{Policy: protobuf.ResponsePolicy(plan.Policy), Epoch: plan.Epoch}
	if plan.Wait.Blocks {
		message.BlockingMs = &plan.Wait.Milliseconds
	}
	for i := range plan.Legs {
		leg := &plan.Legs[i]
		message.Legs = append(message.Legs, &protobuf.Leg{
			Node: encodeNode(leg.Node), Slots: encodeSlots(leg.Slots()), Words: leg.Words, Fallback: leg.Fallback,
		})
	}
	return message
}

func encodeBatchPlan(plan *routing.BatchPlan) *protobuf.Plan {
	message := &protobuf.Plan{Epoch: plan.Epoch, Atomic: plan.Atomic}
	for _, part := range plan.Parts {
		for _, step := range part.Steps {
			leg := plan.Whole
			if !plan.Atomic {
				_, leg = plan.Of(step)
			}
			message.Legs = append(message.Legs, &protobuf.Leg{
				Node: encodeNode(part.Node), Slots: encodeSlots(leg.Slots()), Words: step.Words,
				Fallback: leg.Fallback, Command: uint32(step.Command),
			})
		}
	}
	return message
}

func encodeNode(node *routing.Node) *protobuf.Node {
	message := &protobuf.Node{
		Id: text(node.ID), Host: text(node.Address.Host), Port: uint32(node.Address.Port),
		Role: protobuf.Role(node.Role), Zone: text(node.Zone),
	}
	for _, alias := range node.Aliases {
		message.Aliases = append(message.Aliases, text(alias.String()))
	}
	return message
}

func encodeSlots(ranges []routing.SlotRange) []*protobuf.SlotRange {
	messages := make([]*protobuf.SlotRange, len(ranges))
	for i, held := range ranges {
		messages[i] = &protobuf.SlotRange{First: uint32(held.First), Last: uint32(held.Last)}
	}
	return messages
}
