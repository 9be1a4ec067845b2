package main

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAHandleIsLiveUntilItIsTakenOnce(t *testing.T) {
	var things table[int]
	one := 1
	handle := things.add(&one)
	got, state := things.get(handle)
	require.Equal(t, handleLive, state)
	require.Same(t, &one, got)
	_, state = things.take(handle)
	require.Equal(t, handleLive, state)
	_, state = things.take(handle)
	require.Equal(t, handleClosed, state)
	_, state = things.get(handle)
	require.Equal(t, handleClosed, state)
}

func TestAHandleIsNeverGivenOutTwice(t *testing.T) {
	var things table[int]
	seen := make(map[uint64]bool)
	for i := range 1000 {
		handle := things.add(&i)
		require.NotZero(t, handle)
		require.False(t, seen[handle])
		seen[handle] = true
		things.take(handle)
	}
	require.Len(t, *things.places.Load(), 1, "the place is used again")
	for handle := range seen {
		_, state := things.get(handle)
		require.Equal(t, handleClosed, state)
	}
}

func TestAPlaceWhoseGenerationsAreUsedUpIsNotUsedAgain(t *testing.T) {
	var things table[int]
	one := 1
	things.take(things.add(&one))
	(*things.places.Load())[0].generation.Store(1<<generationBits - 2)
	last := things.add(&one)
	require.Equal(t, uint64(1<<generationBits-1)<<placeBits|1, last)
	things.take(last)
	require.Equal(t, uint64(1<<placeBits|2), things.add(&one), "the first generation of another place")
	_, state := things.get(last)
	require.Equal(t, handleClosed, state)
}

func TestAHandleThatCountsForksIsUnknown(t *testing.T) {
	var things table[int]
	one := 1
	handle := things.add(&one)
	for forks := uint64(1); forks < 256; forks++ {
		_, state := things.get(handle | forks<<(placeBits+generationBits))
		require.Equal(t, handleUnknown, state)
	}
}

func TestAMadeUpHandleIsUnknown(t *testing.T) {
	var things table[int]
	for _, handle := range []uint64{0, 1, 1 << 24, 1<<24 | 1, 1 << 63, ^uint64(0)} {
		_, state := things.get(handle)
		require.Equal(t, handleUnknown, state, "%#x of an empty table", handle)
	}
	one := 1
	real := things.add(&one)
	for _, handle := range []uint64{0, 1, real + 1, real + 1<<24, real | 1<<63, ^uint64(0)} {
		_, state := things.get(handle)
		require.Equal(t, handleUnknown, state, "%#x beside %#x", handle, real)
	}
}

func TestAHandleOfAnotherKindIsUnknown(t *testing.T) {
	clients, routers := table[int]{kind: 1}, table[int]{kind: 2}
	one := 1
	for _, handle := range []uint64{clients.add(&one), clients.add(&one)} {
		routers.add(&one)
		_, state := routers.get(handle)
		require.Equal(t, handleUnknown, state)
		_, state = routers.take(handle)
		require.Equal(t, handleUnknown, state)
		_, state = clients.get(handle)
		require.Equal(t, handleLive, state)
	}
}

func TestOneOfManyClosersGetsTheThing(t *testing.T) {
	var things table[int]
	for i := range 200 {
		handle := things.add(&i)
		var winners sync.Map
		var closers sync.WaitGroup
		for closer := range 8 {
			closers.Go(func() {
				if _, state := things.take(handle); state == handleLive {
					winners.Store(closer, true)
				}
				things.get(handle)
			})
		}
		closers.Wait()
		count := 0
		winners.Range(func(any, any) bool { count++; return true })
		require.Equal(t, 1, count)
	}
}
