package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"libglide/routing"
)

func TestAResponseLongerThanAMessageCanBeIsRefused(t *testing.T) {
	large := routing.Value{Kind: routing.KindBulk, Text: make([]byte, 600<<20)} // untouched, so no memory
	value := routing.ArrayOf(large, large, large)
	fitting := reply{value: &value}
	require.NoError(t, checkSize(fitting.measure()))
	value = routing.ArrayOf(large, large, large, large)
	tooLong := reply{value: &value}
	size := tooLong.measure()
	require.Greater(t, size, 4*600<<20)
	require.ErrorContains(t, checkSize(size), "a message holds 2147483647")
}
