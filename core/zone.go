package core

import (
	"context"
	"strings"
	"sync"
	"time"

	"libglide/routing"
)

// zones are the availability zones that nodes told themselves. Valkey 9.1 tells those of all nodes
// with the slots; before, each knows its own: 8.1 says it in its answer to HELLO, 8.0 in INFO.
type zones struct {
	mu   sync.Mutex
	told map[routing.Address]zone
}

type zone struct {
	name  string
	until time.Time // then the node is asked again
}

// zoneTime is how long a zone holds. A server changes its own when somebody reconfigures it.
const zoneTime = time.Minute

// HELLO without arguments changes nothing.
var zoneWords = [][][]byte{{[]byte("HELLO")}, {[]byte("INFO"), []byte("SERVER")}}

// askZones asks the nodes of a snapshot that has no zone of theirs, where the client needs it. A node
// that does not answer has none until the next look.
func (c *Client) askZones(ctx context.Context, snapshot *routing.Snapshot) {
	if c.config.Zone == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, c.lookTime())
	defer cancel()
	var asked sync.WaitGroup
	for _, node := range snapshot.Nodes() {
		if node.Zone != "" || c.zones.fresh(node.Endpoint) {
			continue
		}
		asked.Go(func() {
			replies, err := c.exchange(ctx, targetOf(node), zoneWords...)
			if err == nil {
				c.zones.tell(node.Endpoint, zoneOf(replies))
			}
		})
	}
	asked.Wait()
}

// zoneOf reads what a node answered to zoneWords; empty where it has no zone.
func zoneOf(replies []routing.Value) string {
	hello := replies[0].Items // pairs, in RESP2 as well
	for i := 0; i+1 < len(hello); i += 2 {
		if string(hello[i].Text) == "availability_zone" && len(hello[i+1].Text) > 0 {
			return string(hello[i+1].Text)
		}
	}
	for line := range strings.Lines(string(replies[1].Text)) {
		if name, found := strings.CutPrefix(line, "availability_zone:"); found {
			return strings.TrimRight(name, "\r\n")
		}
	}
	return ""
}

func (z *zones) fresh(endpoint routing.Address) bool {
	z.mu.Lock()
	defer z.mu.Unlock()
	return time.Now().Before(z.told[endpoint].until)
}

func (z *zones) tell(endpoint routing.Address, name string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.told == nil {
		z.told = make(map[routing.Address]zone)
	}
	z.told[endpoint] = zone{name, time.Now().Add(zoneTime)}
}

// of is the zone of a node; what it told once holds until it tells another.
func (z *zones) of(endpoint routing.Address) string {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.told[endpoint].name
}
