package main

/*
#include "shim.h"
*/
import "C"

import (
	"sync"

	"libglide/core"
	"libglide/protobuf"
	"libglide/routing"
)

// subscription is what a request asks of the client's subscriber.
type subscription struct {
	kind  core.ChannelKind
	names [][]byte // they point into the request
	leave bool
}

func (r *request) decodeSubscription(message *protobuf.Channels, leave bool) (*subscription, error) {
	if _, known := protobuf.ChannelKind_name[int32(message.GetKind())]; !known {
		return nil, badRequest("kind %d of channels is none", message.GetKind())
	}
	switch {
	case r.Route.Kind != routing.RouteDefault:
		return nil, badRequest("subscriptions have no route: they follow their channels")
	case r.Policy != routing.PolicyDefault:
		return nil, badRequest("response_policy: what a subscription answers is not combined")
	}
	return &subscription{core.ChannelKind(message.GetKind()), message.GetNames(), leave}, nil
}

// subscribers are those of the clients that have subscribed to anything, by the clients' handles.
var subscribers = struct {
	mu sync.Mutex
	of map[uint64]*core.Subscriber
}{of: make(map[uint64]*core.Subscriber)}

// subscriberOf is the one of a client, made where it has none yet.
func subscriberOf(client *core.Client, handle uint64) (*core.Subscriber, error) {
	subscribers.mu.Lock()
	defer subscribers.mu.Unlock()
	if subscriber := subscribers.of[handle]; subscriber != nil {
		return subscriber, nil
	}
	subscriber, err := client.Subscriber(core.SubscriberConfig{Ready: func() { C.mailbox_stir(C.glide_client(handle)) }})
	if err == nil {
		subscribers.of[handle] = subscriber
	}
	return subscriber, err
}

// knownSubscriber is the one of a client, or nil.
func knownSubscriber(handle uint64) *core.Subscriber {
	subscribers.mu.Lock()
	defer subscribers.mu.Unlock()
	return subscribers.of[handle]
}

// forgetSubscriber is for a client that was closed, and its subscriber with it.
func forgetSubscriber(handle uint64) {
	subscribers.mu.Lock()
	defer subscribers.mu.Unlock()
	delete(subscribers.of, handle)
}

// change does what is asked.
func (s *subscription) change(client *core.Client, handle uint64) (core.Response, error) {
	subscriber, err := subscriberOf(client, handle)
	if err != nil {
		return core.Response{}, err
	}
	if s.leave {
		err = subscriber.Unsubscribe(s.kind, s.names...)
	} else {
		err = subscriber.Subscribe(s.kind, s.names...)
	}
	return core.Response{Value: routing.Simple("OK")}, err
}

// eventsAtOnce is how many events one completion holds at most.
const eventsAtOnce = 256

var eventRooms = sync.Pool{New: func() any { return new([eventsAtOnce]core.Event) }}

// glideGoClientEvents fills the response with events of the client that wait; it is empty where none
// do. more is 1 where there may be others.
//
//export glideGoClientEvents
func glideGoClientEvents(handle C.glide_client, response *C.glide_buffer, more *C.int) C.glide_status {
	room := eventRooms.Get().(*[eventsAtOnce]core.Event)
	defer eventRooms.Put(room)
	taken := 0
	if err := guard(func() error {
		fault("glideGoClientEvents")
		if subscriber := knownSubscriber(uint64(handle)); subscriber != nil {
			taken = subscriber.Take(room[:])
		}
		return nil
	}); err != nil {
		*more = 1 // nothing was taken
		return respond(response, &reply{err: asError(err)})
	}
	*more = 0
	if taken == 0 {
		return C.GLIDE_OK
	}
	if taken == eventsAtOnce {
		*more = 1
	}
	defer clear(room[:taken])
	return respond(response, &reply{events: room[:taken]})
}
