package golang

import (
	"fmt"
	"strings"

	"libglide/bindings/conformance/suite"
	"libglide/core"
	"libglide/routing"
)

func (s *session) slot(c *call) (*suite.Answer, error) {
	slot := int(routing.SlotOf(c.bytes(c.subject)))
	return &suite.Answer{Slot: &slot}, nil
}

func (s *session) router(c *call) (*suite.Answer, error) {
	c.only("read_from", "zone", "standalone", "epoch")
	topology := routing.Topology{Epoch: uint64(c.number("epoch")), Standalone: c.number("standalone") != 0}
	for _, word := range c.rest {
		topology.Shards = append(topology.Shards, c.shard(word))
	}
	reads := c.reads()
	if c.fault != nil {
		return nil, nil
	}
	router, err := core.NewRouter(topology, reads, c.options["zone"])
	if err == nil {
		s.routers[c.subject] = router
	}
	return nil, err
}

// shard reads "0-5460,7000-7001|h:7001@az-a|h:7004@".
func (c *call) shard(word string) routing.Shard {
	var shard routing.Shard
	ranges, nodes, _ := strings.Cut(word, "|")
	for run := range strings.SplitSeq(ranges, ",") {
		var held routing.SlotRange
		if run == "" {
			continue
		}
		if _, err := fmt.Sscanf(run, "%d-%d", &held.First, &held.Last); err != nil {
			c.wrong("slots %q: %v", run, err)
		}
		shard.Slots = append(shard.Slots, held)
	}
	for i, text := range strings.Split(nodes, "|") {
		name, zone, _ := strings.Cut(text, "@")
		address := c.address(name)
		node := &routing.Node{Address: address, Endpoint: address, Zone: zone}
		if i == 0 {
			shard.Primary = node
		} else {
			shard.Replicas = append(shard.Replicas, node)
		}
	}
	return shard
}

func (s *session) client(c *call) (*suite.Answer, error) {
	c.only("cluster", "read_from", "zone", "read_only", "timeout_ms", "inflight", "resp2", "refresh_s")
	config := core.Config{
		Standalone: c.options["cluster"] == "0", Reads: c.reads(), Zone: c.options["zone"],
		RequestTimeout: c.milliseconds("timeout_ms"), InflightLimit: c.number("inflight"),
		ReadOnly: c.number("read_only") != 0, RESP2: c.number("resp2") != 0, RefreshEvery: 1000 * c.milliseconds("refresh_s"),
	}
	for _, text := range c.rest {
		config.Addresses = append(config.Addresses, c.address(text))
	}
	if c.fault != nil {
		return nil, nil
	}
	client, err := core.Open(config)
	if err == nil {
		s.clients[c.subject] = client
	}
	return nil, err
}

// resolver is a client or a router.
type resolver interface {
	Resolve(*routing.Request) (*routing.Plan, error)
	ResolveBatch(*routing.Batch) (*routing.BatchPlan, error)
}

func (s *session) resolver(c *call) resolver {
	if client := s.clients[c.subject]; client != nil {
		return client
	}
	if router := s.routers[c.subject]; router != nil {
		return router
	}
	c.wrong("nothing is called %q", c.subject)
	return nil
}

func (s *session) resolve(c *call) (*suite.Answer, error) {
	c.only("route")
	request := &routing.Request{Words: c.words(), Route: c.route()}
	over := s.resolver(c)
	if c.fault != nil {
		return nil, nil
	}
	plan, err := over.Resolve(request)
	if err != nil {
		return nil, err
	}
	return &suite.Answer{Plan: planAnswer(plan)}, nil
}

func (s *session) resolveBatch(c *call) (*suite.Answer, error) {
	c.only("atomic", "route")
	batch := &routing.Batch{Commands: c.commands(), Atomic: c.number("atomic") != 0, Route: c.route()}
	over := s.resolver(c)
	if c.fault != nil {
		return nil, nil
	}
	plan, err := over.ResolveBatch(batch)
	if err != nil {
		return nil, err
	}
	return &suite.Answer{Plan: batchAnswer(plan)}, nil
}

func (s *session) live(c *call) *core.Client {
	client := s.clients[c.subject]
	if client == nil {
		c.wrong("no client is called %q", c.subject)
	}
	return client
}

func (s *session) command(c *call) *core.Request {
	request := &core.Request{Timeout: c.milliseconds("timeout_ms"), Outcomes: true}
	request.Words, request.Route = c.words(), c.route()
	if name, has := c.options["policy"]; has {
		policy, known := policyOf(name)
		if !known {
			c.wrong("policy %q", name)
		}
		request.Policy = policy
	}
	return request
}

func (s *session) execute(c *call) (*suite.Answer, error) {
	c.only("route", "policy", "timeout_ms")
	client, request := s.live(c), s.command(c)
	if c.fault != nil {
		return nil, nil
	}
	response, err := client.Execute(request)
	answer := &suite.Answer{Value: valueAnswer(&response.Value)}
	for i := range response.Outcomes {
		answer.Outcomes = append(answer.Outcomes, outcomeAnswer(&response.Outcomes[i]))
	}
	return answer, err
}

// hold has requests run that nobody waits for.
func (s *session) hold(c *call) (*suite.Answer, error) {
	c.only("route", "policy", "timeout_ms", "count")
	client, request := s.live(c), s.command(c)
	if c.fault != nil {
		return nil, nil
	}
	for range max(1, c.number("count")) {
		go func() { _, _ = client.Execute(request) }()
	}
	return nil, nil
}

func (s *session) batch(c *call) (*suite.Answer, error) {
	c.only("route", "atomic", "raise", "retry_server", "retry_connection", "timeout_ms")
	client := s.live(c)
	request := &core.BatchRequest{
		Raise: c.number("raise") != 0, Repeat: c.number("retry_connection") != 0, Timeout: c.milliseconds("timeout_ms"),
	}
	request.Commands, request.Atomic, request.Route = c.commands(), c.number("atomic") != 0, c.route()
	if c.fault != nil {
		return nil, nil
	}
	response, err := client.ExecuteBatch(request)
	return &suite.Answer{Value: valueAnswer(&response.Value)}, err
}

func (s *session) scan(c *call) (*suite.Answer, error) {
	c.only("allow_non_covered", "match", "count", "type")
	client := s.live(c)
	if len(c.rest) != 1 {
		c.wrong("scan takes one cursor")
		return nil, nil
	}
	request := &core.ScanRequest{
		Cursor: string(c.bytes(c.rest[0])), Count: int64(c.number("count")), Type: c.options["type"],
		Gaps: c.number("allow_non_covered") != 0,
	}
	if pattern, has := c.options["match"]; has {
		request.Match = c.bytes(pattern)
	}
	if c.fault != nil {
		return nil, nil
	}
	cursor, keys, err := client.Scan(request)
	value := routing.ArrayOf(routing.Bulk(cursor), routing.ArrayOf(keys...))
	return &suite.Answer{Value: valueAnswer(&value)}, err
}

func (s *session) topology(c *call) (*suite.Answer, error) {
	client := s.live(c)
	if client == nil {
		return nil, nil
	}
	return &suite.Answer{Topology: topologyAnswer(client.Topology())}, nil
}

func (s *session) close(c *call) (*suite.Answer, error) {
	if client := s.clients[c.subject]; client != nil {
		client.Close()
	}
	delete(s.clients, c.subject)
	delete(s.routers, c.subject)
	return nil, nil
}
