package core

import "syscall"

// noSignal: a write to a connection that is gone must not raise SIGPIPE in the host.
const noSignal = syscall.MSG_NOSIGNAL
