package main

/*
#include "shim.h"
*/
import "C"

import (
	"time"

	"google.golang.org/protobuf/proto"

	"libglide/core"
	"libglide/ffi/internal/handles"
	"libglide/ffi/internal/wire"
	"libglide/protobuf"
	"libglide/routing"
)

var sessions = handles.Table[core.Session]{Kind: 4}

//export glideGoSessionOpen
func glideGoSessionOpen(handle C.glide_client, bytes *C.uint8_t, size C.size_t, ticket *C.glide_ticket) {
	k := newCall(ticket)
	k.request.reset(&k.Request)
	k.guarded(func() error {
		fault("glideGoSessionOpen")
		client, err := find(&clients, uint64(handle))
		if err != nil {
			return err
		}
		route, timeout, err := k.request.decodeOpening(input(bytes, size))
		if err != nil {
			return err
		}
		client.StartSession(&k.Call, route, timeout, func(s *core.Session) { k.session = s })
		return nil
	})
}

// sessionOpened answers with the call's session, or closes it again where nobody waits for it.
func (k *call) sessionOpened(r *reply) {
	session := k.session
	k.session = nil
	handle := sessions.Add(session)
	r.value = nil
	if !k.answerWith(handle, r) {
		sessions.Take(handle)
		session.Close()
	}
}

//export glideGoSessionExecute
func glideGoSessionExecute(handle C.glide_session, bytes *C.uint8_t, size C.size_t, ticket *C.glide_ticket) {
	k := newCall(ticket)
	k.guarded(func() error {
		fault("glideGoSessionExecute")
		k.read(input(bytes, size))
		k.request.reset(&k.Request)
		session, err := find(&sessions, uint64(handle))
		if err != nil {
			return err
		}
		if err := k.request.decode(k.text); err != nil {
			return err
		}
		return k.request.startIn(session, &k.Call)
	})
}

//export glideGoSessionClose
func glideGoSessionClose(handle C.glide_session) C.glide_status {
	return closeHandle("glideGoSessionClose", &sessions, uint64(handle), func(session *core.Session) { session.Close() })
}

// decodeOpening reads a CommandRequest that says where a session is to be, and no more.
func (r *request) decodeOpening(bytes []byte) (route routing.Route, timeout time.Duration, err error) {
	message := new(protobuf.CommandRequest)
	if err := proto.Unmarshal(bytes, message); err != nil {
		return route, 0, core.NewError(core.StatusDecode, "the request is no CommandRequest: %v", err)
	}
	r.callback = message.GetCallbackIdx()
	switch {
	case message.GetCommand() != nil:
		return route, 0, badRequest("a session is opened by a request without a command: it says the route and no more")
	case message.GetResponsePolicy() != protobuf.ResponsePolicy_RESPONSE_POLICY_DEFAULT:
		return route, 0, badRequest("response_policy: a session is with one node")
	}
	route, err = wire.DecodeRoute(message.GetRoute())
	return route, wire.Milliseconds(message.GetTimeoutMs()), err
}

// startIn does what is asked in a session.
func (r *request) startIn(session *core.Session, call *core.Call) error {
	switch {
	case r.Route.Kind != routing.RouteDefault || r.batch != nil && r.batch.Route.Kind != routing.RouteDefault:
		return badRequest("route: all of a session goes to the node that it was opened with")
	case r.Policy != routing.PolicyDefault:
		return badRequest("response_policy: a session is with one node")
	case r.scan != nil:
		return badRequest("cluster_scan goes over all shards, and a session is with one node; SCAN is a command of it")
	case r.password != nil:
		return badRequest("update_connection_password is for the client; AUTH is a command of a session")
	case r.channels != nil:
		return badRequest("subscribe and unsubscribe are for the client: its connections follow the channels")
	case r.batch != nil && r.batch.Repeat:
		return badRequest("retry_connection_error: a session sends nothing again")
	case r.batch != nil:
		session.StartBatch(call, r.batch)
	default:
		session.Start(call)
	}
	return nil
}
