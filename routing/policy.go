package routing

// Policy says how the replies of several legs become one value. The numbers are those of
// ResponsePolicy in the wire contract.
type Policy uint8

const (
	PolicyDefault Policy = iota // the command's own; in a plan: one leg, whose reply is the value
	PolicyPerNode
	PolicyAllSucceeded
	PolicyOneSucceeded
	PolicyFirstNonemptyOrNil
	PolicySum
	PolicyMin
	PolicyMax
	PolicyMinElementwise
	PolicyLogicalAndElementwise
	PolicyLogicalOrElementwise
	PolicyCombineArrays
	PolicyCombineMapsSum
	policyCount
)

var policies = map[string]Policy{
	"per_node": PolicyPerNode, "all_succeeded": PolicyAllSucceeded,
	"one_succeeded": PolicyOneSucceeded, "first_nonempty_or_nil": PolicyFirstNonemptyOrNil,
	"sum": PolicySum, "min": PolicyMin, "max": PolicyMax, "min_elementwise": PolicyMinElementwise,
	"logical_and_elementwise": PolicyLogicalAndElementwise,
	"logical_or_elementwise":  PolicyLogicalOrElementwise,
	"combine_arrays":          PolicyCombineArrays, "combine_maps_sum": PolicyCombineMapsSum,
}

// Valid says whether p is one of the policies above.
func (p Policy) Valid() bool { return p < policyCount }

func (p Policy) String() string {
	for name, policy := range policies {
		if policy == p {
			return name
		}
	}
	return "default"
}
