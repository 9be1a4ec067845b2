// Command ffi is the C interface of libglide, built with -buildmode=c-shared: include/glide.h in
// front, package core behind. It decodes, calls and encodes; it decides nothing.
package main

/*
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"

	"google.golang.org/protobuf/proto"

	"libglide/core"
	"libglide/protobuf"
	"libglide/routing"
)

func main() {}

var (
	clients = table[core.Client]{kind: 1}
	routers = table[core.Router]{kind: 2}
)

//export glideGoKeySlot
func glideGoKeySlot(key unsafe.Pointer, size C.size_t) C.int32_t {
	return C.int32_t(routing.SlotOf(input(key, size)))
}

//export glideGoSchema
func glideGoSchema(schema *C.glide_buffer) (status C.glide_status) {
	defer func() {
		if recover() != nil {
			status = C.GLIDE_ERR_INTERNAL
		}
	}()
	bytes, err := protobuf.Schema()
	if err != nil || !fill(schema, len(bytes), func(room []byte) []byte { return append(room, bytes...) }) {
		return C.GLIDE_ERR_INTERNAL
	}
	return C.GLIDE_OK
}

//export glideGoClientOpen
func glideGoClientOpen(config unsafe.Pointer, size C.size_t, handle *C.glide_client, response *C.glide_buffer) C.glide_status {
	return answer(response, func() (*protobuf.Response, error) {
		settings, err := decodeConfig(input(config, size))
		if err != nil {
			return nil, err
		}
		client, err := core.Open(settings)
		if err != nil {
			return nil, err
		}
		*handle = C.glide_client(clients.add(client))
		return &protobuf.Response{Topology: encodeTopology(client.Topology())}, nil
	})
}

//export glideGoClientExecute
func glideGoClientExecute(handle C.glide_client, request unsafe.Pointer, size C.size_t, response *C.glide_buffer) C.glide_status {
	return answer(response, func() (*protobuf.Response, error) {
		client, err := find(&clients, uint64(handle))
		if err != nil {
			return nil, err
		}
		wanted, callback, err := decodeRequest(input(request, size))
		if err != nil {
			return &protobuf.Response{CallbackIdx: callback}, err
		}
		result, err := wanted.run(client)
		return encodeResponse(&result, err == nil, callback), err
	})
}

//export glideGoClientResolve
func glideGoClientResolve(handle C.glide_client, request unsafe.Pointer, size C.size_t, response *C.glide_buffer) C.glide_status {
	return answer(response, func() (*protobuf.Response, error) {
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
		client, err := find(&clients, uint64(handle))
		if err != nil {
			return nil, err
		}
		return &protobuf.Response{Topology: encodeTopology(client.Topology())}, nil
	})
}

//export glideGoClientClose
func glideGoClientClose(handle C.glide_client) C.glide_status {
	return closeHandle(&clients, uint64(handle), func(client *core.Client) { client.Close() })
}

//export glideGoRouterOpen
func glideGoRouterOpen(topology unsafe.Pointer, size C.size_t, handle *C.glide_router, response *C.glide_buffer) C.glide_status {
	return answer(response, func() (*protobuf.Response, error) {
		router, err := decodeTopology(input(topology, size))
		if err != nil {
			return nil, err
		}
		*handle = C.glide_router(routers.add(router))
		return nil, nil
	})
}

//export glideGoRouterResolve
func glideGoRouterResolve(handle C.glide_router, request unsafe.Pointer, size C.size_t, response *C.glide_buffer) C.glide_status {
	return answer(response, func() (*protobuf.Response, error) {
		router, err := find(&routers, uint64(handle))
		if err != nil {
			return nil, err
		}
		return resolve(router, input(request, size))
	})
}

//export glideGoRouterClose
func glideGoRouterClose(handle C.glide_router) C.glide_status {
	return closeHandle(&routers, uint64(handle), func(*core.Router) {})
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

func find[T any](things *table[T], handle uint64) (*T, error) {
	thing, state := things.get(handle)
	if state != handleLive {
		return nil, handleError(state, handle)
	}
	return thing, nil
}

func closeHandle[T any](things *table[T], handle uint64, close func(*T)) (status C.glide_status) {
	defer func() {
		if recover() != nil {
			status = C.GLIDE_ERR_INTERNAL
		}
	}()
	thing, state := things.take(handle)
	if state != handleLive {
		return C.glide_status(handleError(state, handle).Status)
	}
	close(thing)
	return C.GLIDE_OK
}

func handleError(state handleState, handle uint64) *core.Error {
	if state == handleClosed {
		return core.NewError(core.StatusClosed, "the handle is closed")
	}
	return core.NewError(core.StatusInvalidArgument, "handle %#x was never given out", handle)
}

// answer runs one call and puts what it says, or why it failed, into the buffer. A panic becomes
// an error that names the place.
func answer(buffer *C.glide_buffer, call func() (*protobuf.Response, error)) C.glide_status {
	response, err := guard(call)
	if response == nil {
		response = &protobuf.Response{}
	}
	status := core.StatusOK
	if err != nil {
		failure := asError(err)
		status, response.Error = failure.Status, encodeError(failure)
	}
	size := proto.Size(response)
	filled := fill(buffer, size, func(room []byte) []byte {
		bytes, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(room, response)
		if err != nil {
			return nil
		}
		return bytes
	})
	if !filled {
		return C.GLIDE_ERR_INTERNAL
	}
	return C.glide_status(status)
}

func guard(call func() (*protobuf.Response, error)) (response *protobuf.Response, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			response, err = nil, core.NewError(core.StatusInternal, "panic: %v at %s", fault, faultPlace())
		}
	}()
	return call()
}

// faultPlace is the file and line that panicked: the first frame outside the runtime above the
// recovering one.
func faultPlace() string {
	var counters [32]uintptr
	frames := runtime.CallersFrames(counters[:runtime.Callers(4, counters[:])])
	for {
		frame, more := frames.Next()
		if frame.Function != "" && !inRuntime(frame.Function) || !more {
			return fmt.Sprintf("%s:%d", frame.File, frame.Line)
		}
	}
}

func inRuntime(function string) bool {
	return len(function) > 8 && function[:8] == "runtime."
}

// input is the caller's bytes; they are the caller's again when the call returns.
func input(pointer unsafe.Pointer, size C.size_t) []byte {
	return unsafe.Slice((*byte)(pointer), int(size))
}

// fill allocates C memory of size bytes and lets write append them into it. It is false, and the
// buffer empty, where memory is short or write returned anything else than size bytes.
func fill(buffer *C.glide_buffer, size int, write func(room []byte) []byte) bool {
	buffer.data, buffer.len = nil, 0
	if size == 0 {
		return true
	}
	memory := C.malloc_or_null(C.size_t(size))
	if memory == nil {
		return false
	}
	room := unsafe.Slice((*byte)(memory), size)
	if written := write(room[:0]); len(written) != size || &written[0] != &room[0] {
		C.free(memory)
		return false
	}
	buffer.data, buffer.len = (*C.uint8_t)(memory), C.size_t(size)
	return true
}
