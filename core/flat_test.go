package core

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

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

func sameValue(t rapid.TB, expected, given routing.Value) {
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
		"an array":                     {fakenode.Array(bulksOf(texts)...), array(valuesOf(texts)...)},
		"a few more than a few":        {fakenode.Array(bulksOf(texts[:64])...), array(valuesOf(texts[:64])...)},
		"a few":                        {fakenode.Array(bulksOf(texts[:63])...), array(valuesOf(texts[:63])...)},
		"empty strings":                {fakenode.Array(bulksOf(make([]string, 100))...), array(valuesOf(make([]string, 100))...)},
		"a set":                        {rawReply("~1000", lines...), routing.Value{Kind: routing.KindSet, Items: valuesOf(texts)}},
		"a map":                        {rawReply("%500", lines...), routing.Value{Kind: routing.KindMap, Items: valuesOf(texts)}},
		"nulls of RESP2":               {rawReply("*1001", append(lines, "$-1\r\n")...), array(append(valuesOf(texts), routing.Value{})...)},
		"nulls of RESP3":               {rawReply("*1002", append(lines, "_\r\n", "_\r\n")...), array(append(valuesOf(texts), routing.Value{}, routing.Value{})...)},
		"a number at last":             {rawReply("*1001", append(lines, ":7\r\n")...), array(append(valuesOf(texts), routing.Integer(7))...)},
		"an array at last":             {rawReply("*1001", append(lines, "*0\r\n")...), array(append(valuesOf(texts), routing.ArrayOf())...)},
		"a string":                     {fakenode.Bulk(strings.Repeat("x", 100<<10)), routing.Bulk(strings.Repeat("x", 100<<10))},
		"a string that fills the room": {fakenode.Bulk(strings.Repeat("x", connBuffer-9)), routing.Bulk(strings.Repeat("x", connBuffer-9))},
		"a line":                       {fakenode.Simple("PONG"), routing.Simple("PONG")},
		"a long line":                  {fakenode.Simple(strings.Repeat("x", 9000)), routing.Simple(strings.Repeat("x", 9000))},
		"a number":                     {rawReply(":-7"), routing.Integer(-7)},
		"lines and numbers":            {rawReply("*3", "+a\r\n", ":1\r\n", "_\r\n"), array(routing.Simple("a"), routing.Integer(1), routing.Value{})},
		"an empty array":               {rawReply("*0"), array()},
		"an array of arrays":           {rawReply("*2", "*1\r\n:1\r\n", "*1\r\n:2\r\n"), array(array(routing.Integer(1)), array(routing.Integer(2)))},
		"a boolean":                    {rawReply("#t"), routing.Value{Kind: routing.KindBoolean, Integer: 1}},
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
		"cut off":              fakenode.Half(whole),
		"no end of a string":   rawReply("*64", strings.Repeat("$1\r\nab\r", 64)),
		"no end of a long one": rawReply("$70000", strings.Repeat("a", 70002)),
		"a long one cut off":   fakenode.Half(fakenode.Bulk(strings.Repeat("a", 70000))),
		"no length":            rawReply("*64", strings.Repeat("$1\r\na\r\n", 63)+"$x\r\na\r\n"),
		"no type":              rawReply("*64", strings.Repeat("$1\r\na\r\n", 63)+"?\r\n"),
		"too long a string":    rawReply("*64", strings.Repeat("$1\r\na\r\n", 63)+"$536870913\r\n"),
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

func TestTheBeginningOfAReplyIsNotTakenForAMalformedOne(t *testing.T) {
	for _, text := range []string{"$12\r\nhello, world\r\n", "$0\r\n\r\n", nullString, stub, "+OK\r\n", "-ERR no\r\n",
		":-12\r\n", "*3\r\n", "~1024\r\n", "%2\r\n"} {
		for cut := range len(text) {
			_, found := flatAt([]byte(text[:cut]), 0, new(routing.Value))
			require.Equal(t, cutOff, found, text[:cut])
		}
		next, found := flatAt([]byte(text), 0, new(routing.Value))
		require.Equal(t, whole, found, text)
		require.Equal(t, len(text), next)
	}
}

func TestWhatIsNoFlatReplyIsLeftToTheLibrary(t *testing.T) {
	for _, text := range []string{"$x", "$1\rx", "$12345678901", "$1\r\nab\r\n", "$1\r\na\r\r", "$536870913\r\n", "$-2\r\n", "_x", "__\r\n",
		":\r\n", ":1x\r\n", ":99999999999999999999\r\n", "+OK\n", "*-1\r\n", "*x", "*16777217\r\n", "%8388609\r\n", "#t\r\n", ",1\r\n",
		"(1\r\n", "=7\r\ntxt:abc\r\n", "!3\r\nERR\r\n", ">1\r\n+a\r\n", "|1\r\n", "?", "+" + strings.Repeat("a", mostLine)} {
		_, found := flatAt([]byte(text), 0, new(routing.Value))
		require.Equal(t, odd, found, text)
	}
}

// trickle is a connection from which bytes come in parts.
type trickle struct {
	net.Conn
	text  []byte
	parts []int // sizes, in turns
}

func (c *trickle) Read(p []byte) (int, error) {
	if len(c.text) == 0 {
		return 0, io.EOF
	}
	size := min(c.parts[0], len(p), len(c.text))
	c.parts = append(c.parts[1:], c.parts[0])
	copy(p, c.text[:size])
	c.text = c.text[size:]
	return size, nil
}

// drawReply draws a reply, with the text that stands for it; flat or not.
func drawReply(t *rapid.T, flat bool) (text string, value routing.Value) {
	scalar := func() (string, routing.Value) {
		switch rapid.IntRange(0, 5).Draw(t, "scalar") {
		case 0:
			return nullString, routing.Value{}
		case 1:
			return stub, routing.Value{}
		case 2:
			number := rapid.Int64().Draw(t, "number")
			return fmt.Sprintf(":%d\r\n", number), routing.Integer(number)
		case 3:
			line := rapid.StringMatching("[ -~]{0,20}").Draw(t, "line")
			return "+" + line + "\r\n", routing.Simple(line)
		case 4:
			line := rapid.StringMatching("[ -~]{0,20}").Draw(t, "error")
			return "-" + line + "\r\n", routing.ErrorReply(line)
		}
		bytes := string(rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "bytes"))
		if rapid.IntRange(0, 4).Draw(t, "long") == 0 {
			length := longString + rapid.SampledFrom([]int{0, 1, 1000}).Draw(t, "beyond")
			bytes += strings.Repeat("x", length-len(bytes))
		}
		return fmt.Sprintf("$%d\r\n%s\r\n", len(bytes), bytes), routing.Bulk(bytes)
	}
	if !flat {
		return "*1\r\n*1\r\n:1\r\n", routing.ArrayOf(routing.ArrayOf(routing.Integer(1)))
	}
	kinds := []routing.Kind{routing.KindArray, routing.KindSet, routing.KindMap}
	which := rapid.IntRange(0, 6).Draw(t, "kind")
	if which >= len(kinds) {
		return scalar()
	}
	value.Kind = kinds[which]
	count, each := rapid.IntRange(0, 20).Draw(t, "count"), 1
	if value.Kind == routing.KindMap {
		each = 2
	}
	text = fmt.Sprintf("%c%d\r\n", "*~%"[which], count)
	for range count * each {
		element, item := scalar()
		text += element
		value.Items = append(value.Items, item)
	}
	return text, value
}

