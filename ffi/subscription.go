package main

import (
	"libglide/core"
	"libglide/protobuf"
)

// subscription is what a request asks of the client's subscriber.
type subscription struct {
	kind  core.ChannelKind
	names [][]byte // they point into the request
	leave bool
}

func decodeSubscription(message *protobuf.Channels, leave bool) (*subscription, error) {
	if _, known := protobuf.ChannelKind_name[int32(message.GetKind())]; !known {
		return nil, badRequest("kind %d of channels is none", message.GetKind())
	}
	return &subscription{core.ChannelKind(message.GetKind()), message.GetNames(), leave}, nil
}
