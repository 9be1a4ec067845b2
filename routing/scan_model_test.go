package routing

import (
	"fmt"
	"hash/fnv"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// scanWorld is a cluster in small: shards of two servers each, of which one is the primary, and
// keys in some slots, which are handed over key by key as servers do it.
type scanWorld struct {
	shards  []*worldShard
	owner   map[Slot]int // of the slots that have keys, by shard; the others stay where they are
	moving  map[Slot]int
	keys    []*worldKey
	epoch   uint64
	runs    int
	fresh   map[Slot]bool // of moving: begun in the turn that runs
	givenUp map[Slot]int  // while a turn ran or one was owed: the shard that a slot was on its way to
	stale   *Snapshot     // as the client knows the cluster
}

type worldShard struct {
	epoch uint64
	first int // of its two servers, the one that is the primary
	run   [2]int
	fixed []SlotRange
}

type worldKey struct {
	name string
	slot Slot
	home int // the shard that has it
}

const worldSlots = 6

func newScanWorld(t *rapid.T) *scanWorld {
	w := &scanWorld{owner: make(map[Slot]int), moving: make(map[Slot]int), fresh: make(map[Slot]bool), givenUp: make(map[Slot]int)}
	shards := rapid.IntRange(2, 4).Draw(t, "shards")
	for range shards {
		w.epoch++
		w.runs += 2
		w.shards = append(w.shards, &worldShard{epoch: w.epoch, run: [2]int{w.runs, w.runs + 1}})
	}
	// The last shard may have no slot at all, as one that has just joined.
	serving := shards
	if rapid.Bool().Draw(t, "one has joined") {
		serving--
	}
	width := SlotCount / worldSlots
	for i := range worldSlots {
		slot, shard := Slot(i*width), i%serving
		w.owner[slot] = shard
		last := (i+1)*width - 1
		if i == worldSlots-1 {
			last = SlotCount - 1
		}
		w.shards[shard].fixed = append(w.shards[shard].fixed, SlotRange{slot + 1, Slot(last)})
		for j := range rapid.IntRange(1, 6).Draw(t, "keys") {
			w.keys = append(w.keys, &worldKey{fmt.Sprintf("key %d of slot %d", j, slot), slot, shard})
		}
	}
	w.stale = w.snapshot()
	return w
}

func serverAddress(shard, server int) Address { return Address{"h", uint16(7000 + shard*10 + server)} }

func (w *scanWorld) primary(shard int) Address { return serverAddress(shard, w.shards[shard].first) }

func (w *scanWorld) snapshot() *Snapshot {
	var drafts []draft
	snapshot := &Snapshot{Epoch: w.epoch}
	for i, shard := range w.shards {
		standing := w.standing(w.primary(i))
		if standing.Owned.Empty() {
			continue // CLUSTER SLOTS does not name it
		}
		node := func(server int) Node {
			return Node{ID: serverAddress(i, server).String(), Address: serverAddress(i, server), Endpoint: serverAddress(i, server)}
		}
		for slot := range standing.Owned.All() {
			snapshot.owners.give(SlotRange{slot, slot}, len(drafts))
		}
		drafts = append(drafts, draft{primary: node(shard.first), replicas: []Node{node(1 - shard.first)}})
	}
	snapshot.assemble(drafts, nil)
	return snapshot
}

// at is the shard and the server of an address.
func (w *scanWorld) at(address Address) (int, int) {
	n := int(address.Port) - 7000
	return n / 10, n % 10
}

// standing is what the server of an address says of itself.
func (w *scanWorld) standing(address Address) *Standing {
	shard, server := w.at(address)
	s := &Standing{
		ID: address.String(), Run: fmt.Sprint(w.shards[shard].run[server]), Epoch: w.shards[shard].epoch,
		Moving: make(map[Slot]string), peers: make(map[string]Address),
	}
	for i := range w.shards {
		for server := range 2 {
			s.peers[serverAddress(i, server).String()] = serverAddress(i, server)
		}
	}
	if server != w.shards[shard].first {
		return s // a replica
	}
	s.Owned = SetOf(w.shards[shard].fixed...)
	for slot, owner := range w.owner {
		if owner != shard {
			continue
		}
		s.Owned.Add(slot)
		if to, moving := w.moving[slot]; moving {
			s.Moving[slot] = w.primary(to).String()
		}
	}
	return s
}

// placeOf is where SCAN of a process meets a key: it is not the same in another process.
func placeOf(key string, run int) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, key, run)
	return h.Sum64()>>1 + 1
}

