package suite

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Answer is what a driver says of a call: one line of JSON. bindings/conformance/README.md
// describes it for those who write drivers.
type Answer struct {
	Status   string          `json:"status"`
	Error    *Failure        `json:"error,omitempty"`
	Slot     *int            `json:"slot,omitempty"`
	Value    *Value          `json:"value,omitempty"`
	Outcomes []Outcome       `json:"outcomes,omitempty"`
	Plan     *Plan           `json:"plan,omitempty"`
	Topology *TopologyAnswer `json:"topology,omitempty"`
}

// The statuses of an answer beside those of the library: the driver has no such call, and the
// driver could make nothing of the call, which is a fault of the suite or of the driver.
const (
	StatusOK          = "OK"
	StatusUnsupported = "UNSUPPORTED"
	StatusMalformed   = "MALFORMED"
)

// Failure is an error of the library. Its status stands in the answer, but for that of an outcome.
type Failure struct {
	Status    string `json:"status,omitempty"`
	Message   string `json:"message"`
	Code      string `json:"code,omitempty"`
	Node      string `json:"node,omitempty"`
	Sent      bool   `json:"sent,omitempty"`
	Retryable bool   `json:"retryable,omitempty"`
}

// Outcome is what became of one target.
type Outcome struct {
	Node     string   `json:"node"`
	Role     string   `json:"role"`
	Value    *Value   `json:"value,omitempty"`
	Error    *Failure `json:"error,omitempty"`
	Sent     bool     `json:"sent,omitempty"`
	Fallback bool     `json:"fallback,omitempty"`
	ServedBy string   `json:"served_by,omitempty"`
}

// Plan is where a request would go.
type Plan struct {
	Policy     string `json:"policy"`
	BlockingMS *int   `json:"blocking_ms,omitempty"` // 0: for ever
	Atomic     bool   `json:"atomic,omitempty"`
	Legs       []Leg  `json:"legs"`
}

// Leg is one command for one node.
type Leg struct {
	Node     string  `json:"node"`
	Role     string  `json:"role"`
	Words    []Bytes `json:"words"`
	Fallback bool    `json:"fallback,omitempty"`
	Command  int     `json:"command,omitempty"` // of a batch: which one
}

func (l *Leg) words() []string {
	words := make([]string, len(l.Words))
	for i, word := range l.Words {
		words[i] = string(word)
	}
	return words
}

// Bytes are written in hexadecimal digits.
type Bytes string

// MarshalText gives the digits.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString([]byte(b))), nil }

// UnmarshalText reads the digits.
func (b *Bytes) UnmarshalText(digits []byte) error {
	bytes, err := hex.DecodeString(string(digits))
	*b = Bytes(bytes)
	return err
}

// TopologyAnswer is the cluster as a client knows it.
type TopologyAnswer struct {
	Epoch      uint64        `json:"epoch"`
	Standalone bool          `json:"standalone,omitempty"`
	Shards     []ShardAnswer `json:"shards"`
}

// ShardAnswer is one shard of it.
type ShardAnswer struct {
	Slots    [][2]int     `json:"slots"`
	Primary  NodeAnswer   `json:"primary"`
	Replicas []NodeAnswer `json:"replicas"`
}

// NodeAnswer is one node of it.
type NodeAnswer struct {
	Address string   `json:"address"`
	Zone    string   `json:"zone,omitempty"`
	Aliases []string `json:"aliases,omitempty"`
}

// owner is the shard that serves a slot, or nil.
func (t *TopologyAnswer) owner(slot int) *ShardAnswer {
	for i := range t.Shards {
		for _, held := range t.Shards[i].Slots {
			if held[0] <= slot && slot <= held[1] {
				return &t.Shards[i]
			}
		}
	}
	return nil
}

// home is the shard that a node is in, and its role there.
func (t *TopologyAnswer) home(address string) (home *ShardAnswer, role string) {
	for i := range t.Shards {
		if t.Shards[i].Primary.Address == address {
			return &t.Shards[i], "primary"
		}
		for _, replica := range t.Shards[i].Replicas {
			if replica.Address == address {
				return &t.Shards[i], "replica"
			}
		}
	}
	return nil, ""
}

func readAnswer(line []byte) (*Answer, error) {
	answer := new(Answer)
	if err := decode(line, answer); err != nil {
		return nil, fmt.Errorf("the answer %.200q: %w", line, err)
	}
	if answer.Status == "" || answer.Status != StatusOK && answer.Error == nil {
		return nil, fmt.Errorf("the answer %.200q needs a status, and an error unless that is OK", line)
	}
	if answer.Value != nil {
		answer.Value.fromLatin1()
	}
	for i := range answer.Outcomes {
		if answer.Outcomes[i].Value != nil {
			answer.Outcomes[i].Value.fromLatin1()
		}
	}
	answer.spread()
	return answer, nil
}

// spread writes a value that is one entry for each outcome as the map that it stands for.
func (a *Answer) spread() {
	if a.Value == nil || a.Value.Kind != "p" {
		return
	}
	a.Value = &Value{Kind: "m"}
	for _, outcome := range a.Outcomes {
		value := Value{Kind: "nil"}
		if outcome.Value != nil {
			value = *outcome.Value
		}
		a.Value.Items = append(a.Value.Items, text(outcome.Node), value)
	}
}

// said is the answer in a few words, for a report.
func (a *Answer) said() string {
	if a.Error != nil {
		return a.Status + ": " + a.Error.Message
	}
	if a.Value != nil {
		return a.Value.String()
	}
	line, _ := json.Marshal(a)
	return string(line)
}
