// Package suite holds client libraries to one behaviour: it puts the vectors of a file of the format
// routing-conformance/1 before drivers, one for each language, and judges what they answer. All
// judgement is here, once; a driver only runs calls and tells what came of them.
package suite

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"
)

const format = "routing-conformance/1"

// File is a file of vectors.
type File struct {
	Vectors []Vector
	// Timeout and InflightLimit are those of clients for which a vector says nothing else.
	Timeout       time.Duration
	InflightLimit int

	topologies map[string]json.RawMessage
}

// Vector is one case: what is given, and what must come of it.
type Vector struct {
	ID, Group string
	members   map[string]json.RawMessage
}

// Topology is a cluster, or a standalone server with its replicas.
type Topology struct {
	Desc       string
	Ranges     []Range
	Zones      map[string]string `json:"az"`
	Connected  []string
	Standalone bool
	Primary    string
	Replicas   []string
}

// Range is a range of slots, both ends included, and who holds it.
type Range struct {
	Start    int      `json:"start"`
	End      int      `json:"end"`
	Primary  string   `json:"primary"`
	Replicas []string `json:"replicas"`
}

// nodes are the addresses of all nodes, each shard's primary first.
func (t *Topology) nodes() []string {
	if t.Standalone {
		return append([]string{t.Primary}, t.Replicas...)
	}
	var nodes []string
	for _, shard := range t.shards() {
		nodes = append(append(nodes, shard.primary), shard.replicas...)
	}
	return nodes
}

// serves says whether a slot has an owner.
func (t *Topology) serves(slot int) bool {
	return t.Standalone || slices.ContainsFunc(t.Ranges, func(held Range) bool {
		return held.Start <= slot && slot <= held.End
	})
}

const slotCount = 16384

// shard is what a primary and its replicas hold.
type shard struct {
	slots    [][2]int
	primary  string
	replicas []string
}

func (t *Topology) shards() []*shard {
	if t.Standalone {
		return []*shard{{primary: t.Primary, replicas: t.Replicas}}
	}
	var shards []*shard
	of := make(map[string]*shard)
	for _, held := range t.Ranges {
		if of[held.Primary] == nil {
			of[held.Primary] = &shard{primary: held.Primary, replicas: held.Replicas}
			shards = append(shards, of[held.Primary])
		}
		of[held.Primary].slots = append(of[held.Primary].slots, [2]int{held.Start, held.End})
	}
	for _, address := range t.Connected { // of a cluster that has given nobody a slot
		if of[address] == nil {
			shards = append(shards, &shard{primary: address})
		}
	}
	return shards
}

// served is the topology as it was when clients could still begin with it: one in which no slot
// has an owner belonged to its first node.
func (t *Topology) served() *Topology {
	if t.Standalone || len(t.Ranges) > 0 {
		return t
	}
	served := *t
	served.Ranges = []Range{{0, slotCount - 1, t.Connected[0], nil}}
	return &served
}

// renamed is the topology with another name for one of its nodes.
func (t *Topology) renamed(from, to string) *Topology {
	text, _ := json.Marshal(t)
	renamed := new(Topology)
	_ = json.Unmarshal(bytes.ReplaceAll(text, []byte(`"`+from+`"`), []byte(`"`+to+`"`)), renamed)
	return renamed
}

// Load reads a file of vectors.
func Load(path string) (*File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	file, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return file, nil
}

func parse(text []byte) (*File, error) {
	var raw struct {
		Format      string
		Conventions struct {
			Defaults struct {
				TimeoutMS     int `json:"request_timeout_ms"`
				InflightLimit int `json:"inflight_limit"`
			}
		}
		Topologies map[string]json.RawMessage
		Vectors    []map[string]json.RawMessage
	}
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, err
	}
	if raw.Format != format {
		return nil, fmt.Errorf("the format is %q, not %q", raw.Format, format)
	}
	file := &File{topologies: raw.Topologies, Timeout: 250 * time.Millisecond, InflightLimit: 1000}
	if set := raw.Conventions.Defaults.TimeoutMS; set > 0 {
		file.Timeout = time.Duration(set) * time.Millisecond
	}
	if set := raw.Conventions.Defaults.InflightLimit; set > 0 {
		file.InflightLimit = set
	}
	for i, members := range raw.Vectors {
		vector := Vector{members: members}
		for name, into := range map[string]*string{"id": &vector.ID, "group": &vector.Group} {
			if err := json.Unmarshal(members[name], into); err != nil {
				return nil, fmt.Errorf("vector %d has no good %s: %w", i+1, name, err)
			}
		}
		file.Vectors = append(file.Vectors, vector)
	}
	return file, nil
}

// decode reads JSON and refuses what it would have to leave out.
func decode(raw []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	return decoder.Decode(into)
}
