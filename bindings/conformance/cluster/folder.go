package cluster

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// folder is the temporary folder of a cluster. It is gone after remove, and also after this
// process was killed: a shell waits for the end of a pipe that this process holds open, and
// deletes the folder then.
type folder struct {
	path    string
	janitor *exec.Cmd
	hold    io.Closer
	once    sync.Once
	err     error
}

func newFolder() (*folder, error) {
	path, err := os.MkdirTemp("", "glide-cluster-")
	if err != nil {
		return nil, err
	}
	// Servers that die at this moment may still be writing, so it tries more than once.
	janitor := exec.Command("/bin/sh", "-c",
		`read -r _; for i in 1 2 3 4 5; do rm -rf -- "$0" && exit; sleep 0.2; done`, path)
	janitor.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // out of reach of Ctrl-C
	hold, err := janitor.StdinPipe()
	if err == nil {
		err = janitor.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the janitor of %s: %w", path, err), os.Remove(path))
	}
	return &folder{path: path, janitor: janitor, hold: hold}, nil
}

// remove deletes the folder and ends its janitor.
func (f *folder) remove() error {
	f.once.Do(func() {
		f.err = os.RemoveAll(f.path)
		f.hold.Close()
		f.janitor.Wait() // it finds nothing left to delete; its exit code tells nothing
	})
	return f.err
}
