package main

/*
#include "shim.h"
*/
import "C"

import (
	"strings"
	"time"
	"unsafe"

	"libglide/core"
	"libglide/ffi/compat/convert"
	"libglide/routing"
)

//export compatBatch
func compatBatch(handle, id C.uintptr_t, commands *C.BatchInfo, raise C.bool, options *C.BatchOptionsInfo) *C.CommandResult {
	c, unknown := find(uintptr(handle))
	if unknown != nil {
		return fail(unknown)
	}
	request, err := c.readBatch(commands, options)
	if err != nil {
		return c.answer(id, func() reply { return reply{err: err} })
	}
	return c.answer(id, func() reply { return c.runBatch(request, bool(raise)) })
}

func (c *client) readBatch(commands *C.BatchInfo, options *C.BatchOptionsInfo) (*core.BatchRequest, error) {
	if commands == nil {
		return nil, clientFault("there is no batch- ClientError")
	}
	request := &core.BatchRequest{}
	request.Atomic = bool(commands.is_atomic)
	for i, command := range unsafe.Slice(commands.cmds, int(commands.cmd_count)) {
		words, err := commandWords(int32(command.request_type), &C.compat_words{
			at: (*C.size_t)(unsafe.Pointer(command.args)), sizes: command.args_len, count: command.arg_count,
		})
		if err != nil {
			return nil, clientFault("Coudln't create %d'th command: \"%v\"", i, err)
		}
		request.Commands = append(request.Commands, words)
	}
	if options == nil {
		return request, nil
	}
	request.Repeat = bool(options.retry_connection_error)
	if options.has_timeout {
		request.Timeout = time.Duration(options.timeout) * time.Millisecond
	}
	if options.route_info != nil {
		var err error
		if request.Route, err = c.routeOf(&C.compat_route{info: options.route_info}); err != nil {
			return nil, err
		}
	}
	return request, nil
}

// runBatch converts each result by its command. Errors stand in their places, or the first is
// raised.
func (c *client) runBatch(request *core.BatchRequest, raise bool) reply {
	if len(request.Commands) == 0 {
		if request.Atomic {
			return reply{value: routing.ArrayOf()}
		}
		return reply{err: clientFault("Received empty pipeline- ResponseError")}
	}
	results, err := c.ExecuteBatch(request)
	if err != nil || results.IsNil() {
		return reply{value: results, err: err}
	}
	for i := range results.Items {
		item := &results.Items[i]
		if item.IsError() && strings.HasPrefix(string(item.Text), "TIMEOUT ") {
			return reply{err: &failure{timedOut, "timed out"}} // of the batch as a whole
		}
		if *item, err = convert.Reply(request.Commands[i], *item); err != nil {
			return reply{err: err}
		}
	}
	return reply{value: results, errorsMayBe: !raise}
}
