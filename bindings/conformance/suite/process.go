package suite

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// patience is how long a driver may take for a call. The longest that a vector asks for is far
// below it.
const patience = 20 * time.Second

// process is a driver that runs as a program of its own.
type process struct {
	command *exec.Cmd
	in      io.WriteCloser
	lines   chan []byte // closed at the end of its output
	said    bytes.Buffer
}

// Program is a driver that a command line starts, its words divided by blanks. It reads calls on
// its standard input, a line each, and answers each with a line on its standard output.
func Program(name, commandLine string) Driver {
	return Driver{name, func() (Session, error) {
		words := strings.Fields(commandLine)
		if len(words) == 0 {
			return nil, errors.New("the command line of the driver is empty")
		}
		p := &process{command: exec.Command(words[0], words[1:]...), lines: make(chan []byte)}
		p.command.Stderr = &p.said
		in, err := p.command.StdinPipe()
		if err != nil {
			return nil, err
		}
		out, err := p.command.StdoutPipe()
		if err != nil {
			return nil, err
		}
		p.in = in
		if err := p.command.Start(); err != nil {
			return nil, err
		}
		go p.read(out)
		return p, nil
	}}
}

func (p *process) read(out io.Reader) {
	defer close(p.lines)
	reader := bufio.NewReader(out)
	for {
		line, err := reader.ReadBytes('\n')
		if err != nil {
			return
		}
		p.lines <- line
	}
}

func (p *process) Call(words ...string) ([]byte, error) {
	if _, err := io.WriteString(p.in, strings.Join(words, " ")+"\n"); err != nil {
		return nil, p.ended(err)
	}
	// Many short waits: where the machine stands still, so does the patience.
	tick := time.NewTicker(patience / 200)
	defer tick.Stop()
	for range 200 {
		select {
		case line, more := <-p.lines:
			if !more {
				return nil, p.ended(io.EOF)
			}
			return line, nil
		case <-tick.C:
		}
	}
	return nil, fmt.Errorf("the driver has not answered in %v: %.200s", patience, strings.Join(words, " "))
}

// ended tells why the driver is gone; what it wrote on its standard error says most.
func (p *process) ended(err error) error {
	p.Close()
	return fmt.Errorf("the driver has ended: %w; %s %.2000s", err, p.command.ProcessState, p.said.String())
}

// Close ends the program: it stops by itself at the end of its input, or is stopped.
func (p *process) Close() {
	_ = p.in.Close()
	end := time.AfterFunc(time.Second, func() { _ = p.command.Process.Kill() })
	for range p.lines {
	}
	_ = p.command.Wait()
	end.Stop()
}
