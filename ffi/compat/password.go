package main

/*
#include "shim.h"
*/
import "C"

import (
	"strings"

	"libglide/core"
	"libglide/routing"
)

//export compatUpdatePassword
func compatUpdatePassword(handle, id C.uintptr_t, password *C.char, immediate C.bool) *C.CommandResult {
	c, unknown := find(uintptr(handle))
	if unknown != nil {
		return fail(unknown)
	}
	update := &core.PasswordUpdate{Immediate: bool(immediate)}
	if password != nil {
		update.Password = C.GoString(password)
	}
	return c.answer(id, func() reply {
		if update.Immediate && update.Password == "" {
			return reply{err: clientFault("No password provided for authentication- UserOperationError")}
		}
		response, err := c.UpdatePassword(update)
		for _, outcome := range response.Outcomes {
			if outcome.Err != nil {
				return reply{err: login(outcome.Err)}
			}
		}
		return reply{value: routing.Simple("OK"), err: err}
	})
}

// login tells of a server that does not take the password what it says, not that it is lost.
func login(err *core.Error) *failure {
	if at := strings.Index(err.Message, err.Code); err.Code != "" && at >= 0 {
		return refusedBy(err.Message[at:])
	}
	return coreFailure(err)
}
