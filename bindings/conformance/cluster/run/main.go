// Command run starts a Valkey cluster, runs a command with its addresses in the environment, and
// stops the cluster again:
//
//	go run ./bindings/conformance/cluster/run [flags] [-- command args...]
//
// The command finds in its environment
//
//	GLIDE_TEST_CLUSTER     host:port,... of the cluster, primaries first
//	VALKEY_SERVER          the path of valkey-server
//	GLIDE_TEST_STANDALONE  host:port of a server that is no cluster (with -standalone)
//	GLIDE_TEST_PASSWORD    host:port of one with the password s3cret (with -standalone)
//
// Without a command it prints these lines and waits for Ctrl-C or SIGTERM.
//
// It exits with the exit code of the command, 128+n where signal n ended it, 127 where it cannot
// be started, and 125 where the cluster cannot.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"libglide/bindings/conformance/cluster"
)

const (
	password      = "s3cret"
	startPatience = 60 * time.Second

	exitUsage   = 2
	exitNoStart = 125
)

func main() {
	runtime.LockOSThread() // see attributes: the command lives as long as this thread
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM,
		syscall.SIGUSR1, syscall.SIGUSR2)
	endWithGoRun()

	options := cluster.Options{}
	flag.IntVar(&options.Shards, "shards", 3, "number of primaries")
	flag.IntVar(&options.Replicas, "replicas", 1, "replicas of each primary")
	flag.StringVar(&options.Host, "host", "127.0.0.1", "address to listen on, or ::1")
	standalone := flag.Bool("standalone", false, "also start servers that are no cluster")
	flag.Parse()
	if options.Shards < 1 || options.Replicas < 0 {
		fmt.Fprintf(os.Stderr, "%d shards with %d replicas: must be 1 or more, and 0 or more\n",
			options.Shards, options.Replicas)
		os.Exit(exitUsage)
	}
	if options.Replicas == 0 {
		options.Replicas = cluster.NoReplicas
	}
	os.Exit(run(options, *standalone, flag.Args(), signals))
}

func run(options cluster.Options, standalone bool, command []string, signals <-chan os.Signal) int {
	begin := time.Now()
	s, err := startInterruptibly(options, standalone, signals)
	if s != nil {
		defer s.stop()
	}
	var stopped interrupted
	switch {
	case errors.As(err, &stopped):
		return 128 + int(stopped.signal)
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return exitNoStart
	}
	fmt.Fprintf(os.Stderr, "cluster of %d primaries and %d replicas on %s, ready after %.1f s\n",
		len(s.cluster.Primaries()), len(s.cluster.Replicas()), options.Host, time.Since(begin).Seconds())
	if len(command) > 0 {
		return execute(command, s.environment(), signals)
	}
	fmt.Println(strings.Join(s.environment(), "\n"))
	for signal := range signals {
		if signal != syscall.SIGUSR1 && signal != syscall.SIGUSR2 {
			break
		}
	}
	return 0
}

// interrupted is why a start was given up.
type interrupted struct{ signal syscall.Signal }

func (i interrupted) Error() string { return i.signal.String() }

// startInterruptibly gives up on the first signal.
func startInterruptibly(options cluster.Options, standalone bool, signals <-chan os.Signal) (*servers, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	ctx, interrupt := context.WithCancelCause(ctx)
	defer interrupt(nil)
	started := make(chan struct{})
	defer close(started)
	go func() {
		select {
		case signal := <-signals:
			interrupt(interrupted{signal.(syscall.Signal)})
		case <-started:
		}
	}()
	return start(ctx, options, standalone)
}
