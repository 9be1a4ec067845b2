// Command ffi is the C interface of libglide, built with -buildmode=c-shared: include/glide.h in
// front, package core behind. It decodes, calls and encodes; it decides nothing.
package main

/*
#include "buffer.h"
#include "host.h"
#include "shim.h"
*/
import "C"

import (
	"math"
	"time"
	"unsafe"

	"libglide/core"
	"libglide/ffi/internal/handles"
	_ "libglide/ffi/internal/threads"
	"libglide/ffi/internal/wire"
	"libglide/protobuf"
	"libglide/routing"
)

func main() {}

func init() {
	C.host_restore_limit()
	// With its first timer the runtime opens its poller. Later there may be no free descriptors, and
	// it would end the process.
	time.AfterFunc(time.Hour, func() {}).Stop()
}

var (
	clients = handles.Table[core.Client]{Kind: 1}
	routers = handles.Table[core.Router]{Kind: 2}
)

//export glideGoKeySlot
func glideGoKeySlot(key *C.uint8_t, size C.size_t) (slot C.int32_t) {
	defer func() {
		if fault := recover(); fault != nil {
			core.Panicked(fault)
			slot = -1
		}
	}()
	fault("glideGoKeySlot")
	return C.int32_t(routing.SlotOf(input(key, size)))
}

//export glideGoSchema
func glideGoSchema(schema *C.glide_buffer) (status C.glide_status) {
	defer func() {
		if fault := recover(); fault != nil {
			core.Panicked(fault)
			status = C.GLIDE_ERR_INTERNAL
		}
	}()
	fault("glideGoSchema")
	bytes := protobuf.Schema()
	room := allocate(schema, len(bytes))
	if room == nil {
		return C.GLIDE_ERR_INTERNAL
	}
	copy(room, bytes)
	return C.GLIDE_OK
}

//export glideGoClientResolve
func glideGoClientResolve(handle C.glide_client, request *C.uint8_t, size C.size_t, response *C.glide_buffer) C.glide_status {
	return answer(response, func() (*protobuf.Response, error) {
		fault("glideGoClientResolve")
		client, err := find(&clients, uint64(handle))
		if err != nil {
			return nil, err
		}
		return resolve(client, input(request, size))
	})
}

//export glideGoClientTopology
func glideGoClientTopology(handle C.glide_client, response *C.glide_buffer) C.glide_status {
	return answer(response, func() (*protobuf.Response, error) {
		fault("glideGoClientTopology")
		client, err := find(&clients, uint64(handle))
		if err != nil {
			return nil, err
		}
		return &protobuf.Response{Topology: encodeTopology(client.Topology())}, nil
	})
}

//export glideGoClientStatistics
func glideGoClientStatistics(handle C.glide_client, response *C.glide_buffer) C.glide_status {
	return answer(response, func() (*protobuf.Response, error) {
		fault("glideGoClientStatistics")
		client, err := find(&clients, uint64(handle))
		if err != nil {
			return nil, err
		}
		statistics, err := client.Statistics()
		if err != nil {
			return nil, err
		}
		return &protobuf.Response{Statistics: encodeStatistics(statistics)}, nil
	})
}

//export glideGoClientClose
func glideGoClientClose(handle C.glide_client) C.glide_status {
	return closeHandle("glideGoClientClose", &clients, uint64(handle), func(client *core.Client) {
		client.Close()
		forgetSubscriber(uint64(handle))
	})
}

//export glideGoRouterOpen
func glideGoRouterOpen(topology *C.uint8_t, size C.size_t, handle *C.glide_router, response *C.glide_buffer) C.glide_status {
	var router *core.Router
	status := answer(response, func() (_ *protobuf.Response, err error) {
		fault("glideGoRouterOpen")
		router, err = wire.DecodeTopology(input(topology, size))
		return nil, err
	})
	if status == C.GLIDE_OK {
		*handle = C.glide_router(routers.Add(router))
	}
	return status
}

//export glideGoRouterResolve
func glideGoRouterResolve(handle C.glide_router, request *C.uint8_t, size C.size_t, response *C.glide_buffer) C.glide_status {
	return answer(response, func() (*protobuf.Response, error) {
		fault("glideGoRouterResolve")
		router, err := find(&routers, uint64(handle))
		if err != nil {
			return nil, err
		}
		return resolve(router, input(request, size))
	})
}

//export glideGoRouterClose
func glideGoRouterClose(handle C.glide_router) C.glide_status {
	return closeHandle("glideGoRouterClose", &routers, uint64(handle), func(*core.Router) {})
}

// resolver says where requests go: a client over the topology it keeps, a router over the one it
// was given.
type resolver interface {
	Resolve(*routing.Request) (*routing.Plan, error)
	ResolveBatch(*routing.Batch) (*routing.BatchPlan, error)
}

