package main

/*
#include "shim.h"
*/
import "C"

import (
	"errors"
	"strings"

	"libglide/core"
	"libglide/routing"
)

//export compatUpdatePassword
func compatUpdatePassword(handle, id C.uintptr_t, password *C.char, immediate C.bool) *C.CommandResult {
	return protected(func() *C.CommandResult {
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
			if _, err := c.UpdatePassword(update); err != nil {
				return reply{err: login(err)}
			}
			return reply{value: routing.Simple("OK")}
		})
	})
}

// login tells of a server that does not take the password what it says, not that it is lost.
func login(err error) *failure {
	var refused *core.Error
	if errors.As(errors.Unwrap(err), &refused) || errors.As(err, &refused) {
		if at := strings.Index(refused.Message, refused.Code); refused.Code != "" && at >= 0 {
			return refusedBy(refused.Message[at:])
		}
	}
	return asFailure(err)
}
