package core

import (
	"slices"
	"sync"

	"libglide/routing"
)

// cargo is what a call of many flights is made of: a batch has hundreds of them, which would be as
// much garbage with every call.
type cargo struct {
	plan    routing.BatchPlan // of a batch
	flights []*flight         // in the order in which they go
	legs    [][]*flight       // of each command of a batch, in the order of its plan
	results []routing.Value

	room   []flight
	places []*flight // that legs are in
}

var cargos = sync.Pool{New: func() any { return new(cargo) }}

// mostCargo flights, or commands of a batch, are kept.
const mostCargo = 4 << 10

func takeCargo() *cargo { return cargos.Get().(*cargo) }

// giveBack is for who needs nothing of it any more, nor of the values of the flights.
func (g *cargo) giveBack() {
	if max(g.plan.Clear(), cap(g.room), cap(g.legs)) > mostCargo {
		return
	}
	clear(g.room)
	clear(g.flights)
	clear(g.legs)
	clear(g.places)
	clear(g.results)
	cargos.Put(g)
}

// hold makes room for so many flights, which are added to it then.
func (g *cargo) hold(count int) {
	g.room, g.places = sized(g.room, count), sized(g.places, count)
	g.flights = sized(g.flights, count)[:0]
}

// sized is so many elements in the memory of others that are not needed any more, or in more.
func sized[T any](memory []T, count int) []T { return slices.Grow(memory[:0], count)[:count] }

// add adds a leg of a plan.
func (g *cargo) add(plan *routing.Plan, leg *routing.Leg) *flight {
	f := &g.room[len(g.flights)]
	f.begin(plan, leg)
	g.flights = append(g.flights, f)
	return f
}

// load adds all legs of a plan, and gives the flights.
func (g *cargo) load(plan *routing.Plan) []*flight {
	g.hold(len(plan.Legs))
	for i := range plan.Legs {
		g.add(plan, &plan.Legs[i])
	}
	return g.flights
}

// loadBatch adds all legs of the plan of a batch, whose commands run each for itself, and gives the
// flights.
func (g *cargo) loadBatch(request *BatchRequest) []*flight {
	count, commands := 0, len(request.Commands)
	for _, part := range g.plan.Parts {
		count += len(part.Steps)
	}
	g.hold(count)
	g.legs, g.results = sized(g.legs, commands), sized(g.results, commands)
	places := g.places
	for _, part := range g.plan.Parts {
		for _, step := range part.Steps {
			command, leg := g.plan.Of(step)
			f := g.add(command, leg)
			f.readOnly = f.readOnly || request.Repeat
			if g.legs[step.Command] == nil {
				n := len(command.Legs)
				g.legs[step.Command], places = places[:n:n], places[n:]
			}
			g.legs[step.Command][step.Leg] = f
		}
	}
	return g.flights
}

// response is what became of all commands of a batch, once their flights have ended.
func (g *cargo) response(request *BatchRequest) Response {
	response := Response{Value: routing.ArrayOf(g.results...)}
	for i, words := range request.Commands {
		command, _ := g.plan.Of(routing.Step{Command: i})
		if one := &g.legs[i][0].outcome; len(g.legs[i]) == 1 && one.Err == nil && command.Policy == routing.PolicyDefault {
			response.Value.Items[i] = one.Value // as it is, and most are so
			continue
		}
		result, err := combine(command, &Request{Request: routing.Request{Words: words}}, g.legs[i])
		if err != nil {
			response.fail(i, err.(*Error))
			continue
		}
		if result.Value.Kind == routing.KindPerNode {
			result.Value = byNode(result.Outcomes)
		}
		response.Value.Items[i] = result.Value
	}
	return response
}