func TestFlatRepliesAreWhatTheServerSaidHoweverTheyCome(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var text string
		var expected []routing.Value
		for range rapid.IntRange(1, 12).Draw(t, "replies") {
			more, value := drawReply(t, true)
			text += more
			expected = append(expected, value)
		}
		from := &trickle{text: []byte(text), parts: rapid.SliceOfN(rapid.IntRange(1, 5000), 1, 8).Draw(t, "parts")}
		c := &conn{Conn: from, wire: &wire{link: &link{peer: new(peer)}}}
		in, err := c.readFlat(len(expected))
		require.NoError(t, err)
		require.NotNil(t, in)
		for _, away := range []bool{false, true} {
			in.next = 0
			var given []routing.Value
			if away {
				given = in.takeAway(nil, len(expected))
				in.giveBack() // those that were taken away stay as they are
				if in.users.Load() == 0 {
					clear(in.text[:cap(in.text)])
				}
			} else {
				given = in.take(nil, len(expected))
			}
			for i := range expected {
				sameValue(t, expected[i], given[i])
			}
		}
		require.Empty(t, c.pending, "nothing came behind them")
	})
}

func TestRepliesOfWhichOneIsNotFlatAreLeftToTheLibraryAsTheyCame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var text string
		replies := rapid.IntRange(1, 6).Draw(t, "replies")
		odd := rapid.IntRange(0, replies-1).Draw(t, "odd")
		for i := range replies {
			more, _ := drawReply(t, i != odd)
			text += more
		}
		from := &trickle{text: []byte(text), parts: rapid.SliceOfN(rapid.IntRange(1, 5000), 1, 8).Draw(t, "parts")}
		c := &conn{Conn: from, wire: &wire{link: &link{peer: new(peer)}}, expected: replies}
		given, err := io.ReadAll(iotest.OneByteReader(readerOf(c.receive)))
		require.NoError(t, err)
		require.Equal(t, text, string(given))
		require.Nil(t, c.wire.flat)
		require.Nil(t, c.lent)
	})
}

