//go:build unix && !linux

package core

// noSignal has no equal here; the Go runtime keeps SIGPIPE of sockets from the host.
const noSignal = 0
