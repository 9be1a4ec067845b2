package chaos

import (
	"bytes"
	"context"
	"runtime"
	"strings"
	"time"

	"libglide/bindings/conformance/cluster"
)

// settleTime is how long what a client leaves behind may take to go: the server has to notice
// that a connection was closed.
const settleTime = 5 * time.Second

// left counts the goroutines of the client and its connections that are still there after Close.
func left(ctx context.Context, servers *cluster.Cluster, before int) (goroutinesLeft, connections int) {
	for began := time.Now(); ; {
		goroutinesLeft, connections = max(0, goroutines()-before), connectionsOf(ctx, servers)
		if goroutinesLeft == 0 && connections == 0 || time.Since(began) > settleTime {
			return goroutinesLeft, connections
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// goroutines counts those that are in the client's code.
func goroutines() (count int) {
	stacks := make([]byte, 64<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range bytes.SplitSeq(stacks, []byte("\n\n")) {
		if bytes.Contains(stack, []byte("libglide/core.")) {
			count++
		}
	}
	return count
}

// connectionsOf counts the connections that the servers have of the client under test.
func connectionsOf(ctx context.Context, servers *cluster.Cluster) (count int) {
	for _, node := range servers.Nodes {
		reply, err := node.Do(ctx, "CLIENT", "LIST")
		if err != nil {
			continue
		}
		list, _ := reply.ToString()
		count += strings.Count(list, " name="+clientName+" ")
	}
	return count
}
