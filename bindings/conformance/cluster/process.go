package cluster

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// process is one run of valkey-server. It writes its log to server.log in its folder.
type process struct {
	command *exec.Cmd
	ended   chan struct{} // closed when the server is gone and reaped
}

func startProcess(binary, folder string, arguments []string) (*process, error) {
	log, err := os.OpenFile(logPath(folder), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	command := exec.Command(binary, arguments...)
	command.Dir = folder
	command.Stdout, command.Stderr = log, log
	if err := spawn(command); err != nil {
		return nil, fmt.Errorf("start %s: %w", binary, err)
	}
	p := &process{command: command, ended: make(chan struct{})}
	go func() {
		command.Wait() // the log tells why it ended
		close(p.ended)
	}()
	return p, nil
}

func (p *process) pid() int { return p.command.Process.Pid }

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// kill ends the server, also a stopped one, and waits until it is gone.
func (p *process) kill() error {
	err := p.signal(syscall.SIGKILL)
	if err != nil && p.running() {
		return err
	}
	<-p.ended
	return nil
}

func (p *process) signal(signal syscall.Signal) error {
	return p.command.Process.Signal(signal)
}

func logPath(folder string) string { return filepath.Join(folder, "server.log") }

// logEnd returns the last lines of a server's log, for error messages.
func logEnd(folder string) string {
	const enough = 2000 // bytes
	log, err := os.Open(logPath(folder))
	if err != nil {
		return err.Error()
	}
	defer log.Close()
	if info, err := log.Stat(); err == nil && info.Size() > enough {
		log.Seek(-enough, io.SeekEnd)
	}
	end, err := io.ReadAll(log)
	if err != nil {
		return err.Error()
	}
	if _, rest, found := bytes.Cut(end, []byte("\n")); found && len(end) == enough {
		end = rest // the first line is cut in two
	}
	return string(bytes.TrimSpace(end))
}
