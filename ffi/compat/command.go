package main

/*
#include "shim.h"
*/
import "C"

import (
	"strconv"
	"unsafe"

	"google.golang.org/protobuf/proto"

	"libglide/core"
	"libglide/ffi/compat/convert"
	"libglide/ffi/internal/handles"
	"libglide/ffi/internal/wire"
	"libglide/protobuf"
	"libglide/routing"
)

// find is the client of a handle.
func find(handle uintptr) (*client, *failure) {
	found, state := clients.Get(uint64(handle))
	switch state {
	case handles.Live:
		return found, nil
	case handles.Closed:
		return nil, lost("the client is closed")
	}
	return nil, clientFault("the client is none that was created- ClientError")
}

// reply is what a call comes to.
type reply struct {
	value       routing.Value
	err         error
	errorsMayBe bool // among the results of a batch
}

func (r *reply) result() *C.CommandResult {
	if r.err != nil {
		return fail(asFailure(r.err))
	}
	return succeed(&r.value, r.errorsMayBe)
}

// answer runs a call to its result: here, or for an async client aside, who is then told.
func (c *client) answer(id C.uintptr_t, call func() reply) *C.CommandResult {
	run := func() *C.CommandResult {
		result, err := guarded(func() (*C.CommandResult, error) {
			r := call()
			r.err = unconnectedYet(r.err, &c.config)
			return r.result(), nil
		})
		if err != nil {
			return fail(asFailure(err))
		}
		return result
	}
	if c.callbacks == nil {
		return run()
	}
	go c.callbacks.tell(id, run)
	return nil
}

// tell calls back with a result. A response goes over to the callee, in the block that it is in.
func (b *callbacks) tell(id C.uintptr_t, run func() *C.CommandResult) {
	switch result := run(); {
	case result == nil:
		message := C.CString("memory is short")
		C.call_failure(b.failure, id, message, unspecified)
		C.free(unsafe.Pointer(message))
	case result.command_error != nil:
		C.call_failure(b.failure, id, result.command_error.command_error_message, result.command_error.command_error_type)
		C.free_command_result(result)
	default:
		C.call_success(b.success, id, result.response)
	}
}

//export compatCommand
func compatCommand(call *C.compat_command) *C.CommandResult {
	return protected(func() *C.CommandResult {
		c, unknown := find(uintptr(unsafe.Pointer(call.client)))
		if unknown != nil {
			return fail(unknown)
		}
		words, err := commandWords(int32(call._type), &call.args)
		if err != nil {
			return c.answer(call.request_id, func() reply { return reply{err: err} })
		}
		route, err := c.routeOf(&call.route)
		if err != nil {
			return c.answer(call.request_id, func() reply { return reply{err: err} })
		}
		into := call.targets
		return c.answer(call.request_id, func() reply {
			answered, watched := c.watch(words)
			if !watched {
				answered = c.run(&core.Request{Request: routing.Request{Words: words, Route: route}})
			}
			if answered.err == nil {
				answered.value, answered.err = convert.Reply(words, answered.value)
			}
			if answered.err == nil && into.count > 0 {
				answered.err = store(&answered.value, &into)
			}
			return answered
		})
	})
}

// run executes a request. The replies of several nodes that do not become one are a map of them by
// node; but all primaries of a standalone server are one.
func (c *client) run(request *core.Request) reply {
	response, err := c.execute(request)
	value := response.Value
	switch {
	case err != nil || value.Kind != routing.KindPerNode:
	case c.config.Standalone && routing.ForPrimaries(request.Words):
		value = response.Outcomes[0].Value
	default:
		value = perNode(response.Outcomes)
	}
	return reply{value: value, err: err}
}

func perNode(outcomes []core.Outcome) routing.Value {
	byNode := routing.Value{Kind: routing.KindMap, Items: make([]routing.Value, 0, 2*len(outcomes))}
	for _, outcome := range outcomes {
		byNode.Items = append(byNode.Items, routing.Bulk(outcome.Node.Address.String()), outcome.Value)
	}
	return byNode
}

// commandWords is the whole command of a request type with its arguments.
func commandWords(kind int32, args *C.compat_words) ([][]byte, error) {
	words, known := protobuf.AppendCommand(make([][]byte, 0, maxOwn+int(args.count)), protobuf.RequestType(kind))
	if !known {
		return nil, clientFault("Couldn't fetch command type- ClientError")
	}
	if words = readWords(words, args); len(words) == 0 {
		return nil, clientFault("The command has no words- ClientError")
	}
	return words, nil
}

