package suite

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Report tells the results of several drivers.
type Report struct {
	Out     io.Writer
	Verbose bool // tell of every vector, not only of those that failed

	passed, failed, inapplicable int
	listed                       map[string]string
	summaries                    []string
}

// Add tells the results of one driver.
func (r *Report) Add(driver string, results []Result, took time.Duration) {
	count := make(map[Verdict]int)
	again := 0
	for _, result := range results {
		count[result.Verdict]++
		if result.Again {
			again++
		}
		r.tell(result)
	}
	r.passed += count[Passed]
	r.failed += count[Failed]
	r.inapplicable += count[Inapplicable]
	summary := fmt.Sprintf("%-7s %3d ok, %d wrong, %d listed, %d not applicable (%.1f s)",
		driver, count[Passed], count[Failed], count[Listed], count[Inapplicable], took.Seconds())
	if again > 0 {
		summary += fmt.Sprintf(", %d tried again on a machine that stood still", again)
	}
	r.summaries = append(r.summaries, summary)
}

func (r *Report) tell(result Result) {
	about := fmt.Sprintf("%s %s (%s)", result.Driver, result.Vector.ID, result.Vector.Group)
	switch result.Verdict {
	case Failed:
		var faults []string
		for _, fault := range result.Faults {
			faults = append(faults, strings.ReplaceAll(fault.String(), "\n", " "))
		}
		fmt.Fprintf(r.Out, "FAIL %s: %s\n", about, strings.Join(faults, "; "))
		return
	case Listed:
		if r.listed == nil {
			r.listed = make(map[string]string)
		}
		r.listed[result.Vector.ID] = result.Reason
	}
	if r.Verbose {
		line := fmt.Sprintf("%s %s %d ms", result.Verdict, about, result.Took.Milliseconds())
		if result.Reason != "" {
			line += ": " + result.Reason
		}
		fmt.Fprintln(r.Out, line)
	}
}

// End tells the sums; the last line is "N passed, M failed". It is true where nothing failed and
// something was asked at all.
func (r *Report) End() bool {
	for _, id := range slices.Sorted(maps.Keys(r.listed)) {
		fmt.Fprintf(r.Out, "listed: %s %s\n", id, r.listed[id])
	}
	for _, summary := range r.summaries {
		fmt.Fprintln(r.Out, summary)
	}
	fmt.Fprintf(r.Out, "%d not applicable\n", r.inapplicable)
	fmt.Fprintf(r.Out, "%d passed, %d failed\n", r.passed, r.failed)
	return r.failed == 0 && r.passed > 0
}
