package routing

import (
	"fmt"
	"strings"
)

// leastShare is the part of the asked nodes, one in so many, that must agree on a view.
const leastShare = 5

// Agree chooses among the views of several nodes, of which asked were asked. The view of the
// highest configuration epoch wins: a node that knows of a newer one is right against any number
// of others. Among views of one epoch the one that most nodes gave wins, if it is unique and a
// fifth of the asked nodes gave it.
//
// Where there is no such view, the caller may ask again. On its last attempt, and where fewer
// than three nodes were asked, the one of the tied views that covers most slots serves.
func Agree(views []*View, asked int, last bool) (*View, error) {
	if len(views) == 0 {
		return nil, fmt.Errorf("no usable view from %d nodes", asked)
	}
	newest, differ := newestOf(views)
	groups := groupsOf(newest)
	best, tied := groups[0], false
	for _, group := range groups[1:] {
		switch {
		case len(group) > len(best):
			best, tied = group, false
		case len(group) == len(best):
			tied = true
			if group[0].Coverage() > best[0].Coverage() {
				best = group
			}
		}
	}
	switch {
	case !differ && len(best)*leastShare < asked:
		return nil, fmt.Errorf("agreement below 20%%: %d of %d nodes share a view", len(best), asked)
	case tied && !last && asked >= 3:
		return nil, fmt.Errorf("no majority, retry: %d views of %d nodes", len(groups), asked)
	}
	return best[0], nil
}

// newestOf keeps the views of the highest epoch and says whether there were others.
func newestOf(views []*View) (newest []*View, differ bool) {
	for _, view := range views {
		switch {
		case len(newest) == 0 || view.Epoch > newest[0].Epoch:
			differ = differ || len(newest) > 0
			newest = []*View{view}
		case view.Epoch == newest[0].Epoch:
			newest = append(newest, view)
		default:
			differ = true
		}
	}
	return newest, differ
}

// groupsOf puts equal views together, in the order in which they first appear.
func groupsOf(views []*View) (groups [][]*View) {
	at := make(map[string]int)
	for _, view := range views {
		text := view.text()
		i, known := at[text]
		if !known {
			i = len(groups)
			at[text] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], view)
	}
	return groups
}

// text is equal for views that give the same slots to the same primaries and replicas.
func (v *View) text() string {
	var text strings.Builder
	for first := 0; first < SlotCount; {
		last := v.runEnd(first)
		if i := v.owner[first]; i != noShard {
			fmt.Fprintf(&text, "%d-%d %s", first, last, v.drafts[i].primary.Address)
			for _, replica := range v.drafts[i].replicas {
				fmt.Fprintf(&text, " %s", replica.Address)
			}
			text.WriteByte('\n')
		}
		first = last + 1
	}
	return text.String()
}

// runEnd is the last slot of the run of equal owners that begins at first.
func (v *View) runEnd(first int) int {
	last := first
	for last+1 < SlotCount && v.owner[last+1] == v.owner[first] {
		last++
	}
	return last
}

// Coverage is the number of slots that have an owner.
func (v *View) Coverage() int {
	covered := 0
	for _, i := range v.owner {
		if i != noShard {
			covered++
		}
	}
	return covered
}
