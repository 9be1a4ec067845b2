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

// session is one with the handle of its client, whose mailbox takes what is submitted to it.
type session struct {
	*core.Session
	client uint64
}

var sessions = handles.Table[session]{Kind: 4}

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
		client.StartSession(&k.Call, route, timeout, func(s *core.Session) { k.session = &session{s, uint64(handle)} })
		return nil
	})
}

// sessionOpened answers with the call's session, or closes it again where nobody waits for it.
func (k *call) sessionOpened(r *reply) {
	opened := k.session
	k.session = nil
	handle := sessions.Add(opened)
	r.value = nil
	if !k.answerWith(handle, r) {
		sessions.Take(handle)
		opened.Close()
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
		return k.request.startIn(session.Session, &k.Call)
	})
}

// glideGoSessionClient is the client of a session.
//
//export glideGoSessionClient
func glideGoSessionClient(handle C.glide_session, client *C.glide_client) C.glide_status {
	if err := guard(func() error {
		fault("glideGoSessionClient")
		session, err := find(&sessions, uint64(handle))
		if err == nil {
			*client = C.glide_client(session.client)
		}
		return err
	}); err != nil {
		return C.glide_status(asError(err).Status)
	}
	return C.GLIDE_OK
}

// glideGoSessionSubmit is glideGoClientSubmit for a session.
//
//export glideGoSessionSubmit
func glideGoSessionSubmit(handle C.glide_session, bytes *C.uint8_t, size C.size_t, ticket *C.glide_ticket) C.glide_status {
	session, state := sessions.Get(uint64(handle))
	if state != handles.Live {
		return C.glide_status(handleError(state, uint64(handle)).Status)
	}
	return submit(ticket, input(bytes, size), "glideGoSessionSubmit", func(k *call) error {
		return k.request.startIn(session.Session, &k.Call)
	})
}

//export glideGoSessionClose
func glideGoSessionClose(handle C.glide_session) C.glide_status {
	return closeHandle("glideGoSessionClose", &sessions, uint64(handle), func(session *session) { session.Close() })
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
