package core

import (
	"testing"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
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
	c := &caller{ended: make(chan struct{}, 1)}
	c.Request, c.Owner, c.leading = *command("GET", "foo"), c, true
	b.ReportAllocs()
	for b.Loop() {
		client.Start(&c.Call)
		<-c.ended
	}
	require.NoError(b, c.Err)
}
