package main

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"libglide/core"
	"libglide/protobuf"
	"libglide/routing"
)

// reply is what a call answers: a Response, whose values are written apart from it.
type reply struct {
	callback uint32
	value    *routing.Value // nil: none
	failures []*core.Error  // of the elements of value, where a command of a batch failed
	outcomes []core.Outcome
	err      *core.Error
	events   []core.Event
	rest     *protobuf.Response // what else it holds; nil: nothing

	// What measure found out.
	valueSize int
	results   []byte // value with the failures
	tail      []byte
}

// Fields of message Response, and of message Outcome.
const (
	fieldCallback protowire.Number = 1
	fieldValue    protowire.Number = 2
	fieldOutcomes protowire.Number = 3

	fieldOutcomeValue protowire.Number = 3
)

// measure is the size of the reply in bytes, which append then writes.
func (r *reply) measure() (size int) {
	if r.callback != 0 {
		size += 1 + protowire.SizeVarint(uint64(r.callback))
	}
	if r.value != nil {
		r.valueSize = r.sizeValue()
		size += 1 + protowire.SizeBytes(r.valueSize)
	}
	r.tail = r.encodeTail()
	return size + sizeEvents(r.events) + len(r.tail)
}

func (r *reply) append(b []byte) []byte {
	if r.callback != 0 {
		b = protowire.AppendVarint(protowire.AppendTag(b, fieldCallback, protowire.VarintType), uint64(r.callback))
	}
	if r.value != nil {
		b = protowire.AppendVarint(protowire.AppendTag(b, fieldValue, protowire.BytesType), uint64(r.valueSize))
		b = r.appendValue(b)
	}
	return append(appendEvents(b, r.events), r.tail...)
}

func (r *reply) sizeValue() int {
	if r.failures == nil {
		return sizeValue(r.value)
	}
	r.results = encodeResults(r.value.Items, r.failures)
	return len(r.results)
}

func (r *reply) appendValue(b []byte) []byte {
	if r.failures == nil {
		return appendValue(b, r.value)
	}
	return append(b, r.results...)
}

// encodeResults is the value of a batch of which commands failed.
func encodeResults(results []routing.Value, failures []*core.Error) []byte {
	var items []byte
	for i := range results {
		items = protowire.AppendTag(items, fieldItems, protowire.BytesType)
		if failure := failures[i]; failure != nil {
			items = protowire.AppendBytes(items, marshal(&protobuf.Value{Kind: &protobuf.Value_Error{Error: encodeFailure(failure)}}))
		} else {
			items = protowire.AppendVarint(items, uint64(sizeValue(&results[i])))
			items = appendValue(items, &results[i])
		}
	}
	return protowire.AppendBytes(protowire.AppendTag(nil, fieldArray, protowire.BytesType), items)
}

// encodeFailure is all that is known of a command of a batch that failed.
func encodeFailure(failure *core.Error) *protobuf.ServerError {
	return &protobuf.ServerError{
		Code: failure.Code, Message: text(failure.Message), Status: protobuf.Status(failure.Status),
		Node: failure.Node, Sent: failure.Sent, Retryable: failure.Retryable,
	}
}

// encodeTail is all of the reply but its number and its value.
func (r *reply) encodeTail() (b []byte) {
	for i := range r.outcomes {
		b = protowire.AppendTag(b, fieldOutcomes, protowire.BytesType)
		b = protowire.AppendBytes(b, marshalOutcome(&r.outcomes[i]))
	}
	if r.rest != nil {
		b = append(b, marshal(r.rest)...)
	}
	if r.err != nil {
		b = append(b, marshal(&protobuf.Response{Error: encodeError(r.err)})...)
	}
	return b
}

func marshalOutcome(outcome *core.Outcome) []byte {
	b := marshal(encodeOutcome(outcome))
	if outcome.Err == nil {
		b = protowire.AppendVarint(protowire.AppendTag(b, fieldOutcomeValue, protowire.BytesType), uint64(sizeValue(&outcome.Value)))
		b = appendValue(b, &outcome.Value)
	}
	return b
}

// marshal encodes a message of this library, whose strings are valid by then.
func marshal(message proto.Message) []byte {
	bytes, err := proto.Marshal(message)
	if err != nil {
		panic(err)
	}
	return bytes
}
