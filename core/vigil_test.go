package core

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// times is what to wait for that comes when it is looked for the nth time, and counts the looks.
func times(n int, looks *int) func() bool {
	return func() bool {
		*looks++
		return *looks >= n
	}
}

func TestAVigilEndsWhenWhatItIsKeptForHasCome(t *testing.T) {
	eventually(t, func() bool { // on a busy machine a yield may take so long that it is in vain
		var v vigil
		for range 3 {
			looks := 0
			if !v.keep(times(3, &looks)) {
				return false
			}
			require.Equal(t, 3, looks)
		}
		return true
	})
}

func TestAVigilInVainEndsAndIsFollowedByNoneForAWhile(t *testing.T) {
	var v vigil
	require.False(t, v.keep(func() bool { return false }))

	looks := 0
	require.False(t, v.keep(times(1, &looks)))
	require.Zero(t, looks)

	v.from = time.Now() // the while is over
	require.True(t, v.keep(times(1, &looks)))
}

func TestAVigilInWhichTheMachineRanSomethingElseIsInVainEvenIfItWasNot(t *testing.T) {
	var v vigil
	require.True(t, v.keep(func() bool {
		time.Sleep(2 * longYield)
		return true
	}))
	require.False(t, v.keep(atOnce))
}

func TestThePauseGrowsWithEachVigilInVainAndFasterWithEachLongOne(t *testing.T) {
	began := time.Now()
	ended := began.Add(time.Millisecond)
	for _, growing := range []struct {
		long   bool
		pauses []time.Duration
	}{
		{false, []time.Duration{16, 32, 64, 128, 256, 512, 1024, 1024}},
		{true, []time.Duration{16, 128, 1024, 1024}},
	} {
		var v vigil
		for _, pause := range growing.pauses {
			v.ended(growing.long, growing.long, began, ended)
			require.Equal(t, ended.Add(pause*time.Millisecond), v.from, "long: %t", growing.long)
		}
	}
}

func TestThePauseIsHalvedByEachVigilThatIsNotInVain(t *testing.T) {
	began := time.Now()
	ended := began.Add(time.Millisecond)
	v := vigil{pause: 128}
	v.ended(true, false, began, ended)
	require.Zero(t, v.from)

	v.ended(false, false, began, ended)
	require.Equal(t, ended.Add(128*time.Millisecond), v.from)
}

// loadIn has a call lead a lane, with so many requests under way on its client.
func loadIn(company int64, n *lane) {
	k := &Call{client: new(Client)}
	k.client.inflight.Store(company)
	k.errand.begin([][][]byte{{pingWord}}, time.Time{}, (*boarded)(k))
	n.load(&k.errand)
}

func TestALeaderWatchesForItsReplyInFewCompanyOnly(t *testing.T) {
	for company, watches := range map[int64]bool{1: true, fewToWatch: true, fewToWatch + 1: false} {
		to := &socket{}
		loadIn(company, &lane{wire: &wire{conn: &conn{direct: to}}})
		require.Equal(t, watches, to.awake, "%d under way", company)
	}
}

func TestALeaderGathersOthersWhereAFewAreUnderWay(t *testing.T) {
	for company, gathers := range map[int64]bool{1: false, 2: true, fewToGather: true, fewToGather + 1: false} {
		n := &lane{wire: new(wire), gathering: vigil{pause: 64}} // which one that goes well halves
		loadIn(company, n)
		require.Equal(t, gathers, n.gathering.pause != 64, "%d under way", company)
	}
}