type readerOf func([]byte) (int, error)

func (r readerOf) Read(p []byte) (int, error) { return r(p) }

func TestLongStringsAmongOtherRepliesAreReadAsShortOnesAre(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	run(t, client, command("SET", "foo", "1"))
	text := strings.Repeat("x", 2*longString)
	f.three.On("GET", fakenode.Bulk(text))
	for _, replies := range []int{3, mostSlabs/len(text) + 10} { // the second are too much, in the end
		batch := &BatchRequest{}
		for range replies {
			batch.Commands = append(batch.Commands, command("GET", "foo").Words)
		}
		batch.Timeout = 20 * time.Second
		response, err := client.ExecuteBatch(batch)
		require.NoError(t, err)
		require.Len(t, response.Value.Items, replies)
		for _, item := range response.Value.Items {
			require.True(t, text == string(item.Text))
		}
	}
}

func TestASlabHoldsWhatItIsTakenForAndIsFoundAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(longString+1, mostSlab+2).Draw(t, "size")
		class, largest := classOf(size)
		again, same := classOf(largest)
		require.Equal(t, [2]int{class, largest}, [2]int{again, same})
		require.GreaterOrEqual(t, largest, size)
		require.Less(t, largest-size, size/4, "a fifth of it, or less, is not used")
		require.Less(t, class, len(slabs))
		memory := takeSlab(size)
		require.Len(t, *memory, size)
		giveSlab(memory)
	})
}

func TestTheRepliesOfAnExchangeStayUntilTheLastCallHasReleasedThem(t *testing.T) {
	for name, times := range map[string]int{"short": 500, "long": longString} {
		t.Run(name, func(t *testing.T) { testShared(t, times) })
	}
}

func testShared(t *testing.T, times int) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	run(t, client, command("SET", "foo", "1"))
	open := hold(f.three, "GET {foo}first")
	text := func(key string) string { return strings.Repeat(key, times) }
	f.three.On("GET", fakenode.Func(func(words []string) fakenode.Reply { return fakenode.Bulk(text(words[1])) }))
	start := func(key string) *promise {
		p := newPromise("GET", key)
		p.Released = true
		client.Start(&p.Call)
		return p
	}
	first := start("{foo}first")
	eventually(t, func() bool { return len(f.three.Got("GET {foo}first")) == 1 })
	keys := []string{"{foo}a", "{foo}b", "{foo}c", "{foo}d"}
	var together []*promise
	for _, key := range keys {
		together = append(together, start(key))
	}
	open()
	first.value(t)
	for i, p := range together {
		require.True(t, text(keys[i]) == string(p.value(t).Text))
	}
	for i, p := range together {
		for range 3 { // others, which would take the room
			other := start("{foo}other")
			require.True(t, text("{foo}other") == string(other.value(t).Text))
			other.Release()
		}
		require.True(t, text(keys[i]) == string(p.Response.Value.Text))
		require.True(t, together[0].errand.room == p.errand.room)
		if i+1 < len(together) {
			require.True(t, text(keys[i+1]) == string(together[i+1].Response.Value.Text))
		}
	}
	for _, p := range together {
		p.Release()
		require.Nil(t, p.errand.room)
	}
}

