package core

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Replies of every type, one after another.
var wellFormed = strings.Join([]string{
	"+OK\r\n", "-ERR x\r\n", ":-7\r\n", "$3\r\nabc\r\n", "$0\r\n\r\n", "$-1\r\n", "*-1\r\n", "*0\r\n", "*2\r\n:1\r\n*1\r\n+a\r\n",
	"%1\r\n+k\r\n~2\r\n#t\r\n_\r\n", ",1.5\r\n", "(123\r\n", "=7\r\ntxt:abc\r\n", "!5\r\nERR x\r\n", ">1\r\n+push\r\n",
	"|1\r\n+a\r\n+b\r\n*1\r\n:1\r\n", "%0\r\n", "$2\r\n\r\n\r\n",
}, "")

func TestTheGuardPassesEveryTypeHoweverItIsCut(t *testing.T) {
	for size := 1; size < 20; size++ {
		var g guard
		for chunk := []byte(wellFormed); len(chunk) > 0; {
			n := min(size, len(chunk))
			require.NoError(t, g.check(chunk[:n]))
			chunk = chunk[n:]
		}
		require.Equal(t, atType, g.state)
		require.Empty(t, g.open)
		require.Zero(t, g.elements)
		require.Zero(t, g.bytes)
	}
}

func TestTheGuardStopsWhatWouldHarmTheProcess(t *testing.T) {
	for reply, want := range map[string]error{
		"*-5\r\n":                              errReplyLength,
		"$-7\r\n":                              errReplyLength,
		"%-1\r\n":                              errReplyLength,
		"*\r\n":                                errReplyLength,
		"*1x\r\n":                              errReplyLength,
		"*--1\r\n":                             errReplyLength,
		"*1\rx":                                errReplyLength,
		"*999999999999\r\n":                    errReplyLength,
		"*?\r\n":                               errReplyLength,
		"$?\r\n":                               errReplyLength,
		".\r\n":                                errReplyType,
		";4\r\n":                               errReplyType,
		"garbage":                              errReplyType,
		"$3\r\nabcdef\r\n":                     errReplyString,
		"$3\r\nabc\rx":                         errReplyString,
		"$1073741824\r\n":                      errReplySize,
		"*4294967296\r\n":                      errReplySize,
		"%9999999\r\n":                         errReplySize,
		strings.Repeat("*10000000\r\n", 2):     errReplySize,
		strings.Repeat("*1\r\n", maxNesting+1): errReplyNested,
		strings.Repeat("|0\r\n", maxNesting+1): errReplyNested,
		"+" + strings.Repeat("x", 2*maxLineBytes): errReplyLine,
	} {
		require.ErrorIs(t, new(guard).check([]byte(reply)), want, "%.20q", reply)
	}
}

func TestTheGuardStopsAReplyThatDoesNotEnd(t *testing.T) {
	var g guard
	require.NoError(t, g.check([]byte("*16000000\r\n")))
	element := []byte(fmt.Sprintf("$%d\r\n%s\r\n", 1<<20, strings.Repeat("x", 1<<20)))
	for range 2 * maxReplyBytes / len(element) {
		if err := g.check(element); err != nil {
			require.ErrorIs(t, err, errReplySize)
			return
		}
	}
	t.Fatal("nobody stopped it")
}

func TestTheGuardCountsTheElementsThatHaveComeToo(t *testing.T) {
	var g guard
	const inner = 1_000_000
	list := []byte(fmt.Sprintf("*2\r\n*%d\r\n%s", inner, strings.Repeat("_\r\n", inner)))
	for range maxReplyElements / inner {
		require.NoError(t, g.check(list))
	}
	require.ErrorIs(t, g.check(list), errReplySize)
}

// FuzzGuard: however the bytes are cut the guard says the same, and keeps its limits.
func FuzzGuard(f *testing.F) {
	f.Add([]byte(wellFormed))
	for _, odd := range []string{"*-5\r\n", "$3\r\nabcdef\r\n", "*1\r\n*1\r\n", "|1\r\n+a\r\n", ":\r\n"} {
		f.Add([]byte(odd))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var whole, pieces guard
		err := whole.check(data)
		for _, b := range data {
			if failed := pieces.check([]byte{b}); failed != nil {
				require.Equal(t, err, failed)
				return
			}
		}
		require.NoError(t, err)
		for _, g := range []*guard{&whole, &pieces} {
			if g.state == atType { // what else there is was of the element before
				*g = guard{open: g.open, elements: g.elements, bytes: g.bytes}
			}
			if len(g.open) == 0 {
				g.open = nil
			}
		}
		require.Equal(t, whole, pieces)
		require.LessOrEqual(t, whole.elements, int64(maxReplyElements))
		require.LessOrEqual(t, len(whole.open), maxNesting)
	})
}

func BenchmarkGuard(b *testing.B) {
	var many bytes.Buffer
	w := bufio.NewWriter(&many)
	fmt.Fprintf(w, "*10000\r\n")
	for i := range 10000 {
		fmt.Fprintf(w, "$10\r\nelem%06d\r\n", i)
	}
	w.Flush()
	for name, reply := range map[string][]byte{
		"get100":      []byte("$100\r\n" + strings.Repeat("x", 100) + "\r\n"),
		"ok":          []byte("+OK\r\n"),
		"lrange10000": many.Bytes(),
		"value1MiB":   []byte(fmt.Sprintf("$%d\r\n%s\r\n", 1<<20, strings.Repeat("x", 1<<20))),
	} {
		b.Run(name, func(b *testing.B) {
			var g guard
			b.SetBytes(int64(len(reply)))
			for b.Loop() {
				if err := g.check(reply); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
