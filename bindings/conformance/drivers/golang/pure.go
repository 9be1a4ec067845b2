package golang

import (
	"fmt"

	"libglide/bindings/conformance/suite"
	"libglide/routing"
)

// policyOf is the policy of a name; each knows its own.
func policyOf(name string) (routing.Policy, bool) {
	for policy := routing.PolicyDefault; policy.Valid(); policy++ {
		if policy.String() == name {
			return policy, true
		}
	}
	return 0, false
}

// Combine is routing.Combine.
func (s *session) Combine(name string, replies []suite.Value) (suite.Value, error) {
	policy, known := policyOf(name)
	if !known {
		return suite.Value{}, fmt.Errorf("no policy is called %q", name)
	}
	var values []routing.Value
	for _, reply := range replies {
		values = append(values, value(reply))
	}
	combined, err := routing.Combine(policy, values)
	return *valueAnswer(&combined), err
}

// Agree is routing.Agree.
func (s *session) Agree(given []suite.View, asked int, last bool) (int, error) {
	var views []*routing.View
	for _, view := range given {
		parsed, err := viewOf(view)
		if err != nil {
			return 0, err
		}
		views = append(views, parsed)
	}
	chosen, err := routing.Agree(views, asked, last)
	for i, view := range views {
		if view == chosen {
			return i, err
		}
	}
	return 0, err
}

// viewOf makes a view as a node gives it, over the parser that its answer takes.
func viewOf(view suite.View) (*routing.View, error) {
	reply := routing.ArrayOf()
	for _, held := range view.Ranges {
		entry := routing.ArrayOf(routing.Integer(int64(held.Start)), routing.Integer(int64(held.End)))
		for _, text := range append([]string{held.Primary}, held.Replicas...) {
			address, err := routing.ParseAddress(text)
			if err != nil {
				return nil, err
			}
			entry.Items = append(entry.Items, routing.ArrayOf(routing.Bulk(address.Host), routing.Integer(int64(address.Port))))
		}
		reply.Items = append(reply.Items, entry)
	}
	parsed, err := routing.ParseSlots(reply, routing.Address{Host: "seed", Port: 7000})
	if parsed != nil {
		parsed.Epoch = view.Epoch
	}
	return parsed, err
}

// Dial is routing.Address.Dial.
func (s *session) Dial(text string) (string, error) {
	address, err := routing.ParseAddress(text)
	return address.Dial(), err
}
