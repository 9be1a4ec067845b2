package core

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
	"libglide/routing"
)

// caller is a promise that is used again and again, as calls from C are.
type caller struct {
	promise
	ended chan struct{}
}

func (c *caller) Done()     { c.ended <- struct{}{} }
func (c *caller) Promoted() { go c.Lead() }

func BenchmarkGet(b *testing.B) {
	client := open(b, Config{}, cluster.Shared(b)[0])
	run(b, client, command("SET", "foo", string(make([]byte, 100))))
	benchmark(b, client, command("GET", "foo"))
}

func BenchmarkLrange(b *testing.B) {
	client := open(b, Config{}, cluster.Shared(b)[0])
	fill := command("RPUSH", "foo-list")
	for i := range 10_000 {
		fill.Words = append(fill.Words, fmt.Appendf(nil, "%016d", i))
	}
	run(b, client, fill)
	benchmark(b, client, command("LRANGE", "foo-list", "0", "-1"))
}

func BenchmarkGetMiB(b *testing.B) {
	client := open(b, Config{}, cluster.Shared(b)[0])
	run(b, client, command("SET", "foo", string(make([]byte, 1<<20))))
	benchmark(b, client, command("GET", "foo"))
}

func benchmark(b *testing.B, client *Client, request *Request) {
	c := &caller{ended: make(chan struct{}, 1)}
	c.Request, c.Owner, c.leading = *request, c, true
	b.ReportAllocs()
	c.Released = true
	for b.Loop() {
		client.Start(&c.Call)
		<-c.ended
		c.Release()
	}
	require.NoError(b, c.Err)
}

func BenchmarkMgetOfHundredSlots(b *testing.B) {
	client := open(b, Config{}, cluster.Shared(b)[0])
	request := command("MGET")
	for i := range 100 {
		request.Words = append(request.Words, fmt.Appendf(nil, "key:%d", i))
	}
	benchmark(b, client, request)
}

func BenchmarkBatchOfHundred(b *testing.B) {
	client := open(b, Config{}, cluster.Shared(b)[0])
	batch := new(BatchRequest)
	for i := range 100 {
		batch.Commands = append(batch.Commands, command("GET", fmt.Sprintf("key:%d", i)).Words)
	}
	c := &caller{ended: make(chan struct{}, 1)}
	c.Owner, c.leading, c.Released = c, true, true
	b.ReportAllocs()
	for b.Loop() {
		client.StartBatch(&c.Call, batch)
		<-c.ended
		c.Release()
	}
	require.NoError(b, c.Err)
}

func BenchmarkPingOfAllNodes(b *testing.B) {
	client := open(b, Config{}, cluster.Shared(b)[0])
	benchmark(b, client, command("PING").to(routing.Route{Kind: routing.RouteAllNodes}))
}
