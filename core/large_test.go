package core

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

// strings of any sort of size, of which the reply is more than comes at once.
func manyTexts(count int) []string {
	texts := make([]string, count)
	for i := range texts {
		texts[i] = strings.Repeat(string(rune('a'+i%26)), i*i%97)
	}
	return texts
}

func bulksOf(texts []string) []fakenode.Value {
	items := make([]fakenode.Value, len(texts))
	for i, text := range texts {
		items[i] = fakenode.Bulk(text)
	}
	return items
}

func valuesOf(texts []string) []routing.Value {
	items := make([]routing.Value, len(texts))
	for i, text := range texts {
		items[i] = routing.Bulk(text)
	}
	return items
}

func sameValue(t *testing.T, expected, given routing.Value) {
	t.Helper()
	require.Equal(t, expected.Kind, given.Kind)
	require.Len(t, given.Items, len(expected.Items))
	for i, item := range expected.Items {
		require.Equal(t, item.Kind, given.Items[i].Kind, i)
		require.Equal(t, string(item.Text), string(given.Items[i].Text), i)
		require.Equal(t, item.Integer, given.Items[i].Integer, i)
	}
	require.Equal(t, string(expected.Text), string(given.Text))
}

// rawReply is an aggregate of any kind.
func rawReply(head string, items ...string) fakenode.Value {
	return fakenode.Raw(head + "\r\n" + strings.Join(items, ""))
}

func TestLargeRepliesAreReadAsSmallOnesAre(t *testing.T) {
	texts := manyTexts(1000)
	var lines []string
	for _, text := range texts {
		lines = append(lines, fmt.Sprintf("$%d\r\n%s\r\n", len(text), text))
	}
	array := func(items ...routing.Value) routing.Value { return routing.ArrayOf(items...) }
	for name, c := range map[string]struct {
		reply    fakenode.Value
		expected routing.Value
	}{
		"an array":                {fakenode.Array(bulksOf(texts)...), array(valuesOf(texts)...)},
		"a few more than a few":   {fakenode.Array(bulksOf(texts[:64])...), array(valuesOf(texts[:64])...)},
		"a few":                   {fakenode.Array(bulksOf(texts[:63])...), array(valuesOf(texts[:63])...)},
		"empty strings":           {fakenode.Array(bulksOf(make([]string, 100))...), array(valuesOf(make([]string, 100))...)},
		"a set":                   {rawReply("~1000", lines...), routing.Value{Kind: routing.KindSet, Items: valuesOf(texts)}},
		"a map":                   {rawReply("%500", lines...), routing.Value{Kind: routing.KindMap, Items: valuesOf(texts)}},
		"nulls of RESP2":          {rawReply("*1001", append(lines, "$-1\r\n")...), array(append(valuesOf(texts), routing.Value{})...)},
		"nulls of RESP3":          {rawReply("*1002", append(lines, "_\r\n", "_\r\n")...), array(append(valuesOf(texts), routing.Value{}, routing.Value{})...)},
		"a number at last":        {rawReply("*1001", append(lines, ":7\r\n")...), array(append(valuesOf(texts), routing.Integer(7))...)},
		"an array at last":        {rawReply("*1001", append(lines, "*0\r\n")...), array(append(valuesOf(texts), routing.ArrayOf())...)},
		"a string":                {fakenode.Bulk(strings.Repeat("x", 100<<10)), routing.Bulk(strings.Repeat("x", 100<<10))},
		"a string of some length": {fakenode.Bulk(strings.Repeat("x", leastLarge)), routing.Bulk(strings.Repeat("x", leastLarge))},
	} {
		t.Run(name, func(t *testing.T) {
			f := fakeCluster(t)
			client := open(t, Config{RefreshEvery: -1, RequestTimeout: 20 * time.Second}, f.one.Address())
			f.three.On("GET", c.reply)
			f.three.On("GET {foo}slow", fakenode.Slowly(c.reply, 0))
			f.three.On("GET {foo}small", fakenode.Bulk("small"))
			sameValue(t, c.expected, run(t, client, command("GET", "{foo}slow")).Value)
			for range 3 { // rooms are used again
				sameValue(t, c.expected, run(t, client, command("GET", "foo")).Value)
				require.Equal(t, "small", string(run(t, client, command("GET", "{foo}small")).Value.Text))
				batch := &BatchRequest{Batch: routing.Batch{Commands: [][][]byte{command("GET", "foo").Words, command("GET", "foo").Words}}}
				response, err := client.ExecuteBatch(batch)
				require.NoError(t, err)
				sameValue(t, c.expected, response.Value.Items[0])
				sameValue(t, c.expected, response.Value.Items[1])
			}
		})
	}
}

func TestALargeReplyThatIsCutOffOrMalformedFailsAndTheNextIsSound(t *testing.T) {
	texts := manyTexts(500)
	whole := fakenode.Array(bulksOf(texts)...)
	for name, reply := range map[string]fakenode.Reply{
		"cut off":            fakenode.Half(whole),
		"no end of a string": rawReply("*64", strings.Repeat("$1\r\nab\r", 64)),
		"no length":          rawReply("*64", strings.Repeat("$1\r\na\r\n", 63)+"$x\r\na\r\n"),
		"no type":            rawReply("*64", strings.Repeat("$1\r\na\r\n", 63)+"?\r\n"),
		"too long a string":  rawReply("*64", strings.Repeat("$1\r\na\r\n", 63)+"$536870913\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			f := fakeCluster(t)
			client := openFakes(t, f)
			run(t, client, command("SET", "foo", "1"))
			f.three.On("INCR", reply)
			failed := failure(t, client, command("INCR", "foo"))
			require.Contains(t, []Status{StatusConnection, StatusTimeout}, failed.Status)
			require.True(t, failed.Sent)
			require.Equal(t, "OK", string(run(t, client, command("SET", "foo", "1")).Value.Text))
		})
	}
}

func TestTheBeginningOfAStringIsNotTakenForAMalformedOne(t *testing.T) {
	for _, text := range []string{"$12\r\nhello, world\r\n", "$0\r\n\r\n", "$-1\r\n", "_\r\n"} {
		for cut := 1; cut < len(text); cut++ {
			_, _, whole, sound := spanAt([]byte(text[:cut]), 0)
			require.False(t, whole, text[:cut])
			require.True(t, sound, text[:cut])
		}
		_, next, whole, sound := spanAt([]byte(text), 0)
		require.True(t, whole && sound, text)
		require.Equal(t, len(text), next)
	}
	for _, text := range []string{":1\r\n", "$x", "$1\rx", "$12345678901", "$1\r\nab\r\n", "$1\r\na\r\r", "*0\r\n"} {
		_, _, whole, sound := spanAt([]byte(text), 0)
		require.False(t, whole && sound, text)
		require.False(t, sound, text)
	}
}
