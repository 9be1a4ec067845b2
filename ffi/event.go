package main

import (
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"libglide/core"
	"libglide/protobuf"
)

// Fields of message Response, and of message Event in it.
const (
	fieldEvents protowire.Number = 8

	fieldEventChannels protowire.Number = 2
	fieldEventChannel  protowire.Number = 3
	fieldEventPattern  protowire.Number = 4
	fieldEventPayload  protowire.Number = 5
)

// sizeEvents is how many bytes appendEvents adds.
func sizeEvents(events []core.Event) (size int) {
	for i := range events {
		size += 1 + protowire.SizeBytes(sizeEvent(&events[i]))
	}
	return size
}

// appendEvents adds events to a Response.
func appendEvents(b []byte, events []core.Event) []byte {
	for i := range events {
		event := &events[i]
		b = protowire.AppendTag(b, fieldEvents, protowire.BytesType)
		b = protowire.AppendVarint(b, uint64(sizeEvent(event)))
		b = appendEvent(b, event)
	}
	return b
}

// sizeEvent is how long an Event is. Messages, which come by the thousand, are written field by
// field; others are rare.
func sizeEvent(event *core.Event) (size int) {
	if event.Kind != core.EventMessage {
		return len(marshal(encodeEvent(event)))
	}
	if event.Channels != core.Exact {
		size = 2
	}
	return size + sizeText(event.Channel) + sizeText(event.Pattern) + sizeText(event.Payload)
}

func appendEvent(b []byte, event *core.Event) []byte {
	if event.Kind != core.EventMessage {
		return append(b, marshal(encodeEvent(event))...)
	}
	if event.Channels != core.Exact {
		b = protowire.AppendTag(b, fieldEventChannels, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(event.Channels))
	}
	b = appendText(b, fieldEventChannel, event.Channel)
	b = appendText(b, fieldEventPattern, event.Pattern)
	return appendText(b, fieldEventPayload, event.Payload)
}

// sizeText is the size of a field of bytes, which is left out where it is empty.
func sizeText(text []byte) int {
	if len(text) == 0 {
		return 0
	}
	return 1 + protowire.SizeBytes(len(text))
}

func appendText(b []byte, field protowire.Number, text []byte) []byte {
	if len(text) == 0 {
		return b
	}
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), text)
}

// encodeEvent is an event other than a message.
func encodeEvent(event *core.Event) *protobuf.Event {
	message := &protobuf.Event{
		Kind: protobuf.EventKind(event.Kind), Channels: protobuf.ChannelKind(event.Channels), Names: event.Names,
		Dropped: event.Dropped, Untold: event.Untold,
	}
	if event.Err != nil {
		message.Error = encodeError(event.Err)
	}
	if !event.Since.IsZero() {
		message.SinceMs = event.Since.UnixMilli()
	}
	if !event.Until.IsZero() {
		message.UntilMs = event.Until.Add(time.Millisecond - 1).UnixMilli() // a gap holds what is missing
	}
	return message
}
