package chaos

import (
	"context"
	"fmt"
	"time"

	"libglide/bindings/conformance/cluster"
)

// outage is the time that a shard was without a primary.
type outage struct {
	replica  *cluster.Node
	tags     []string  // of the shard
	began    time.Time // the signal to the primary
	takeover time.Time // a replica says that it is the primary

	recovered     time.Duration // from began to the first good write that began after it
	others, usual float64       // good commands a second on other shards: during it, and before
}

// watch begins the outage of a primary that is about to be hit.
func (s *storm) watch(victim *cluster.Node) (*outage, error) {
	replica, err := s.replicaOf(victim)
	if err != nil {
		return nil, err
	}
	o := &outage{replica: replica, tags: s.tagsOf(victim), began: time.Now()}
	s.outages = append(s.outages, o)
	return o, nil
}

// awaitTakeover waits until the replica says of itself that it is a primary.
func (o *outage) awaitTakeover(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		reply, err := o.replica.Do(ctx, "ROLE")
		if err != nil {
			return err
		}
		if parts, err := reply.ToArray(); err == nil && len(parts) > 0 {
			if role, _ := parts[0].ToString(); role == "master" {
				o.takeover = time.Now()
				return nil
			}
		}
		if err := sleep(ctx, 2*time.Millisecond); err != nil {
			return fmt.Errorf("%s did not take over: %w", o.replica, err)
		}
	}
}

// usualTime is how long before an outage tells what is usual.
const usualTime = time.Second

// measure reads from the calls of the counters how the outage was for callers.
func (o *outage) measure(counters []*counter) {
	mine := make(map[string]bool)
	for _, tag := range o.tags {
		mine[tag] = true
	}
	var first time.Time
	for _, w := range counters {
		if !mine[w.tag] {
			continue
		}
		for _, each := range w.log {
			if each.verdict == good && each.began.After(o.began) {
				if first.IsZero() || each.ended.Before(first) {
					first = each.ended
				}
				break
			}
		}
	}
	if first.IsZero() {
		return
	}
	o.recovered = first.Sub(o.began)
	for _, w := range counters {
		if mine[w.tag] {
			continue
		}
		o.usual += rate(w.log, o.began.Add(-usualTime), o.began)
		o.others += rate(w.log, o.began, first)
	}
}

// rate is good calls a second that ended within a time.
func rate(log []call, from, to time.Time) float64 {
	count := 0
	for _, each := range log {
		if each.verdict == good && each.ended.After(from) && !each.ended.After(to) {
			count++
		}
	}
	return float64(count) / to.Sub(from).Seconds()
}
