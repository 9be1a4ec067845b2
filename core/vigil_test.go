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
	var v vigil
	for range 3 {
		looks := 0
		require.True(t, v.keep(times(3, &looks)))
		require.Equal(t, 3, looks)
	}
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

func TestALongVigilIsFollowedByALongerPauseThanOneInVain(t *testing.T) {
	var v vigil
	began := time.Now()
	ended := began.Add(time.Millisecond)
	v.ended(true, true, began, ended)
	require.Equal(t, ended.Add(longPause*time.Millisecond), v.from)
}

func TestEachFurtherVigilInVainIsFollowedByTwiceThePauseUpToAMost(t *testing.T) {
	var v vigil
	began := time.Now()
	ended := began.Add(time.Millisecond)
	for _, pause := range []time.Duration{16, 32, 64, 128, 256, 512, 1024, 1024} {
		v.ended(false, false, began, ended)
		require.Equal(t, ended.Add(pause*time.Millisecond), v.from)
	}
	v.ended(true, false, began, ended)
	v.ended(false, false, began, ended)
	require.Equal(t, ended.Add(vainPause*time.Millisecond), v.from)
}

func TestALeaderStaysAwakeOnlyInFewCompany(t *testing.T) {
	for company, few := range map[int64]bool{0: false, 1: true, fewCompanions: true, fewCompanions + 1: false} {
		require.Equal(t, few, isFew(company), "%d under way", company)
	}
}
