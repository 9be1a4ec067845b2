// Command run starts a cluster of fake nodes, runs a command with their addresses as its last
// argument, and stops them again:
//
//	go run ./bindings/conformance/fakenode/run NODES COMMAND [ARGUMENTS]
//
// The last argument is addresses=host:port,... of all nodes, primaries first. Half of the nodes are
// replicas. They answer OK to whatever a cluster client does not ask of itself.
//
// It exits with the exit code of the command, and with 125 where the nodes cannot be started or the
// command cannot.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

const (
	exitUsage   = 2
	exitNoStart = 125
)

func main() {
	if len(os.Args) < 3 {
		exit(exitUsage, errors.New("usage: run NODES COMMAND [ARGUMENTS]"))
	}
	count, err := strconv.Atoi(os.Args[1])
	if err != nil || count < 2 || count%2 != 0 {
		exit(exitUsage, fmt.Errorf("%q nodes are no pairs of a primary and a replica", os.Args[1]))
	}
	nodes, err := start(count)
	if err != nil {
		exit(exitNoStart, err)
	}
	os.Exit(run(os.Args[2:], nodes))
}

// start starts a cluster, each primary with as many slots as the others and a replica.
func start(count int) ([]*fakenode.Node, error) {
	nodes := make([]*fakenode.Node, count)
	for i := range nodes {
		node, err := fakenode.Listen()
		if err != nil {
			return nil, err
		}
		nodes[i] = node
	}
	shards := count / 2
	ranges := make([]fakenode.Range, shards)
	for i := range ranges {
		first, last := i*routing.SlotCount/shards, (i+1)*routing.SlotCount/shards-1
		ranges[i] = fakenode.Serves(first, last, nodes[i].Endpoint(), nodes[shards+i].Endpoint())
	}
	for _, node := range nodes {
		node.On("CLUSTER SLOTS", fakenode.Slots(ranges...))
		node.On("CLUSTER INFO", fakenode.Bulk("cluster_state:ok\r\ncluster_current_epoch:1\r\n"))
		node.Otherwise(fakenode.Simple("OK"))
	}
	return nodes, nil
}

func run(words []string, nodes []*fakenode.Node) int {
	addresses := make([]string, len(nodes))
	for i, node := range nodes {
		addresses[i] = node.Address()
	}
	command := exec.Command(words[0], append(words[1:], "addresses="+strings.Join(addresses, ","))...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := command.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) && ended.Exited() {
		return ended.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitNoStart
	}
	return 0
}

func exit(code int, err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(code)
}
