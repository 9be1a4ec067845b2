package fakenode

import (
	"fmt"
	"strings"
)

// Endpoint is a node as CLUSTER SLOTS tells it. Servers have been seen to give a host name, "",
// "?" or nil as the host: Endpoint{Host: Bulk("?"), ...}.
type Endpoint struct {
	Host     Value // Nil where not set
	Port     int
	ID       string
	Metadata Value // an empty map where not set
}

// Endpoint is n itself, without metadata.
func (n *Node) Endpoint() Endpoint {
	return Endpoint{Host: Bulk(host), Port: n.port, ID: n.ID()}
}

// At is the endpoint under another host, as Bulk("localhost"), Bulk("") or Nil().
func (e Endpoint) At(host Value) Endpoint {
	e.Host = host
	return e
}

// With is the endpoint with metadata, names and values in turn: With("hostname", "localhost").
func (e Endpoint) With(metadata ...string) Endpoint {
	var pairs []Value
	for _, word := range metadata {
		pairs = append(pairs, Bulk(word))
	}
	e.Metadata = Map(pairs...)
	return e
}

func (e Endpoint) value() Value {
	metadata := e.Metadata
	if metadata.encode == nil {
		metadata = Map()
	}
	return Array(e.Host, Int(e.Port), Bulk(e.ID), metadata)
}

// Range is a range of slots and who serves it.
type Range struct {
	First, Last int
	Nodes       []Endpoint // the primary, then its replicas
}

// Serves is a range with its primary and replicas.
func Serves(first, last int, primary Endpoint, replicas ...Endpoint) Range {
	return Range{first, last, append([]Endpoint{primary}, replicas...)}
}

// Slots is the reply to CLUSTER SLOTS of nodes that serve these ranges.
func Slots(ranges ...Range) Value {
	entries := make([]Value, len(ranges))
	for i, r := range ranges {
		fields := []Value{Int(r.First), Int(r.Last)}
		for _, node := range r.Nodes {
			fields = append(fields, node.value())
		}
		entries[i] = Array(fields...)
	}
	return Array(entries...)
}

// Standing is the reply of n to CLUSTER NODES, as a primary that knows nobody else and has slots as
// there: "0-5460", or "[7->-id]" for one on its way to another node.
func (n *Node) Standing(slots ...string) Value {
	return Bulk(fmt.Sprintf("%s %s:%d@%d myself,master - 0 0 1 connected %s\n", n.ID(), host, n.port, n.port, strings.Join(slots, " ")))
}
