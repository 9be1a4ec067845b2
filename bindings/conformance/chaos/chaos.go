// Package chaos runs a client over a cluster that is being broken, and then counts what became of
// every write.
//
// Workers run commands on keys of their own and keep what they were told of each. Meanwhile
// servers are killed, stopped, replaced, restarted and cut off, slots move, nodes come and go,
// by a schedule that follows from a seed. In the end the data are read from the servers and held
// against what the workers were told.
package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"libglide/bindings/conformance/cluster"
	"libglide/core"
	"libglide/routing"
)

// Options say how a run goes.
type Options struct {
	Seed uint64        // of the schedule
	Time time.Duration // no fault begins after it
	Open Opener
	Out  io.Writer // gets a line for each fault
	Only []string  // names of faults; nil: all
}

const (
	shards      = 3
	tagCount    = 6 // hash tags, and so slots, that workers use
	requestTime = 500 * time.Millisecond
	think       = 10 * time.Millisecond // of a worker between two commands
	patience    = time.Minute           // for servers to do what they should
	clientName  = "chaos"
)

// password of the servers, so that it can be changed.
const password = "before"

var servers = cluster.Options{
	Shards: shards, Password: password,
	// With full coverage required the servers themselves refuse everything while one shard is down.
	Args: []string{"--cluster-require-full-coverage", "no"},
}

// Run runs workers and faults and tells what came of it. An error means that the run itself
// failed, not the client: a server did not start, say.
func Run(ctx context.Context, options Options) (*Report, error) {
	cluster, err := cluster.Start(ctx, servers)
	if err != nil {
		return nil, err
	}
	report, err := run(ctx, options, cluster)
	return report, errors.Join(err, cluster.Stop())
}

func run(ctx context.Context, options Options, servers *cluster.Cluster) (*Report, error) {
	before := goroutines()
	config := core.Config{
		Password: password, ClientName: clientName, RequestTimeout: requestTime,
		// A look without a cause, now and then, so that it meets faults too.
		RefreshEvery: 5 * time.Second,
	}
	for _, text := range servers.Addresses() {
		address, err := routing.ParseAddress(text)
		if err != nil {
			return nil, err
		}
		config.Addresses = append(config.Addresses, address)
	}
	subject, err := options.Open(config)
	if err != nil {
		return nil, fmt.Errorf("open the client: %w", err)
	}
	tags := tagsOf(servers)
	crew := newCrew(tags)
	storm := newStorm(servers, tags, options)
	calls := &calls{stalls: watchStalls(), failures: make(map[string]int)}
	defer calls.stalls.end()
	if err := seedStable(ctx, subject, tags); err != nil {
		subject.Close()
		return nil, err
	}
	crew.start(ctx, subject, calls)
	failed := storm.rage(ctx)
	hung := crew.stop()
	if failed == nil {
		failed = storm.settle(ctx)
	}
	report := &Report{
		options: options, calls: calls, storm: storm, hung: hung,
		closedTwice: !subject.Close() || subject.Close(),
	}
	if holder, is := subject.(Holder); is {
		report.held = holder.Held()
	}
	if failed != nil {
		return report, failed
	}
	report.goroutines, report.connections = left(ctx, servers, before)
	if hung == nil {
		failed = crew.check(truth{ctx, servers}, storm, report)
	}
	return report, failed
}

// tagsOf are hash tags, the same number for each shard.
func tagsOf(servers *cluster.Cluster) []string {
	count := make(map[*cluster.Node]int)
	var tags []string
	for i := 0; len(tags) < tagCount; i++ {
		tag := "tag" + strconv.Itoa(i)
		owner := servers.Owner(int(routing.SlotOf([]byte(tag))))
		if count[owner]++; count[owner] <= tagCount/shards {
			tags = append(tags, tag)
		}
	}
	return tags
}

func seedStable(ctx context.Context, subject Subject, tags []string) error {
	for _, key := range stableKeys(tags) {
		request := &core.Request{Timeout: patience}
		request.Words = words("SET", key, "here")
		if _, err := subject.Execute(request); err != nil {
			return fmt.Errorf("before the first fault: %w", err)
		}
	}
	return ctx.Err()
}

// crew is the workers of a run.
type crew struct {
	workers  []worker
	counters []*counter // those whose calls tell how well a shard does
	cancel   context.CancelFunc
	mu       sync.Mutex
	busy     map[int]bool // by index: these have not ended
	done     sync.WaitGroup
}

func newCrew(tags []string) *crew {
	c := &crew{busy: make(map[int]bool)}
	for _, tag := range tags {
		for i := range 2 {
			c.counters = append(c.counters, newCounter(tag, strconv.Itoa(i)))
			c.workers = append(c.workers, c.counters[len(c.counters)-1])
		}
		queue := newQueue(tag)
		c.workers = append(c.workers,
			&collector{tag: tag, word: "SADD"}, &collector{tag: tag, word: "RPUSH"},
			newTransaction(tag), newQuad(tag), queue, queue.popper)
	}
	for i := range 3 {
		name := strconv.Itoa(i)
		c.workers = append(c.workers, newPipeline(tags, name), newSpread(tags, name), &reader{tags: tags, turn: i})
	}
	c.workers = append(c.workers, newScanner(tags), newScanner(tags))
	return c
}

func (c *crew) start(ctx context.Context, subject Subject, calls *calls) {
	ctx, c.cancel = context.WithCancel(ctx)
	caller := &caller{subject: subject, calls: calls, timeout: requestTime}
	for i, each := range c.workers {
		c.busy[i] = true
		c.done.Go(func() {
			for ctx.Err() == nil {
				each.step(caller)
				time.Sleep(think)
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			delete(c.busy, i)
		})
	}
}

// stop ends the workers, and names those that wait for an answer for ever.
func (c *crew) stop() (hung []string) {
	c.cancel()
	stopped := make(chan struct{})
	go func() {
		c.done.Wait()
		close(stopped)
	}()
	select {
	case <-stopped:
		return nil
	case <-time.After(patience):
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.busy {
		hung = append(hung, fmt.Sprintf("%T", c.workers[i]))
	}
	return hung
}

// check holds the data against what the workers were told.
func (c *crew) check(t truth, storm *storm, report *Report) error {
	for _, each := range c.workers {
		found, err := each.check(t, storm.excuses)
		if err != nil {
			return fmt.Errorf("check %T: %w", each, err)
		}
		report.finding.add(found)
	}
	for _, outage := range storm.outages {
		outage.measure(c.counters)
	}
	return nil
}
