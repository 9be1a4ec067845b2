package routing

import (
	"bytes"
	"strings"
	"testing"
)

func fields(text string) func(yield func(string) bool) { return strings.FieldsSeq(text) }

// fuzzedReply builds a value from bytes: each one opens an aggregate, closes it or adds a leaf.
func fuzzedReply(data *bytes.Reader, depth int) Value {
	list := Value{Kind: KindArray}
	for {
		b, err := data.ReadByte()
		if err != nil || b == ']' {
			return list
		}
		switch {
		case b == '[' && depth < 6:
			list.Items = append(list.Items, fuzzedReply(data, depth+1))
		case b == '{' && depth < 6:
			pairs := fuzzedReply(data, depth+1)
			pairs.Kind = KindMap
			list.Items = append(list.Items, pairs)
		case b == '_':
			list.Items = append(list.Items, Value{})
		case b >= '0' && b <= '9':
			list.Items = append(list.Items, Integer(int64(b-'0')*1820))
		default:
			text := []string{"slots", "nodes", "port", "endpoint", "role", "master", "health", "id", "ip", "hostname", "?", "", "10.0.0.1", "::1", "h"}
			list.Items = append(list.Items, Bulk(text[int(b)%len(text)]))
		}
	}
}

func FuzzParseTopology(f *testing.F) {
	f.Add([]byte("[04[m1a[ia]][m2a]]"))
	f.Add([]byte("{a[03]b[{c1dmef}]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		reply := fuzzedReply(bytes.NewReader(data), 0)
		for _, parse := range []func() (*View, error){
			func() (*View, error) { return ParseSlots(reply, sender) },
			func() (*View, error) { return ParseShards(reply, sender, false) },
		} {
			view, err := parse()
			if err != nil {
				continue
			}
			seen := make(map[Address]bool)
			for _, node := range view.Snapshot(nil).Nodes() {
				if node.Address.Port == 0 || node.Address.Host == "" || node.Address.Host == "?" {
					t.Fatalf("node %s", node.Address)
				}
				if seen[node.Address] {
					t.Fatalf("%s stands in two places", node.Address)
				}
				seen[node.Address] = true
			}
		}
	})
}

func FuzzParseAddress(f *testing.F) {
	for _, text := range []string{"h:1", "[::1]:65535", "::1:7000", ":", "a:b:c"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		address, err := ParseAddress(text)
		if err != nil {
			return
		}
		again, err := ParseAddress(address.String())
		if err != nil || again != address {
			t.Fatalf("%q is %v, which reads as %v (%v)", text, address, again, err)
		}
	})
}

func FuzzParseRedirect(f *testing.F) {
	f.Add("MOVED 3999 127.0.0.1:6381")
	f.Add("ASK 0 :1")
	f.Fuzz(func(t *testing.T, line string) {
		if move, good := ParseRedirect(line, sender); good && (move.Slot >= SlotCount || move.To.Port == 0) {
			t.Fatalf("%q is %+v", line, move)
		}
	})
}

func FuzzPlan(f *testing.F) {
	for _, text := range []string{"GET foo", "MSET a 1 b 2", "XREAD BLOCK 5 STREAMS s 0", "EVAL s 2 a b", "MSETEX 1 a b NX", "MIGRATE h 1  0 5 KEYS k"} {
		f.Add([]byte(strings.ReplaceAll(text, " ", "\n")), uint8(0), int32(0))
	}
	f.Fuzz(func(t *testing.T, text []byte, kind uint8, number int32) {
		snapshot := three(t)
		request := &Request{Words: bytes.Split(text, []byte("\n")), Route: Route{
			Kind: RouteKind(kind), Key: text, SlotID: number, Host: string(text), Port: number,
		}}
		var plan Plan
		if planner.Plan(&plan, request, snapshot) != nil {
			return
		}
		for i := range plan.Legs {
			if leg := &plan.Legs[i]; leg.Node == nil || len(leg.Words) == 0 {
				t.Fatalf("%q: leg %+v", text, leg)
			}
		}
		if _, err := planBatch(planner, &Batch{Commands: [][][]byte{request.Words, request.Words}, Atomic: kind%2 == 0}, snapshot); err != nil {
			_ = err.Error()
		}
	})
}