func resolve(over resolver, request []byte) (*protobuf.Response, error) {
	wanted, callback, err := decodeRequest(request)
	response := &protobuf.Response{CallbackIdx: callback}
	if err != nil {
		return response, err
	}
	if wanted.scan != nil {
		return response, badRequest("a cluster scan has no plan: each step says where the next goes")
	}
	if wanted.password != nil {
		return response, badRequest("update_connection_password has no plan: it is for all nodes")
	}
	if wanted.channels != nil {
		return response, badRequest("subscribe and unsubscribe have no plan: a channel may move at any time, and events tell what becomes of it")
	}
	if wanted.batch != nil {
		plan, err := over.ResolveBatch(&wanted.batch.Batch)
		if err == nil {
			response.Plan = encodeBatchPlan(plan)
		}
		return response, err
	}
	plan, err := over.Resolve(&wanted.Request.Request)
	if err == nil {
		response.Plan = encodePlan(plan)
	}
	return response, err
}

func find[T any](things *handles.Table[T], handle uint64) (*T, error) {
	thing, state := things.Get(handle)
	if state != handles.Live {
		return nil, handleError(state, handle)
	}
	return thing, nil
}

func closeHandle[T any](name string, things *handles.Table[T], handle uint64, close func(*T)) (status C.glide_status) {
	defer func() {
		if fault := recover(); fault != nil {
			core.Panicked(fault)
			status = C.GLIDE_ERR_INTERNAL
		}
	}()
	fault(name)
	thing, state := things.Take(handle)
	if state != handles.Live {
		return C.glide_status(handleError(state, handle).Status)
	}
	close(thing)
	return C.GLIDE_OK
}

func handleError(state handles.State, handle uint64) *core.Error {
	if state == handles.Closed {
		return core.NewError(core.StatusClosed, "the handle is closed")
	}
	return core.NewError(core.StatusInvalidArgument, "handle %#x was never given out", handle)
}

// answer runs a call that does not wait and puts what it says, or why it failed, into the buffer.
func answer(buffer *C.glide_buffer, call func() (*protobuf.Response, error)) C.glide_status {
	var r reply
	if err := guard(func() (err error) {
		r.rest, err = call()
		return err
	}); err != nil {
		r.err = asError(err)
	}
	return respond(buffer, &r)
}

// respond puts a reply into the buffer; where that fails, why, and where that fails too, nothing.
func respond(buffer *C.glide_buffer, r *reply) C.glide_status {
	if err := guard(func() error { return fill(buffer, r) }); err != nil {
		failure := *asError(err)
		failure.Sent = r.value != nil || len(r.outcomes) > 0
		r = &reply{callback: r.callback, err: &failure}
		_ = guard(func() error { return fill(buffer, r) })
	}
	if r.err != nil {
		return C.glide_status(r.err.Status)
	}
	return C.GLIDE_OK
}

// guard makes a panic an error that names the place.
func guard(run func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = core.Panicked(fault)
		}
	}()
	return run()
}

// input is the caller's bytes; they are the caller's again when the call returns.
func input(pointer *C.uint8_t, size C.size_t) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(pointer)), int(size))
}

// maxResponse is how long a message of protocol buffers can be.
const maxResponse = math.MaxInt32

func checkSize(size int) error {
	if most := longest(); size > most {
		return core.NewError(core.StatusInternal, "the response has %d bytes; a message holds %d", size, most)
	}
	return nil
}

var errMemory = core.NewError(core.StatusInternal, "no memory for the response")

// fill puts a reply into the buffer, in one piece of C memory of its exact size. On an error, or a
// panic, the buffer is empty.
func fill(buffer *C.glide_buffer, r *reply) error {
	buffer.data, buffer.len = nil, 0
	size, written := r.measure(), -1
	defer func() {
		if written != size {
			C.buffer_release(unsafe.Pointer(buffer.data))
			buffer.data, buffer.len = nil, 0
		}
	}()
	if err := checkSize(size); err != nil {
		return err
	}
	room := allocate(buffer, size)
	if room == nil && size > 0 {
		return errMemory
	}
	if written = len(r.append(room[:0])); written != size {
		return core.NewError(core.StatusInternal, "a response of %d bytes came to %d", size, written)
	}
	return nil
}

// allocate gives the buffer C memory of size bytes; nil, and an empty buffer, where there is none
// or size is 0.
func allocate(buffer *C.glide_buffer, size int) []byte {
	buffer.data, buffer.len = nil, 0
	if size == 0 {
		return nil
	}
	memory := C.buffer_allocate(C.size_t(size))
	if memory == nil {
		return nil
	}
	buffer.data, buffer.len = (*C.uint8_t)(memory), C.size_t(size)
	return unsafe.Slice((*byte)(memory), size)
}