// step is SCAN: it goes over the keys in the order of their places, some at a time.
func (w *scanWorld) step(address Address, cursor uint64, count int) (next uint64, shown []string) {
	shard, server := w.at(address)
	run := w.shards[shard].run[server]
	var there []*worldKey
	for _, key := range w.keys {
		if key.home == shard && placeOf(key.name, run) >= cursor {
			there = append(there, key)
		}
	}
	slices.SortFunc(there, func(a, b *worldKey) int {
		if placeOf(a.name, run) < placeOf(b.name, run) {
			return -1
		}
		return 1
	})
	for _, key := range there[:min(count, len(there))] {
		shown = append(shown, key.name)
	}
	if count >= len(there) {
		return 0, shown
	}
	return placeOf(there[count].name, run), shown
}

// happen does one thing that may happen to a cluster.
func (w *scanWorld) happen(t *rapid.T, s *Scan) {
	turnRuns := !s.Begins()
	if !turnRuns {
		clear(w.fresh)
	}
	if !turnRuns && len(s.owed) == 0 {
		clear(w.givenUp)
	}
	slot := Slot(rapid.IntRange(0, worldSlots-1).Draw(t, "slot") * (SlotCount / worldSlots))
	shard := rapid.IntRange(0, len(w.shards)-1).Draw(t, "shard")
	to, moving := w.moving[slot]
	switch event := rapid.SampledFrom([]string{"begin", "move", "move", "finish", "give up", "fail over", "restart", "look"}).Draw(t, "event"); {
	case event == "begin" && !moving && w.owner[slot] != shard:
		if before, was := w.givenUp[slot]; was && before == shard {
			return // Scan cannot notice this, and says so
		}
		w.moving[slot], w.fresh[slot] = shard, turnRuns
	case event == "move" && moving:
		for _, key := range w.keys {
			if key.slot == slot && key.home != to && rapid.Bool().Draw(t, "moves") {
				key.home = to
			}
		}
	case event == "finish" && moving:
		w.hand(slot, to)
		w.owner[slot] = to
		if w.shards[to].epoch != w.epoch { // cluster.c: no new epoch where it is the greatest already
			w.bump(to)
		}
		delete(w.moving, slot)
	case event == "give up" && moving && !w.fresh[slot]:
		// Nor this, where it was begun in the same turn.
		w.givenUp[slot] = to
		w.hand(slot, w.owner[slot])
		delete(w.moving, slot)
	case event == "fail over":
		w.shards[shard].first = 1 - w.shards[shard].first
		w.bump(shard)
	case event == "restart":
		w.runs++
		w.shards[shard].run[w.shards[shard].first] = w.runs + 1000
	case event == "look":
		w.stale = w.snapshot()
	}
}

func (w *scanWorld) hand(slot Slot, to int) {
	for _, key := range w.keys {
		if key.slot == slot {
			key.home = to
		}
	}
}

func (w *scanWorld) bump(shard int) {
	w.epoch++
	w.shards[shard].epoch = w.epoch
}

// stepAs is a step of the scan as the client does it.
func (w *scanWorld) stepAs(t *rapid.T, cursor string, count int) (string, []string) {
	s, err := ParseScan(cursor)
	require.NoError(t, err)
	address, left, err := s.Next(w.stale, false)
	require.NoError(t, err)
	if !left {
		return ScanFinished, nil
	}
	if w.stale.Find(address) == nil && !s.Vouched(w.witnesses(s, new(SlotSet)), w.stale) {
		s.Restart()
		w.stale = w.snapshot()
		return s.String(), nil
	}
	if s.Begins() {
		s.Begin(w.standing(address))
	}
	var at uint64
	_, err = fmt.Sscan(s.Step, &at)
	require.NoError(t, err)
	next, shown := w.step(address, at, count)
	s.Step = fmt.Sprint(next)
	if s.Begins() {
		standing := w.standing(address)
		w.stale = w.snapshot()
		s.Finish(standing, w.witnesses(s, &standing.Owned), w.stale)
	}
	return s.String(), shown
}

func (w *scanWorld) witnesses(s *Scan, owned *SlotSet) (all []*Standing) {
	for _, node := range s.Witnesses(w.stale, owned) {
		all = append(all, w.standing(node.Address))
	}
	return all
}

func TestEveryKeyIsShownWhateverHappensToTheCluster(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newScanWorld(t)
		seen := make(map[string]bool)
		cursor := ""
		count := rapid.IntRange(1, 4).Draw(t, "count")
		busy := rapid.IntRange(0, 60).Draw(t, "steps in which things happen")
		for step := 0; cursor != ScanFinished; step++ {
			require.Less(t, step, busy+500, "the scan does not end: %s", cursor)
			var shown []string
			cursor, shown = w.stepAs(t, cursor, count)
			for _, key := range shown {
				seen[key] = true
			}
			for range rapid.IntRange(0, 3).Draw(t, "events") {
				if step < busy && cursor != ScanFinished {
					s, err := ParseScan(cursor)
					require.NoError(t, err)
					w.happen(t, s)
				}
			}
		}
		for _, key := range w.keys {
			require.True(t, seen[key.name], "%s was never shown", key.name)
		}
	})
}
