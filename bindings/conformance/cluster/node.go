package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/valkey-io/valkey-go"
)

// Node is one server.
type Node struct {
	Host string
	Port int
	ID   string // its name in the cluster; "" for a standalone server

	TLSPort int // 0 without Options.TLS

	options   Options
	clustered bool
	binary    string
	folder    string
	cluster   *Cluster // nil for a standalone server
	parent    *folder  // what Stop removes, for a standalone server

	admin admin

	mu      sync.Mutex
	process *process // its latest run
	paused  bool
	stopped bool // for good
}

// Address is "host:port", without brackets around an IPv6 address: "::1:7001".
func (n *Node) Address() string { return n.Host + ":" + strconv.Itoa(n.Port) }

func (n *Node) String() string { return n.Address() }

// Primary returns the node that this one copied from when the cluster was last looked at, nil
// for a primary. Start, Failover, FinishMigration and Settle look.
func (n *Node) Primary() *Node {
	if n.cluster == nil {
		return nil
	}
	return n.cluster.topology().primary[n]
}

// PID returns the process id of the server, 0 while it does not run.
func (n *Node) PID() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil || !n.process.running() {
		return 0
	}
	return n.process.pid()
}

// Do runs one administrative command on this node; a redirect is an error like any other. The
// errors of the server come as they are, for valkey.IsValkeyErr and valkey.IsValkeyNil.
func (n *Node) Do(ctx context.Context, words ...string) (valkey.ValkeyMessage, error) {
	client, err := n.admin.connect(n.Host, n.Port, n.options.Password)
	if err != nil {
		return valkey.ValkeyMessage{}, fmt.Errorf("connect to %s: %w", n, err)
	}
	reply, err := client.Do(ctx, client.B().Arbitrary(words...).Build()).ToMessage()
	if _, refused := valkey.IsValkeyErr(err); err != nil && !refused && !valkey.IsValkeyNil(err) {
		err = fmt.Errorf("%s on %s: %w", strings.Join(words, " "), n, err)
	}
	return reply, err
}

// launch starts the server and returns when it answers.
func (n *Node) launch(ctx context.Context) error {
	if err := n.startServer(); err != nil {
		return err
	}
	return n.await(ctx, n.answers)
}

func (n *Node) startServer() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stopped {
		return fmt.Errorf("%s was stopped", n)
	}
	if err := os.MkdirAll(n.folder, 0o700); err != nil {
		return err
	}
	process, err := startProcess(n.binary, n.folder, n.options.arguments(n.Port, n.TLSPort, n.clustered))
	if err != nil {
		return err
	}
	n.process, n.paused = process, false
	return nil
}

// answers asks for the process id too: what answers on the port may be the server of somebody
// else, while ours is about to find the port taken.
func (n *Node) answers(ctx context.Context) string {
	info, err := n.info(ctx, "INFO", "server")
	if err != nil {
		return "an answer to INFO server: " + err.Error()
	}
	if pid := strconv.Itoa(n.PID()); info["process_id"] != pid {
		return fmt.Sprintf("an answer of process %s; %s answers", pid, info["process_id"])
	}
	return ""
}

// info runs a command that answers with lines of "name:value".
func (n *Node) info(ctx context.Context, words ...string) (map[string]string, error) {
	reply, err := n.Do(ctx, words...)
	if err != nil {
		return nil, err
	}
	text, err := reply.ToString()
	text = strings.TrimPrefix(text, "txt:") // the type of a verbatim string, which valkey-go leaves
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			fields[name] = value
		}
	}
	return fields, err
}

// Kill ends the server with SIGKILL and waits until it is gone.
func (n *Node) Kill() error {
	defer n.admin.close()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil {
		return nil
	}
	if err := n.process.kill(); err != nil {
		return fmt.Errorf("kill %s: %w", n, err)
	}
	return nil
}

// Pause stops the server with SIGSTOP: its connections stay, and nothing is answered.
func (n *Node) Pause() error { return n.signal(syscall.SIGSTOP, true) }

// Continue undoes Pause.
func (n *Node) Continue() error { return n.signal(syscall.SIGCONT, false) }

func (n *Node) signal(signal syscall.Signal, paused bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil {
		return fmt.Errorf("%s to %s: it never ran", signal, n)
	}
	if err := n.process.signal(signal); err != nil {
		return fmt.Errorf("%s to %s: %w", signal, n, err)
	}
	n.paused = paused
	return nil
}

// serving tells whether the server runs and is not paused.
func (n *Node) serving() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.process != nil && n.process.running() && !n.paused
}

// Restart kills the server if it runs, and starts it again on the same port and under the same
// ID. Its data are lost: nothing is saved to disk. It returns when the server answers;
// Cluster.Settle waits until it has found its place in the cluster.
func (n *Node) Restart(ctx context.Context) error {
	if err := n.Kill(); err != nil {
		return err
	}
	// While the server was down its ports were free for all, and whoever looks for a free port binds
	// one for a moment. Here no other port will do, so it is tried again.
	for tries := 1; ; tries++ {
		err := n.launch(ctx)
		if err == nil || !lostPort(err) || tries == restartTries {
			return err
		}
		select {
		case <-time.After(restartPause):
		case <-ctx.Done():
			return err
		}
	}
}

// How often a server that finds its port taken is started again, and after how long.
const (
	restartTries = 20
	restartPause = 250 * time.Millisecond
)

// Stop ends the server for good, and removes its folder.
func (n *Node) Stop() error {
	n.mu.Lock()
	n.stopped = true
	n.mu.Unlock()
	err := n.Kill()
	if n.parent != nil {
		return errors.Join(err, n.parent.remove())
	}
	return errors.Join(err, os.RemoveAll(n.folder))
}

// start makes a node of its own folder under parent, on a free port.
func start(ctx context.Context, binary, parent string, options Options, clustered bool) (*Node, error) {
	for tries := 1; ; tries++ {
		port, err := freePort(options.Host)
		if err != nil {
			return nil, err
		}
		// Two nodes may be after one port at the same time. The one that loses it removes its folder,
		// so that must not be the winner's.
		folder, err := os.MkdirTemp(parent, strconv.Itoa(port)+"-")
		if err != nil {
			return nil, err
		}
		n := &Node{
			Host: options.Host, Port: port,
			options: options, clustered: clustered, binary: binary, folder: folder,
		}
		if options.TLS != nil {
			if n.TLSPort, err = freePort(options.Host); err != nil {
				return nil, err
			}
		}
		err = n.launch(ctx)
		if err == nil {
			return n, nil
		}
		again := tries < 20 && ctx.Err() == nil && lostPort(err)
		if err := errors.Join(err, n.Stop()); !again {
			return nil, err
		}
	}
}

// lostPort tells whether a server found its port taken, or that of the cluster bus.
func lostPort(launch error) bool {
	return strings.Contains(launch.Error(), "Failed listening on port")
}
