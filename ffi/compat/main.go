// Command compat is libglide_ffi.so: the C interface of GLIDE's core (glide_ffi.h) over package
// core, so that GLIDE's own bindings run on it. It decodes, calls and encodes, as ffi does.
package main

/*
#cgo CFLAGS: -Wall -Wextra -Werror
#include "shim.h"
*/
import "C"

import (
	"time"
	"unsafe"

	"libglide/core"
	"libglide/ffi/internal/handles"
	_ "libglide/ffi/internal/threads"
	"libglide/ffi/internal/wire"
	"libglide/routing"
)

func main() {}

// client is what a conn_ptr stands for.
type client struct {
	*core.Client
	config    core.Config
	callbacks *callbacks // nil: results are returned
	watches   watches
}

// callbacks are told what came of the calls of an async client.
type callbacks struct {
	success C.SuccessCallback
	failure C.FailureCallback
}

var clients = handles.Table[client]{Kind: 1}

// defaultTimeout is that of core.
const defaultTimeout = 250 * time.Millisecond

//export compatCreateClient
func compatCreateClient(request unsafe.Pointer, size C.size_t, kind *C.ClientType, resolve C.AddressResolverCallback, clientID C.uintptr_t) *C.ConnectionResponse {
	made, err := guarded(func() (*client, error) {
		return open(unsafe.Slice((*byte)(request), int(size)), kind, resolver{resolve, clientID})
	})
	if err != nil {
		return unconnected(err)
	}
	response := (*C.ConnectionResponse)(C.malloc_or_null(C.sizeof_ConnectionResponse))
	if response == nil {
		made.Close()
		return nil
	}
	*response = C.ConnectionResponse{}
	// The handle is a number, which Go must not take for an address.
	*(*uintptr)(unsafe.Pointer(&response.conn_ptr)) = uintptr(clients.Add(made))
	return response
}

// unconnected is the response to a client that could not be had.
func unconnected(err error) *C.ConnectionResponse {
	why := asConnectionFailure(err)
	message := cText(why.text)
	defer C.free(unsafe.Pointer(message))
	return C.compat_unconnected(C.int(why.kind), message)
}

// open connects a client.
func open(request []byte, kind *C.ClientType, resolve resolver) (*client, error) {
	told, err := callbacksOf(kind, resolve.clientID != 0)
	if err != nil {
		return nil, err
	}
	config, err := wire.DecodeConfig(request)
	if err != nil {
		return nil, err
	}
	if len(config.Addresses) == 0 {
		return nil, &failure{notConnected, "No addresses provided"}
	}
	if len(config.Subscriptions) > 0 {
		return nil, misconfiguration("pubsub_subscriptions is not supported yet")
	}
	settleZone(&config)
	if resolve.callback != nil {
		config.Resolve = resolve.resolve
	}
	if config.RequestTimeout == 0 {
		config.RequestTimeout = defaultTimeout
	}
	made, err := core.Open(config)
	if err != nil {
		return nil, unreachable(err, &config)
	}
	return &client{Client: made, config: config, callbacks: told}, nil
}

// callbacksOf are those of an asynchronous client; nil for a synchronous one.
func callbacksOf(kind *C.ClientType, identified bool) (*callbacks, error) {
	switch {
	case kind._type == C.GLIDE_CLIENT_SYNC:
		return nil, nil
	case kind._type != C.GLIDE_CLIENT_ASYNC:
		return nil, misconfiguration("client type %d is neither asynchronous (0) nor synchronous (1)", kind._type)
	case identified || kind.success_callback == nil || kind.failure_callback == nil:
		return nil, misconfiguration("asynchronous clients over a pipe are not supported yet")
	}
	return &callbacks{kind.success_callback, kind.failure_callback}, nil
}

// settleZone leaves a zone out that the read strategy has no use for, and takes the strategy without
// zones where the client or all servers have none. core refuses that; GLIDE's bindings rely on it.
func settleZone(config *core.Config) {
	config.AnyZone = true
	switch {
	case !config.Reads.NeedsZone():
		config.Zone = ""
	case config.Zone == "":
		config.Reads = routing.ReadPreferReplica
	}
}

//export compatCloseClient
func compatCloseClient(handle C.uintptr_t) {
	_, _ = guarded(func() (any, error) {
		if closing, state := clients.Take(uint64(handle)); state == handles.Live {
			closing.Close()
		}
		return nil, nil
	})
}

//export compatStatistics
func compatStatistics(statistics *C.Statistics) {
	_, _ = guarded(func() (any, error) {
		clients.Each(func(c *client) {
			statistics.total_clients++
			if told, err := c.Statistics(); err == nil {
				for i := range told.Nodes {
					statistics.total_connections += C.ulong(told.Nodes[i].Connections)
				}
			}
		})
		return nil, nil
	})
}
