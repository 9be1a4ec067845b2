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
	if len(views) == 1 {
		return [][]*View{views} // which is asked for most, and compared with nothing
	}
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
	for slots, i := range v.owners.runs() {
		fmt.Fprintf(&text, "%d-%d %s", slots.First, slots.Last, v.drafts[i].primary.Address)
		for _, replica := range v.drafts[i].replicas {
			fmt.Fprintf(&text, " %s", replica.Address)
		}
		text.WriteByte('\n')
	}
	return text.String()
}

// Coverage is the number of slots that have an owner.
func (v *View) Coverage() (covered int) {
	for slots := range v.owners.runs() {
		covered += int(slots.Last) - int(slots.First) + 1
	}
	return covered
}
