package core

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func come(p place) bool {
	select {
	case <-p:
		return true
	default:
		return false
	}
}

// busy says whether a call has its turn.
func (t *turns) busy() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.taken
}

func TestTurnsComeInTheOrderOfTheLine(t *testing.T) {
	var all turns
	first, second, third := all.line(), all.line(), all.line()
	require.True(t, come(first))
	require.False(t, come(second))
	all.end()
	require.True(t, come(second))
	require.False(t, come(third))
	all.end()
	require.True(t, come(third))
	all.end()
	require.True(t, come(all.line()))
}

func TestWhoLeavesTheLineIsPassedOver(t *testing.T) {
	var all turns
	all.line()
	second, third := all.line(), all.line()
	all.leave(second)
	all.end()
	require.False(t, come(second))
	require.True(t, come(third))
}

func TestWhoLeavesWhenItsTurnHasComeGivesItToTheNext(t *testing.T) {
	var all turns
	first, second := all.line(), all.line()
	require.True(t, come(first))
	all.leave(first)
	require.True(t, come(second))
}
