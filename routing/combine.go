package routing

import (
	"cmp"
	"errors"
	"fmt"
	"math"
)

// CombineError says why replies make no value.
type CombineError struct {
	// Leg is the index of the reply that is to blame, or -1 where no single one is.
	Leg     int
	Message string
}

func (e *CombineError) Error() string { return e.Message }

// Combine makes one value of the replies to the legs of the plan, given in their order. A leg
// without a reply stands in as an error. The error is a *CombineError.
func (p *Plan) Combine(replies []Value) (Value, error) {
	if len(replies) != len(p.Legs) {
		return Value{}, wrong(-1, "%d replies to %d legs", len(replies), len(p.Legs))
	}
	if p.Policy == PolicyDefault {
		return one(replies[0])
	}
	if p.Split && p.Policy == PolicyCombineArrays {
		return p.reorder(replies)
	}
	return Combine(p.Policy, replies)
}

// Combine makes one value of several replies. It is given every reply of a fan-out: an error
// among them fails the whole, unless the policy can do without. The error is a *CombineError.
func Combine(policy Policy, replies []Value) (Value, error) {
	switch policy {
	case PolicyOneSucceeded:
		return firstOf(replies, func(v Value) bool { return !v.IsError() })
	case PolicyFirstNonemptyOrNil:
		return firstNonempty(replies)
	}
	for i, reply := range replies {
		if reply.IsError() {
			return Value{}, wrong(i, "%s", reply.Text)
		}
	}
	switch policy {
	case PolicyPerNode:
		return Value{Kind: KindPerNode}, nil
	case PolicyAllSucceeded:
		if len(replies) == 0 {
			return Value{}, wrong(-1, "no replies to combine")
		}
		return replies[0], nil
	case PolicySum:
		return fold(replies, add)
	case PolicyMin:
		return fold(replies, keep(func(a, b int64) int64 { return min(a, b) }))
	case PolicyMax:
		return fold(replies, keep(func(a, b int64) int64 { return max(a, b) }))
	case PolicyMinElementwise:
		return elementwise(replies, func(a, b int64) int64 { return min(a, b) }, nil)
	case PolicyLogicalAndElementwise:
		return elementwise(replies, func(a, b int64) int64 { return a & b }, truth)
	case PolicyLogicalOrElementwise:
		return elementwise(replies, func(a, b int64) int64 { return a | b }, truth)
	case PolicyCombineArrays:
		return concatenate(replies)
	case PolicyCombineMapsSum:
		return sumMaps(replies)
	}
	return Value{}, wrong(-1, "policy %s combines nothing", policy)
}

func wrong(leg int, format string, args ...any) error {
	return &CombineError{leg, fmt.Sprintf(format, args...)}
}

func wrongType(leg int, reply Value, want string) error {
	return wrong(leg, "reply of type %s instead of %s", reply.Kind, want)
}

func one(reply Value) (Value, error) {
	if reply.IsError() {
		return Value{}, wrong(0, "%s", reply.Text)
	}
	return reply, nil
}

// firstOf takes the first good reply; where there is none, the last error tells why.
func firstOf(replies []Value, good func(Value) bool) (Value, error) {
	for _, reply := range replies {
		if good(reply) {
			return reply, nil
		}
	}
	if len(replies) == 0 {
		return Value{}, wrong(-1, "no replies to combine")
	}
	last := len(replies) - 1
	return Value{}, wrong(last, "%s", replies[last].Text)
}

// firstNonempty cannot claim that there is nothing while a node has not said so.
func firstNonempty(replies []Value) (Value, error) {
	lastError := -1
	for i, reply := range replies {
		switch {
		case reply.IsError():
			lastError = i
		case !reply.IsNil():
			return reply, nil
		}
	}
	if lastError >= 0 {
		return Value{}, wrong(lastError, "%s", replies[lastError].Text)
	}
	return Value{}, nil
}

