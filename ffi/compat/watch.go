package main

import (
	"bytes"
	"sync"

	"libglide/core"
	"libglide/routing"
)

// watches are the connections on which a client watches keys, by the node that each is with. GLIDE
// has one connection for each node, so whatever transaction goes to the node next ends the watch;
// here that transaction is sent over the connection that watches.
type watches struct {
	mu     sync.Mutex
	byNode map[routing.Address]*core.Session
}

var (
	watchWord   = []byte("WATCH")
	unwatchWord = []byte("UNWATCH")
)

// watch runs WATCH and UNWATCH; it is false for any other command.
func (c *client) watch(words [][]byte) (reply, bool) {
	switch {
	case bytes.EqualFold(words[0], watchWord) && len(words) == 1:
		return reply{err: refusedBy("ERR wrong number of arguments for 'watch' command")}, true // as servers say
	case bytes.EqualFold(words[0], watchWord):
		for _, key := range words[1:] {
			if err := c.watchKey(key); err != nil {
				return reply{err: err}, true
			}
		}
	case bytes.EqualFold(words[0], unwatchWord) && len(words) == 1:
		c.watches.end()
	default:
		return reply{}, false
	}
	return reply{value: routing.Simple("OK")}, true
}

func (c *client) watchKey(key []byte) error {
	var route routing.Route
	if !c.config.Standalone {
		route = routing.Route{Kind: routing.RouteSlotKey, Key: key}
	}
	node, err := c.nodeOf(key)
	if err != nil {
		return err
	}
	c.watches.mu.Lock()
	defer c.watches.mu.Unlock()
	session := c.watches.byNode[node]
	if session == nil {
		if session, err = c.OpenSession(route, c.config.RequestTimeout); err != nil {
			return err
		}
		if c.watches.byNode == nil {
			c.watches.byNode = make(map[routing.Address]*core.Session)
		}
		node = session.Node().Address
		c.watches.byNode[node] = session
	}
	_, err = session.Execute(&core.Request{Request: routing.Request{Words: [][]byte{watchWord, key}}})
	if err != nil {
		delete(c.watches.byNode, node)
		session.Close()
	}
	return err
}

// nodeOf is the primary of a key.
func (c *client) nodeOf(key []byte) (routing.Address, error) {
	plan, err := c.Resolve(&routing.Request{Words: [][]byte{[]byte("PERSIST"), key}}) // any write of one key
	if err != nil {
		return routing.Address{}, err
	}
	return plan.Legs[0].Node.Address, nil
}

// take gives away the connection that watches keys of the node of a transaction, or nil.
func (c *client) take(batch *routing.Batch) *core.Session {
	c.watches.mu.Lock()
	defer c.watches.mu.Unlock()
	if len(c.watches.byNode) == 0 {
		return nil
	}
	plan, err := c.ResolveBatch(batch)
	if err != nil {
		return nil // as it will be told when it is to be sent
	}
	node := plan.Parts[0].Node.Address
	session := c.watches.byNode[node]
	delete(c.watches.byNode, node)
	return session
}

// end lets go of all that is watched.
func (w *watches) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for node, session := range w.byNode {
		delete(w.byNode, node)
		session.Close()
	}
}
