package cluster

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// spawn starts a command that the kernel kills when this process ends, however it ends.
//
// The kernel means the end of the *thread* that started it (prctl(2), PR_SET_PDEATHSIG), and Go
// ends threads as it likes. So all servers are started by one goroutine that keeps its thread.
func spawn(command *exec.Cmd) error {
	command.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:   true, // Ctrl-C goes to the foreground group; servers must outlive its handling
		Pdeathsig: syscall.SIGKILL,
	}
	started := make(chan error)
	spawner() <- func() { started <- command.Start() }
	return <-started
}

var spawner = sync.OnceValue(func() chan<- func() {
	starts := make(chan func())
	go spawnServers(starts)
	return starts
})

// spawnServers never returns. It has a name so that a test for goroutines left behind can know
// it.
func spawnServers(starts <-chan func()) {
	runtime.LockOSThread()
	for start := range starts {
		start()
	}
}
