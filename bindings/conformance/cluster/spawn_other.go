//go:build unix && !linux

package cluster

import (
	"os/exec"
	"syscall"
)

// spawn starts a command in a process group of its own, out of reach of Ctrl-C. Nothing here
// ends it when this process is killed with SIGKILL; only Linux can do that.
func spawn(command *exec.Cmd) error {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return command.Start()
}
