package main

/*
#include "shim.h"
*/
import "C"

import (
	"crypto/rand"
	"strconv"
	"strings"
	"sync"

	"libglide/core"
	"libglide/routing"
)

// cursorStore keeps where cluster scans stand, by the names that callers know. Going on does not
// take a cursor away: the same step can be made again, until the caller lets it go.
type cursorStore struct {
	mu     sync.Mutex
	byName map[string]string
}

var cursors = cursorStore{byName: make(map[string]string)}

// add names a cursor. The last one needs no name.
func (s *cursorStore) add(cursor string) string {
	if cursor == routing.ScanFinished {
		return cursor
	}
	name := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byName[name] = cursor
	return name
}

// cursor is what a name stands for; those that begin a scan stand for themselves.
func (s *cursorStore) cursor(name string) (string, bool) {
	if name == "" || name == "0" {
		return "0", true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	cursor, known := s.byName[name]
	return cursor, known
}

//export compatForgetCursor
func compatForgetCursor(name *C.char) {
	cursors.mu.Lock()
	defer cursors.mu.Unlock()
	delete(cursors.byName, C.GoString(name))
}

//export compatScan
func compatScan(handle, id C.uintptr_t, cursor *C.char, args *C.compat_words) *C.CommandResult {
	return protected(func() *C.CommandResult {
		c, unknown := find(uintptr(handle))
		if unknown != nil {
			return fail(unknown)
		}
		name := ""
		if cursor != nil {
			name = C.GoString(cursor)
		}
		request, err := scanRequest(readWords(nil, args))
		return c.answer(id, func() reply {
			if err != nil {
				return reply{err: err}
			}
			return c.scan(name, request)
		})
	})
}

func (c *client) scan(name string, request *core.ScanRequest) reply {
	var known bool
	if request.Cursor, known = cursors.cursor(name); !known {
		return reply{err: clientFault("Invalid scan_state_cursor id - ResponseError: The scan_state_cursor sent with id: `%q` does not exist", name)}
	}
	next, keys, err := c.Scan(request)
	if err != nil {
		return reply{err: uncovered(err)}
	}
	return reply{value: routing.ArrayOf(routing.Bulk(cursors.add(next)), routing.ArrayOf(keys...))}
}

// uncovered tells of a slot without a shard as GLIDE does.
func uncovered(err error) error {
	if why := err.Error(); strings.HasPrefix(why, "not all slots covered") {
		return clientFault("Could not find an address covering a slot, SCAN operation cannot continue - NotAllSlotsCovered: %s", why)
	}
	return err
}

// scanRequest reads MATCH pattern, COUNT n, TYPE t and ALLOW_NON_COVERED_SLOTS, in any order.
func scanRequest(words [][]byte) (*core.ScanRequest, error) {
	request := new(core.ScanRequest)
	for i := 0; i < len(words); i++ {
		option := string(words[i])
		if option == "ALLOW_NON_COVERED_SLOTS" {
			request.Gaps = true
			continue
		}
		if i++; i == len(words) {
			return nil, clientFault("cluster scan: %s has no value- ClientError", option)
		}
		switch option {
		case "MATCH":
			request.Match = words[i]
		case "TYPE":
			request.Type = string(words[i])
		case "COUNT":
			count, err := strconv.ParseUint(string(words[i]), 10, 32)
			if err != nil {
				return nil, clientFault("cluster scan: COUNT %q is no number- ClientError", words[i])
			}
			request.Count = int64(count)
		default:
			return nil, clientFault("cluster scan: %q is no option- ClientError", option)
		}
	}
	return request, nil
}