func TestTheRepliesToTheHandshakeAreNotTakenForThoseToTheFirstCommands(t *testing.T) {
	for _, resp2 := range []bool{true, false} {
		f := fakeCluster(t)
		f.three.On("GET", fakenode.Bulk("bar"))
		f.three.On("HELLO", rawReply("%1", "$7\r\nversion\r\n$5\r\n9.1.0\r\n")) // without its list of modules
		client := open(t, Config{RefreshEvery: -1, RequestTimeout: time.Second, RESP2: resp2, ClientName: "me"}, f.one.Address())
		for range 2 { // the connection is made ahead of the first
			p := newPromise("GET", "foo")
			client.Start(&p.Call)
			require.Equal(t, "bar", string(p.value(t).Text))
		}
	}
}

func TestRepliesOfAnySortComeInTheOrderOfTheirCommands(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	rapid.Check(t, func(t *rapid.T) {
		for range rapid.IntRange(1, 4).Draw(t, "exchanges") {
			batch := new(BatchRequest)
			var expected []routing.Value
			for i := range rapid.IntRange(1, 6).Draw(t, "commands") {
				text, value := drawReply(t, rapid.IntRange(0, 3).Draw(t, "sort") > 0)
				key := fmt.Sprintf("{foo}%d", i)
				f.three.On("GET "+key, fakenode.Raw(text))
				batch.Commands = append(batch.Commands, command("GET", key).Words)
				expected = append(expected, value)
			}
			response, err := client.ExecuteBatch(batch)
			require.NoError(t, err)
			for i := range expected {
				sameValue(t, expected[i], response.Value.Items[i])
			}
		}
	})
}

func TestAMessageThatNobodyAskedForIsPassedOver(t *testing.T) {
	short, long := ">2\r\n+invalidate\r\n*1\r\n+foo\r\n", fmt.Sprintf(">1\r\n$100000\r\n%s\r\n", strings.Repeat("+a\r\n", 25000))
	flat, nested := "$1\r\na\r\n", "*1\r\n*1\r\n$1\r\na\r\n"
	for name, message := range map[string]string{"short": short, "long": long} {
		for _, cut := range []int{0, 5, 21, len(message) - 4, len(message)} { // between two replies
			for i, replies := range [][2]string{{flat, flat}, {flat, nested}, {nested, flat}, {nested, nested}} {
				t.Run(fmt.Sprintf("%s, cut at %d, %d", name, cut, i), func(t *testing.T) {
					passOver(t, replies[0]+message[:cut], message[cut:]+replies[1])
				})
			}
		}
	}
}

// passOver asks twice for two replies in turns, in both of which the one string is "a".
func passOver(t *testing.T, first, second string) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	f.three.On("GET one", fakenode.Raw(first))
	f.three.On("GET two", fakenode.Raw(second))
	for _, key := range []string{"one", "two", "one", "two"} {
		request := command("GET", key).to(routing.Route{Kind: routing.RouteSlotKey, Key: []byte("foo")})
		value := run(t, client, request).Value
		for len(value.Items) > 0 {
			value = value.Items[0]
		}
		require.Equal(t, "a", string(value.Text))
	}
}

func TestTheConnectionOfALaneStaysHoweverLongTheLibraryHearsNothingOfIt(t *testing.T) {
	usual := idleTime
	idleTime = 20 * time.Millisecond
	t.Cleanup(func() { idleTime = usual })
	f := fakeCluster(t)
	client := openFakes(t, f)
	large := strings.Repeat("x", largeBytes)
	run(t, client, command("SET", "foo", "1"))
	run(t, client, command("SET", "foo", large)) // over a wire of its own
	standing, made := f.three.OpenConnections(), f.three.Connections()
	for range 10 {
		run(t, client, command("GET", "foo"))
		time.Sleep(idleTime / 2)
	}
	eventually(t, func() bool { return f.three.OpenConnections() == standing-1 }) // the other one is closed
	run(t, client, command("GET", "foo"))
	require.Equal(t, made, f.three.Connections())
}
