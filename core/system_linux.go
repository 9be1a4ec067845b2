package core

import "syscall"

// noSignal: a write to a connection that is gone must not raise SIGPIPE in the host.
const noSignal = syscall.MSG_NOSIGNAL

// yieldThread has the kernel run other threads that are ready before this one goes on.
func yieldThread() { _, _, _ = syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) }
