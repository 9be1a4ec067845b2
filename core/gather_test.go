package core

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestALeaderLetsOthersRunAgainAndAgainWhileTheyAreQuick(t *testing.T) {
	yields := 0
	g := newGathering(func() { yields++ })
	for range 3 {
		g.gather()
	}
	require.Equal(t, 3, yields)
}

func TestNoLeaderLetsOthersRunForAWhileAfterTheMachineRanSomethingElse(t *testing.T) {
	yields := 0
	g := newGathering(func() {
		yields++
		time.Sleep(2 * longGather)
	})
	g.gather()
	g.gather()
	require.Equal(t, 1, yields)

	g.from.Store(int64(time.Since(g.start))) // the while is over
	g.gather()
	require.Equal(t, 2, yields)
}

func TestACallIsAccompaniedByAFewAndNotByNoneOrMany(t *testing.T) {
	c := new(Client)
	k := &Call{client: c}
	for inflight, accompanied := range map[int64]bool{1: false, 2: true, fewCompanions: true, fewCompanions + 1: false} {
		c.inflight.Store(inflight)
		require.Equal(t, accompanied, (*boarded)(k).accompanied(), "%d under way", inflight)
	}
}
