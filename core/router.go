package core

import (
	"math/rand/v2"

	"libglide/routing"
)

// Router says where requests go over a topology that somebody gave. It has no connections.
type Router struct {
	planner  *routing.Planner
	snapshot *routing.Snapshot
}

// NewRouter makes a router. The error is an *Error.
func NewRouter(topology routing.Topology, reads routing.ReadStrategy, zone string) (*Router, error) {
	if err := checkZone(reads, zone); err != nil {
		return nil, err
	}
	if reads == routing.ReadLowestLatency {
		return nil, NewError(StatusConfig, "read_from LOWEST_LATENCY: a router measures none")
	}
	snapshot, err := topology.Snapshot()
	if err != nil {
		return nil, NewError(StatusConfig, "%v", err)
	}
	return &Router{&routing.Planner{Random: rand.IntN, Reads: reads, Zone: zone}, snapshot}, nil
}

// Resolve says where a request goes. The error is an *Error.
func (r *Router) Resolve(request *routing.Request) (*routing.Plan, error) {
	plan := new(routing.Plan)
	if err := r.planner.Plan(plan, request, r.snapshot); err != nil {
		return nil, planError(err)
	}
	return plan, nil
}

// ResolveBatch says where the commands of a batch go. The error is an *Error.
func (r *Router) ResolveBatch(batch *routing.Batch) (*routing.BatchPlan, error) {
	plan := new(routing.BatchPlan)
	if err := r.planner.Batch(plan, batch, r.snapshot); err != nil {
		return nil, planError(err)
	}
	return plan, nil
}
