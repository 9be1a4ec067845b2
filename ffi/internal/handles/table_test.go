package handles

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAHandleIsLiveUntilItIsTakenOnce(t *testing.T) {
	var things Table[int]
	one := 1
	handle := things.Add(&one)
	got, state := things.Get(handle)
	require.Equal(t, Live, state)
	require.Same(t, &one, got)
	_, state = things.Take(handle)
	require.Equal(t, Live, state)
	_, state = things.Take(handle)
	require.Equal(t, Closed, state)
	_, state = things.Get(handle)
	require.Equal(t, Closed, state)
}

func TestAHandleIsNeverGivenOutTwice(t *testing.T) {
	var things Table[int]
	seen := make(map[uint64]bool)
	for i := range 1000 {
		handle := things.Add(&i)
		require.NotZero(t, handle)
		require.False(t, seen[handle])
		seen[handle] = true
		things.Take(handle)
	}
	require.Len(t, *things.places.Load(), 1, "the place is used again")
	for handle := range seen {
		_, state := things.Get(handle)
		require.Equal(t, Closed, state)
	}
}

func TestAPlaceWhoseGenerationsAreUsedUpIsNotUsedAgain(t *testing.T) {
	var things Table[int]
	one := 1
	things.Take(things.Add(&one))
	(*things.places.Load())[0].generation.Store(1<<generationBits - 2)
	last := things.Add(&one)
	require.Equal(t, uint64(1<<generationBits-1)<<placeBits|1, last)
	things.Take(last)
	require.Equal(t, uint64(1<<placeBits|2), things.Add(&one), "the first generation of another place")
	_, state := things.Get(last)
	require.Equal(t, Closed, state)
}

func TestAHandleThatCountsForksIsUnknown(t *testing.T) {
	var things Table[int]
	one := 1
	handle := things.Add(&one)
	for forks := uint64(1); forks < 256; forks++ {
		_, state := things.Get(handle | forks<<(placeBits+generationBits))
		require.Equal(t, Unknown, state)
	}
}

func TestAMadeUpHandleIsUnknown(t *testing.T) {
	var things Table[int]
	for _, handle := range []uint64{0, 1, 1 << 24, 1<<24 | 1, 1 << 63, ^uint64(0)} {
		_, state := things.Get(handle)
		require.Equal(t, Unknown, state, "%#x of an empty table", handle)
	}
	one := 1
	real := things.Add(&one)
	for _, handle := range []uint64{0, 1, real + 1, real + 1<<24, real | 1<<63, ^uint64(0)} {
		_, state := things.Get(handle)
		require.Equal(t, Unknown, state, "%#x beside %#x", handle, real)
	}
}

func TestAHandleOfAnotherKindIsUnknown(t *testing.T) {
	clients, routers := Table[int]{Kind: 1}, Table[int]{Kind: 2}
	one := 1
	for _, handle := range []uint64{clients.Add(&one), clients.Add(&one)} {
		routers.Add(&one)
		_, state := routers.Get(handle)
		require.Equal(t, Unknown, state)
		_, state = routers.Take(handle)
		require.Equal(t, Unknown, state)
		_, state = clients.Get(handle)
		require.Equal(t, Live, state)
	}
}

func TestOneOfManyClosersGetsTheThing(t *testing.T) {
	var things Table[int]
	for i := range 200 {
		handle := things.Add(&i)
		var winners sync.Map
		var closers sync.WaitGroup
		for closer := range 8 {
			closers.Go(func() {
				if _, state := things.Take(handle); state == Live {
					winners.Store(closer, true)
				}
				things.Get(handle)
			})
		}
		closers.Wait()
		count := 0
		winners.Range(func(any, any) bool { count++; return true })
		require.Equal(t, 1, count)
	}
}

func TestEachSeesWhatIsInTheTable(t *testing.T) {
	var things Table[int]
	seen := func() (all []int) {
		things.Each(func(thing *int) { all = append(all, *thing) })
		return all
	}
	require.Empty(t, seen())
	numbers := []int{1, 2, 3}
	var given []uint64
	for i := range numbers {
		given = append(given, things.Add(&numbers[i]))
	}
	things.Take(given[1])
	require.Equal(t, []int{1, 3}, seen())
}

func TestThingsAreCountedUntilTheyAreTaken(t *testing.T) {
	var things Table[int]
	one := 1
	first, second := things.Add(&one), things.Add(&one)
	require.Equal(t, 2, things.Count())
	things.Take(first)
	things.Take(first)
	require.Equal(t, 1, things.Count())
	things.Take(second)
	require.Zero(t, things.Count())
}
