package main

/*
#include "shim.h"
*/
import "C"

import (
	"time"
	"unsafe"

	"libglide/core"
	"libglide/ffi/compat/convert"
	"libglide/routing"
)

//export compatBatch
func compatBatch(handle, id C.uintptr_t, commands *C.BatchInfo, raise C.bool, options *C.BatchOptionsInfo) *C.CommandResult {
	return protected(func() *C.CommandResult {
		c, unknown := find(uintptr(handle))
		if unknown != nil {
			return fail(unknown)
		}
		request, err := c.readBatch(commands, options)
		if err != nil {
			return c.answer(id, func() reply { return reply{err: err} })
		}
		return c.answer(id, func() reply { return c.runBatch(request, bool(raise)) })
	})
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
	response, err := c.send(request)
	if err != nil || response.Value.IsNil() {
		return reply{value: response.Value, err: err}
	}
	for i := range response.Value.Items {
		item := &response.Value.Items[i]
		if response.Failures != nil && response.Failures[i] != nil {
			why := coreFailure(response.Failures[i])
			if raise || why.kind == timedOut { // the time is that of the whole batch
				return reply{err: why}
			}
			item.Text = []byte(why.text)
		} else if *item, err = convert.Reply(request.Commands[i], *item); err != nil {
			return reply{err: err}
		} else {
			tellErrors(item)
		}
	}
	return reply{value: response.Value, errorsMayBe: !raise}
}

// send sends a batch; a transaction over the connection on which its keys are watched, if there is
// one.
func (c *client) send(request *core.BatchRequest) (core.Response, error) {
	if request.Atomic {
		if session := c.take(&request.Batch); session != nil {
			defer session.Close()
			return session.ExecuteBatch(request)
		}
	}
	return c.ExecuteBatch(request)
}

// tellErrors puts the texts that callers know in the places of errors inside a result.
func tellErrors(v *routing.Value) {
	for i := range v.Items {
		if item := &v.Items[i]; item.IsError() {
			item.Text = []byte(signalled(string(item.Text)))
		} else {
			tellErrors(item)
		}
	}
}
