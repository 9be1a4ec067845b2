package main

import (
	"time"

	"libglide/core"
	"libglide/protobuf"
)

func encodeEvents(events []core.Event) *protobuf.Response {
	messages := make([]protobuf.Event, len(events))
	response := &protobuf.Response{Events: make([]*protobuf.Event, len(events))}
	for i := range events {
		encodeEvent(&messages[i], &events[i])
		response.Events[i] = &messages[i]
	}
	return response
}

func encodeEvent(message *protobuf.Event, event *core.Event) {
	message.Kind, message.Channels = protobuf.EventKind(event.Kind), protobuf.ChannelKind(event.Channels)
	message.Channel, message.Pattern, message.Payload = event.Channel, event.Pattern, event.Payload
	message.Names = event.Names
	if event.Err != nil {
		message.Error = encodeError(event.Err)
	}
	if !event.Since.IsZero() {
		message.SinceMs = event.Since.UnixMilli()
	}
	if !event.Until.IsZero() {
		message.UntilMs = event.Until.Add(time.Millisecond - 1).UnixMilli() // a gap holds what is missing
	}
	message.Dropped, message.Untold = event.Dropped, event.Untold
}
