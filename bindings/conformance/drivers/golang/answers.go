package golang

import (
	"strconv"

	"libglide/bindings/conformance/suite"
	"libglide/core"
	"libglide/routing"
)

func failure(err *core.Error) *suite.Failure {
	return &suite.Failure{Message: err.Message, Code: err.Code, Node: err.Node, Sent: err.Sent, Retryable: err.Retryable}
}

func outcomeAnswer(outcome *core.Outcome) suite.Outcome {
	answer := suite.Outcome{
		Node: outcome.Node.Address.String(), Role: outcome.Node.Role.String(),
		Sent: outcome.Sent, Fallback: outcome.Fallback,
	}
	if outcome.Err != nil {
		answer.Error = failure(outcome.Err)
		answer.Error.Status = statuses[outcome.Err.Status]
	} else {
		answer.Value = valueAnswer(&outcome.Value)
	}
	if outcome.ServedBy != nil {
		answer.ServedBy = outcome.ServedBy.String()
	}
	return answer
}

// notation are the kinds of values that hold nothing but text, items or nothing.
var notation = map[routing.Kind]string{
	routing.KindNil: "nil", routing.KindBulk: "b", routing.KindSimple: "s", routing.KindArray: "a",
	routing.KindMap: "m", routing.KindSet: "u", routing.KindVerbatim: "v", routing.KindBigNumber: "n",
	routing.KindError: "e", routing.KindPerNode: "p", routing.KindInteger: "i", routing.KindBoolean: "t",
	routing.KindDouble: "d",
}

func valueAnswer(value *routing.Value) *suite.Value {
	answer := &suite.Value{Kind: notation[value.Kind], Text: string(value.Text), Int: value.Integer}
	if value.Kind == routing.KindDouble {
		answer.Text = strconv.FormatFloat(value.Double, 'g', -1, 64)
	}
	for i := range value.Items {
		answer.Items = append(answer.Items, *valueAnswer(&value.Items[i]))
	}
	return answer
}

// value is the reply of a server for one of a vector.
func value(v suite.Value) routing.Value {
	made := routing.Value{Text: []byte(v.Text), Integer: v.Int}
	for kind, name := range notation {
		if name == v.Kind || v.Kind == "" && kind == routing.KindBulk {
			made.Kind = kind
		}
	}
	for _, item := range v.Items {
		made.Items = append(made.Items, value(item))
	}
	return made
}

func planAnswer(plan *routing.Plan) *suite.Plan {
	answer := &suite.Plan{Policy: plan.Policy.String()}
	if plan.Wait.Blocks {
		milliseconds := int(plan.Wait.Milliseconds)
		answer.BlockingMS = &milliseconds
	}
	for i := range plan.Legs {
		leg := &plan.Legs[i]
		answer.Legs = append(answer.Legs, legAnswer(leg.Node, leg.Words, leg.Fallback, 0))
	}
	return answer
}

func batchAnswer(plan *routing.BatchPlan) *suite.Plan {
	answer := &suite.Plan{Policy: routing.PolicyDefault.String(), Atomic: plan.Atomic}
	for _, part := range plan.Parts {
		for _, step := range part.Steps {
			answer.Legs = append(answer.Legs, legAnswer(part.Node, step.Words, false, step.Command))
		}
	}
	return answer
}

func legAnswer(node *routing.Node, words [][]byte, fallback bool, command int) suite.Leg {
	leg := suite.Leg{Node: node.Address.String(), Role: node.Role.String(), Fallback: fallback, Command: command}
	for _, word := range words {
		leg.Words = append(leg.Words, suite.Bytes(word))
	}
	return leg
}

func topologyAnswer(snapshot *routing.Snapshot) *suite.TopologyAnswer {
	answer := &suite.TopologyAnswer{Epoch: snapshot.Epoch, Standalone: snapshot.Standalone}
	for _, shard := range snapshot.Shards() {
		part := suite.ShardAnswer{Slots: [][2]int{}, Primary: nodeAnswer(shard.Primary)}
		for _, held := range shard.Slots {
			part.Slots = append(part.Slots, [2]int{int(held.First), int(held.Last)})
		}
		for _, replica := range shard.Replicas {
			part.Replicas = append(part.Replicas, nodeAnswer(replica))
		}
		answer.Shards = append(answer.Shards, part)
	}
	return answer
}

func nodeAnswer(node *routing.Node) suite.NodeAnswer {
	answer := suite.NodeAnswer{Address: node.Address.String(), Zone: node.Zone}
	for _, alias := range node.Aliases {
		answer.Aliases = append(answer.Aliases, alias.String())
	}
	return answer
}
