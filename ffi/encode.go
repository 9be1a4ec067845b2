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

func encodeResponse(response *core.Response, succeeded bool, callback uint32) *protobuf.Response {
	message := &protobuf.Response{CallbackIdx: callback}
	if succeeded {
		message.Value = encodeValue(&response.Value)
	}
	for i := range response.Outcomes {
		message.Outcomes = append(message.Outcomes, encodeOutcome(&response.Outcomes[i]))
	}
	return message
}

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
	} else {
		message.Result = &protobuf.Outcome_Value{Value: encodeValue(&outcome.Value)}
	}
	if outcome.ServedBy != nil {
		message.ServedBy = outcome.ServedBy.String()
	}
	return message
}

func encodeValue(value *routing.Value) *protobuf.Value {
	switch value.Kind {
	case routing.KindNil:
		return &protobuf.Value{Kind: &protobuf.Value_Nil{Nil: &protobuf.Nil{}}}
	case routing.KindInteger:
		return &protobuf.Value{Kind: &protobuf.Value_Integer{Integer: value.Integer}}
	case routing.KindDouble:
		return &protobuf.Value{Kind: &protobuf.Value_Double{Double: value.Double}}
	case routing.KindBoolean:
		return &protobuf.Value{Kind: &protobuf.Value_Boolean{Boolean: value.Integer != 0}}
	case routing.KindBulk:
		return &protobuf.Value{Kind: &protobuf.Value_Bulk{Bulk: value.Text}}
	case routing.KindSimple:
		return &protobuf.Value{Kind: &protobuf.Value_Simple{Simple: value.Text}}
	case routing.KindArray:
		if bulks, all := allBulks(value.Items); all {
			return &protobuf.Value{Kind: &protobuf.Value_Bulks{Bulks: bulks}}
		}
		return &protobuf.Value{Kind: &protobuf.Value_Array{Array: &protobuf.Array{Items: encodeItems(value.Items)}}}
	case routing.KindSet:
		return &protobuf.Value{Kind: &protobuf.Value_Set{Set: &protobuf.Array{Items: encodeItems(value.Items)}}}
	case routing.KindMap:
		return &protobuf.Value{Kind: &protobuf.Value_Map{Map: &protobuf.Map{Items: encodeItems(value.Items)}}}
	case routing.KindVerbatim:
		return &protobuf.Value{Kind: &protobuf.Value_Verbatim{Verbatim: encodeVerbatim(value.Text)}}
	case routing.KindBigNumber:
		return &protobuf.Value{Kind: &protobuf.Value_BigNumber{BigNumber: value.Text}}
	case routing.KindPerNode:
		return &protobuf.Value{Kind: &protobuf.Value_PerNode{PerNode: &protobuf.PerNode{}}}
	}
	return &protobuf.Value{Kind: &protobuf.Value_Error{Error: &protobuf.ServerError{
		Code: value.ErrorCode(), Message: text(string(value.Text)),
	}}}
}

func encodeItems(items []routing.Value) []*protobuf.Value {
	messages := make([]*protobuf.Value, len(items))
	for i := range items {
		messages[i] = encodeValue(&items[i])
	}
	return messages
}

// allBulks is the compact form of an array that holds bulk strings only, and at least one.
func allBulks(items []routing.Value) (*protobuf.Bulks, bool) {
	for i := range items {
		if items[i].Kind != routing.KindBulk {
			return nil, false
		}
	}
	if len(items) == 0 {
		return nil, false
	}
	bulks := make([][]byte, len(items))
	for i := range items {
		bulks[i] = items[i].Text
	}
	return &protobuf.Bulks{Items: bulks}, true
}

// encodeVerbatim splits "txt:some text".
func encodeVerbatim(bytes []byte) *protobuf.Verbatim {
	if len(bytes) < 4 || bytes[3] != ':' {
		return &protobuf.Verbatim{Text: bytes}
	}
	return &protobuf.Verbatim{Format: text(string(bytes[:3])), Text: bytes[4:]}
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
