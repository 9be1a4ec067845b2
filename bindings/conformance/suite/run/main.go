// Command run puts the vectors of a file before drivers and tells what came of it:
//
//	go run ./bindings/conformance/suite/run [flags] [name=command line...]
//
// The driver of the Go core is part of it; each argument is a further one. The last line is
// "N passed, M failed", and the exit code 1 where M is not 0.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"libglide/bindings/conformance/drivers/golang"
	"libglide/bindings/conformance/suite"
)

const exitUsage = 2

func main() {
	vectors := flag.String("vectors", "bindings/conformance/vectors.json", "the file of vectors")
	exceptions := flag.String("exceptions", "bindings/conformance/exceptions.json", "the file of vectors that are wrong for this project")
	verbose := flag.Bool("v", false, "tell of every vector")
	workers := flag.Int("workers", 8, "vectors before one driver at once")
	flag.Parse()
	drivers := []suite.Driver{golang.Driver()}
	for _, argument := range flag.Args() {
		name, commandLine, is := strings.Cut(argument, "=")
		if !is {
			usage(fmt.Errorf("%q is no driver; write name=command line", argument))
		}
		drivers = append(drivers, suite.Program(name, commandLine))
	}
	file, err := suite.Load(*vectors)
	if err != nil {
		usage(err)
	}
	known, err := suite.LoadExceptions(*exceptions)
	if err != nil {
		usage(err)
	}
	allowFiles()
	s := &suite.Suite{File: file, Exceptions: known, Workers: *workers}
	report := &suite.Report{Out: os.Stdout, Verbose: *verbose}
	for _, driver := range drivers {
		began := time.Now()
		report.Add(driver.Name, s.Run(driver), time.Since(began))
	}
	if !report.End() {
		os.Exit(1)
	}
}

func usage(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(exitUsage)
}

// allowFiles lets this process and the drivers have as many connections as the system allows: a
// vector may want a thousand requests on their way.
func allowFiles() {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
		limit.Cur = limit.Max
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	}
}