// maxOwn is how many words a request type stands for at most.
const maxOwn = 2

// readWords appends copies of the caller's words, which are the caller's again when the call
// returns; after a time-out they may still wait to be written.
func readWords(words [][]byte, args *C.compat_words) [][]byte {
	at := unsafe.Slice(args.at, int(args.count))
	sizes := unsafe.Slice(args.sizes, int(args.count))
	total := 0
	for _, size := range sizes {
		total += int(size)
	}
	room := make([]byte, 0, total)
	for i, size := range sizes {
		start := len(room)
		if size > 0 { // else the address need not be one
			room = append(room, unsafe.Slice(*(**byte)(unsafe.Pointer(&at[i])), int(size))...)
		}
		words = append(words, room[start:len(room):len(room)])
	}
	return words
}

// routeOf reads a route. A standalone server has none to choose.
func (c *client) routeOf(from *C.compat_route) (routing.Route, error) {
	switch {
	case c.config.Standalone:
		return routing.Route{}, nil
	case from.info != nil:
		return routeInfo(from.info)
	case from.bytes == nil || from.len == 0:
		return routing.Route{}, nil
	}
	message := new(protobuf.Routes)
	if err := proto.Unmarshal(unsafe.Slice((*byte)(from.bytes), int(from.len)), message); err != nil {
		return routing.Route{}, clientFault("Decoding route failed - ClientError: %v", err)
	}
	if message.GetValue() == nil {
		return routing.Route{}, nil
	}
	route, err := wire.DecodeRoute(message)
	if err != nil {
		return route, clientFault("Decoding route failed - ClientError: %v", err)
	}
	return route, nil
}

// routeKinds are the routes by their glide_route_type.
var routeKinds = [...]routing.RouteKind{
	C.GLIDE_ROUTE_ALL_NODES: routing.RouteAllNodes, C.GLIDE_ROUTE_ALL_PRIMARIES: routing.RouteAllPrimaries,
	C.GLIDE_ROUTE_RANDOM: routing.RouteRandomNode, C.GLIDE_ROUTE_SLOT_ID: routing.RouteSlotID,
	C.GLIDE_ROUTE_SLOT_KEY: routing.RouteSlotKey, C.GLIDE_ROUTE_BY_ADDRESS: routing.RouteByAddress,
}

func routeInfo(info *C.RouteInfo) (route routing.Route, err error) {
	kind, role := int(info.route_type), int(info.slot_type)
	switch {
	case kind < 0 || kind >= len(routeKinds):
		return route, clientFault("route type %d is none- ClientError", kind)
	case role != C.GLIDE_SLOT_PRIMARY && role != C.GLIDE_SLOT_REPLICA:
		return route, clientFault("slot type %d is neither primary (0) nor replica (1)- ClientError", role)
	}
	route = routing.Route{Kind: routeKinds[kind], Role: routing.Role(role), SlotID: int32(info.slot_id), Port: int32(info.port)}
	if route.Kind == routing.RouteSlotKey && info.slot_key != nil {
		route.Key = []byte(C.GoString(info.slot_key))
	}
	if route.Kind == routing.RouteByAddress && info.hostname != nil {
		route.Host = C.GoString(info.hostname)
	}
	return route, nil
}

// store puts the strings of a reply where the caller wants them; in their places are their sizes.
func store(v *routing.Value, into *C.compat_targets) error {
	at, sizes := unsafe.Slice(into.at, int(into.count)), unsafe.Slice(into.sizes, int(into.count))
	if !into.elements {
		return storeOne(v, at[0], int(sizes[0]))
	}
	if v.Kind != routing.KindArray {
		return nil
	}
	for i := range v.Items[:min(len(v.Items), len(at))] {
		if err := storeOne(&v.Items[i], at[i], int(sizes[i])); err != nil {
			return err
		}
	}
	return nil
}

func storeOne(v *routing.Value, at *C.uint8_t, size int) error {
	if v.Kind != routing.KindBulk || at == nil {
		return nil
	}
	if len(v.Text) > size {
		return clientFault("Value size exceeds buffer capacity - ClientError: value is %d bytes but buffer is %d bytes", len(v.Text), size)
	}
	copy(unsafe.Slice((*byte)(at), size), v.Text)
	*v = routing.Bulk(strconv.Itoa(len(v.Text)))
	return nil
}
