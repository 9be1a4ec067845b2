package chaos

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Report is what came of a run.
type Report struct {
	options     Options
	calls       *calls
	storm       *storm
	finding     finding
	hung        []string // workers that never got an answer
	goroutines  int
	connections int
	held        int
	closedTwice bool // Close did not say once, and only once, that it closed
}

// Good says whether the client kept its promises.
func (r *Report) Good() bool {
	return r.finding.lost == 0 && r.finding.doubled == 0 && r.finding.torn == 0 && r.unanswered() == 0 &&
		len(r.calls.odd) == 0 && r.goroutines == 0 && r.connections == 0 && r.held == 0 && !r.closedTwice
}

func (r *Report) unanswered() int { return int(r.calls.late.Load()) + len(r.hung) }

// Print writes the report.
func (r *Report) Print(out io.Writer) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(out, "%-22s %s\n", name, fmt.Sprintf(format, args...))
	}
	c := r.calls
	fmt.Fprintln(out)
	line("seed", "%d", r.options.Seed)
	line("faults", "%s", counts(r.storm.count))
	if r.storm.unplanned > 0 {
		line("", "%d failovers that nobody asked for: the machine stood still for too long", r.storm.unplanned)
	}
	line("servers answered", "%s", counts(r.storm.replies))
	line("calls", "%d good, %d failed and did not run, %d failed and may have run",
		c.count[good].Load(), c.count[refused].Load(), c.count[unsure].Load())
	line("failures", "%s", counts(c.failures))
	r.printOutages(line)
	line("acknowledged writes", "%d", r.finding.acknowledged)
	line("lost", "%d (and %d that asynchronous replication may lose)", r.finding.lost, r.finding.excused)
	line("doubled", "%d", r.finding.doubled)
	line("torn", "%d", r.finding.torn)
	line("unanswered", "%d (the latest %s after its deadline; the machine's longest stall was %s)",
		r.unanswered(), time.Duration(c.worst.Load()).Round(time.Millisecond), c.stalls.longest().Round(time.Millisecond))
	line("left behind", "%d goroutines, %d connections, %d handles", r.goroutines, r.connections, r.held)
	for _, wrong := range slices.Concat(r.finding.notes, c.latest, c.odd) {
		line("WRONG", "%s", wrong)
	}
	for _, name := range r.hung {
		line("WRONG", "%s never got an answer", name)
	}
	if r.closedTwice {
		line("WRONG", "Close did not say once, and only once, that it closed")
	}
}

func (r *Report) printOutages(line func(name, format string, args ...any)) {
	var before, during float64
	for _, o := range r.storm.outages {
		if o.recovered == 0 {
			continue
		}
		line("primary gone", "first good write after %s; of it the servers took %s",
			o.recovered.Round(time.Millisecond), o.takeover.Sub(o.began).Round(time.Millisecond))
		before, during = before+o.usual, during+o.others
	}
	if before > 0 {
		line("", "other shards meanwhile did %.0f %% of what they did before", 100*during/before)
	}
}

// counts are numbers with their names, the greatest first.
func counts(of map[string]int) string {
	names := slices.SortedFunc(maps.Keys(of), func(a, b string) int {
		if of[a] != of[b] {
			return of[b] - of[a]
		}
		return strings.Compare(a, b)
	})
	text := make([]string, len(names))
	for i, name := range names {
		text[i] = fmt.Sprintf("%s %d", name, of[name])
	}
	if len(text) == 0 {
		return "none"
	}
	return strings.Join(text, ", ")
}
