//go:build unix && !linux

package core

// noSignal has no equal here; the Go runtime keeps SIGPIPE of sockets from the host.
const noSignal = 0

func yieldThread() {} // no system call is known that does it everywhere