func fold(replies []Value, join func(a, b int64) (int64, error)) (Value, error) {
	var sum int64
	for i, reply := range replies {
		if reply.Kind != KindInteger {
			return Value{}, wrongType(i, reply, "integer")
		}
		if i == 0 {
			sum = reply.Integer
			continue
		}
		var err error
		if sum, err = join(sum, reply.Integer); err != nil {
			return Value{}, wrong(i, "%v", err)
		}
	}
	return Integer(sum), nil
}

var errOverflow = errors.New("overflow of a 64-bit sum")

func add(a, b int64) (int64, error) {
	if (b > 0 && a > math.MaxInt64-b) || (b < 0 && a < math.MinInt64-b) {
		return 0, errOverflow
	}
	return a + b, nil
}

func keep(choose func(a, b int64) int64) func(a, b int64) (int64, error) {
	return func(a, b int64) (int64, error) { return choose(a, b), nil }
}

func truth(n int64) int64 { return int64(max(cmp.Compare(n, 0), 0)) }

// elementwise joins arrays of integers of one length, each element brought into form first.
func elementwise(replies []Value, join func(a, b int64) int64, form func(int64) int64) (Value, error) {
	var joined []Value
	for i, reply := range replies {
		if reply.Kind != KindArray {
			return Value{}, wrongType(i, reply, "array of integers")
		}
		if i > 0 && len(reply.Items) != len(joined) {
			return Value{}, wrong(i, "array of length %d beside one of length %d", len(reply.Items), len(joined))
		}
		for j, item := range reply.Items {
			if item.Kind != KindInteger {
				return Value{}, wrongType(i, item, "integer in the array")
			}
			n := item.Integer
			if form != nil {
				n = form(n)
			}
			if i == 0 {
				joined = append(joined, Integer(n))
			} else {
				joined[j].Integer = join(joined[j].Integer, n)
			}
		}
	}
	return ArrayOf(joined...), nil
}

// concatenate joins arrays or sets in leg order; nothing is dropped.
func concatenate(replies []Value) (Value, error) {
	var all []Value
	for i, reply := range replies {
		if reply.Kind != KindArray && reply.Kind != KindSet {
			return Value{}, wrongType(i, reply, "array")
		}
		all = append(all, reply.Items...)
	}
	return ArrayOf(all...), nil
}

// sumMaps adds the numbers of equal names. A server gives names and numbers as a flat array, or
// as a map.
func sumMaps(replies []Value) (Value, error) {
	sums := Value{Kind: KindMap}
	at := make(map[string]int)
	for i, reply := range replies {
		if (reply.Kind != KindArray && reply.Kind != KindMap) || len(reply.Items)%2 != 0 {
			return Value{}, wrongType(i, reply, "names and numbers")
		}
		for j := 0; j < len(reply.Items); j += 2 {
			name, number := reply.Items[j], reply.Items[j+1]
			if !name.isText() || number.Kind != KindInteger {
				return Value{}, wrongType(i, number, "integer beside a name")
			}
			k, known := at[string(name.Text)]
			if !known {
				at[string(name.Text)] = len(sums.Items) + 1
				sums.Items = append(sums.Items, name, number)
				continue
			}
			var err error
			if sums.Items[k].Integer, err = add(sums.Items[k].Integer, number.Integer); err != nil {
				return Value{}, wrong(i, "%s: %v", name.Text, err)
			}
		}
	}
	return sums, nil
}

// reorder puts the elements that the parts of a split command answered back where their keys
// stood.
func (p *Plan) reorder(replies []Value) (Value, error) {
	count := 0
	for i, reply := range replies {
		if reply.IsError() {
			return Value{}, wrong(i, "%s", reply.Text)
		}
		if reply.Kind != KindArray {
			return Value{}, wrongType(i, reply, "array")
		}
		if len(reply.Items) != len(p.Legs[i].positions) {
			return Value{}, wrong(i, "%d elements for %d keys", len(reply.Items), len(p.Legs[i].positions))
		}
		count += len(reply.Items)
	}
	items := make([]Value, count)
	for i, reply := range replies {
		for j, position := range p.Legs[i].positions {
			items[position] = reply.Items[j]
		}
	}
	return ArrayOf(items...), nil
}
