package chaos

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"libglide/bindings/conformance/cluster"
	"libglide/routing"
)

// storm injects the faults of a schedule, one after another, each from a healthy cluster to a
// healthy cluster.
type storm struct {
	servers  *cluster.Cluster
	tags     []string
	options  Options
	schedule *schedule
	faults   map[string]fault

	count     map[string]int // of each fault
	excuses   *excuses
	outages   []*outage
	unplanned int            // failovers that no fault asked for
	replies   map[string]int // what servers answered with errors, by code
	counted   map[string]map[string]int
	settled   time.Time // when the cluster was last known to be healthy
}

func newStorm(servers *cluster.Cluster, tags []string, options Options) *storm {
	s := &storm{
		servers: servers, tags: tags, options: options, faults: allFaults(),
		count: make(map[string]int), excuses: &excuses{all: make(map[string][]window)},
		replies: make(map[string]int), counted: make(map[string]map[string]int), settled: time.Now(),
	}
	var names []string
	for name := range s.faults {
		if options.Only == nil || slices.Contains(options.Only, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	s.schedule = newSchedule(options.Seed, names)
	return s
}

// rage injects faults until the time is up.
func (s *storm) rage(ctx context.Context) error {
	s.readErrors(ctx)
	clear(s.replies) // those of the start
	for began := time.Now(); time.Since(began) < s.options.Time; {
		next := s.schedule.next()
		if err := sleep(ctx, next.calm); err != nil {
			return err
		}
		if err := s.settle(ctx); err != nil {
			return err
		}
		s.readErrors(ctx)
		start := time.Now()
		limited, cancel := context.WithTimeout(ctx, patience)
		err := s.faults[next.fault](limited, s, next)
		cancel()
		if err != nil {
			return fmt.Errorf("fault %s: %w", next.fault, err)
		}
		s.count[next.fault]++
		s.readErrors(ctx)
		fmt.Fprintf(s.options.Out, "%s  %-18s %s\n", start.Format(clock), next.fault, time.Since(start).Round(time.Millisecond))
	}
	return sleep(ctx, mostCalm)
}

// settle waits until the cluster is healthy. A primary that was replaced though no fault meant it
// to, since the machine stood still for too long, excuses what its shard lost.
func (s *storm) settle(ctx context.Context, replaced ...*cluster.Node) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	before := s.servers.Primaries()
	tags := make(map[*cluster.Node][]string)
	for _, primary := range before {
		tags[primary] = s.tagsOf(primary)
	}
	if err := s.servers.Settle(ctx); err != nil {
		return err
	}
	after := s.servers.Primaries()
	for _, primary := range before {
		if !slices.Contains(after, primary) && !slices.Contains(replaced, primary) {
			s.unplanned++
			s.excuses.add(tags[primary], s.settled.Add(-unreplicated), time.Now())
		}
	}
	s.settled = time.Now()
	return nil
}

// tagsOf are the tags whose slots a node serves.
func (s *storm) tagsOf(node *cluster.Node) (tags []string) {
	for _, tag := range s.tags {
		if s.servers.Owner(slotOf(tag)) == node {
			tags = append(tags, tag)
		}
	}
	return tags
}

func slotOf(tag string) int { return int(routing.SlotOf([]byte(tag))) }

// replicaOf is one of a primary's replicas.
func (s *storm) replicaOf(primary *cluster.Node) (*cluster.Node, error) {
	for _, replica := range s.servers.Replicas() {
		if replica.Primary() == primary {
			return replica, nil
		}
	}
	return nil, fmt.Errorf("%s has no replica", primary)
}

// readErrors adds up how often the servers answered with each error. A server that was restarted
// counts from 0 again; what it had not been asked for is gone with it.
func (s *storm) readErrors(ctx context.Context) {
	for _, node := range s.servers.Nodes {
		reply, err := node.Do(ctx, "INFO", "errorstats")
		if err != nil {
			continue
		}
		text, _ := reply.ToString()
		now := make(map[string]int)
		for line := range strings.Lines(text) {
			name, rest, is := strings.Cut(strings.TrimSpace(line), ":count=")
			if code, of := strings.CutPrefix(name, "errorstat_"); is && of {
				now[code], _ = strconv.Atoi(rest)
			}
		}
		before := s.counted[node.Address()]
		for code, count := range now {
			if count < before[code] {
				before = nil
			}
			s.replies[code] += count - before[code]
		}
		s.counted[node.Address()] = now
	}
}

func sleep(ctx context.Context, pause time.Duration) error {
	select {
	case <-time.After(pause):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
