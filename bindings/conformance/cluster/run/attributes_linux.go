package main

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// attributes end the command when this process, which cannot tell it any more, was killed.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}

// endWithGoRun has the kernel send SIGTERM when `go run`, which passes no SIGTERM on, is killed.
// Another parent, a shell say, may end while this goes on in the background.
func endWithGoRun() {
	parent, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(os.Getppid()), "exe"))
	if err == nil && filepath.Base(parent) == "go" {
		syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGTERM), 0)
	}
}
