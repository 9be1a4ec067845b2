// Command run breaks a cluster under a client for a while and tells what became of every write:
//
//	go run ./bindings/conformance/chaos/run [-seed 7] [-time 2m] [-client core | -client loop -loop build/conformance/loop] [-only kill-primary,failover]
//
// The exit code is 1 where the client lost, doubled or tore a write, left a call unanswered or
// anything behind, and 2 where the run itself failed.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"libglide/bindings/conformance/chaos"
)

const exitBroken = 2

func main() {
	seed := flag.Uint64("seed", 0, "of the schedule of faults; 0: a random one")
	duration := flag.Duration("time", 2*time.Minute, "no fault begins after it")
	only := flag.String("only", "", "names of faults, with commas between them; all")
	client := flag.String("client", "calls", "what is under test: core; calls, which other languages use; submitted, which event loops use; loop, which is these behind the C interface")
	path := flag.String("loop", "", "the program that loop is, made of loop/loop.c")
	flag.Parse()
	open, known := map[string]chaos.Opener{
		"core": chaos.Core, "calls": chaos.Calls, "submitted": chaos.Submitted, "loop": chaos.Loop(*path),
	}[*client]
	if !known {
		fmt.Fprintf(os.Stderr, "%q is no client; there are core, calls, submitted and loop\n", *client)
		os.Exit(exitBroken)
	}
	if *seed == 0 {
		*seed = rand.Uint64N(1 << 32)
	}
	options := chaos.Options{Seed: *seed, Time: *duration, Open: open, Out: os.Stdout}
	if *only != "" {
		options.Only = strings.Split(*only, ",")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fmt.Printf("seed %d, %s, through %s\n", *seed, *duration, *client)
	report, err := chaos.Run(ctx, options)
	if report != nil {
		report.Print(os.Stdout)
	}
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitBroken)
	case !report.Good():
		os.Exit(1)
	}
}
