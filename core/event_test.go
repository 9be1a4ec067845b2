package core

import (
	"bufio"
	"bytes"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
)

func payload(text string) Event { return Event{Kind: EventMessage, Payload: []byte(text)} }

func news(kind EventKind, names ...string) Event { return Event{Kind: kind, Names: words(names)} }

func testInbox(messages, bytes, names int) *inbox {
	return &inbox{maxMessages: messages, maxBytes: bytes, maxNames: names}
}

func takeAll(b *inbox) []Event {
	room := make([]Event, 100)
	return room[:b.take(room)]
}

func TestNewsOfManyChannelsAreOneEventUnlessAMessageStandsBetween(t *testing.T) {
	b := testInbox(10, 100, 10)
	b.put(news(EventSubscribed, "a"))
	b.put(news(EventSubscribed, "b"))
	b.put(payload("m"))
	b.put(news(EventSubscribed, "c"))
	b.put(news(EventUnsubscribed, "c"))
	require.Equal(t, []Event{
		news(EventSubscribed, "a", "b"), payload("m"), news(EventSubscribed, "c"), news(EventUnsubscribed, "c"),
	}, takeAll(b))
	require.Zero(t, b.names+b.messages+b.bytes)
}

func TestGapsThatDifferLittleAreOneThatHoldsBoth(t *testing.T) {
	b := testInbox(10, 100, 10)
	at := time.Now()
	gap := func(name string, since, until time.Duration) Event {
		e := news(EventGap, name)
		e.Since, e.Until = at.Add(since), at.Add(until)
		return e
	}
	b.put(gap("a", 10*time.Millisecond, time.Second))
	b.put(gap("b", 0, time.Second+time.Millisecond))
	b.put(gap("c", -time.Second, time.Second))
	events := takeAll(b)
	require.Len(t, events, 2)
	require.Equal(t, words([]string{"a", "b"}), events[0].Names)
	require.Equal(t, at, events[0].Since)
	require.Equal(t, at.Add(time.Second+time.Millisecond), events[0].Until)
	require.Equal(t, gap("c", -time.Second, time.Second), events[1])
}

func TestWhatHasNoRoomIsCountedInItsPlace(t *testing.T) {
	b := testInbox(2, 100, 1)
	for _, text := range []string{"1", "2", "3", "4"} {
		b.put(payload(text))
	}
	b.put(news(EventSubscribed, "a"))
	b.put(news(EventUnsubscribed, "a"))
	b.put(payload("5"))
	events := takeAll(b)
	require.Len(t, events, 5)
	require.Equal(t, []Event{payload("1"), payload("2")}, events[:2])
	require.EqualValues(t, 2, events[2].Dropped)
	require.False(t, events[2].Until.Before(events[2].Since))
	require.Equal(t, news(EventSubscribed, "a"), events[3])
	require.EqualValues(t, 1, events[4].Dropped)
	require.EqualValues(t, 1, events[4].Untold)
	b.put(payload("6"))
	require.Equal(t, []Event{payload("6")}, takeAll(b))
}

func TestTheBytesOfMessagesAreBoundedAndALargeOneComesAlone(t *testing.T) {
	b := testInbox(10, 10, 10)
	b.put(payload("a message of many bytes"))
	b.put(payload("1"))
	events := takeAll(b)
	require.Equal(t, "a message of many bytes", string(events[0].Payload))
	require.EqualValues(t, 1, events[1].Dropped)
	b.put(payload("12345"))
	b.put(payload("123456"))
	b.put(payload("12345"))
	events = takeAll(b)
	require.Len(t, events, 3)
	require.EqualValues(t, 1, events[1].Dropped)
}

func TestEventsAreTakenPieceByPieceAndReadyIsSaidOnceUntilAllAre(t *testing.T) {
	b := testInbox(100, 1000, 10)
	said := 0
	b.ready = func() { said++ }
	for _, text := range []string{"1", "2", "3", "4", "5"} {
		b.put(payload(text))
	}
	room := make([]Event, 2)
	require.Equal(t, 2, b.take(room))
	require.Equal(t, []Event{payload("1"), payload("2")}, room)
	b.put(payload("6"))
	require.Equal(t, 2, b.take(room))
	require.Equal(t, 2, b.take(room))
	require.Equal(t, []Event{payload("5"), payload("6")}, room)
	require.Equal(t, 1, said)
	require.Zero(t, b.take(room))
	b.put(payload("7"))
	require.Equal(t, 2, said)
}

func TestAnInboxThatNobodyReadsDoesNotGrow(t *testing.T) {
	b := testInbox(8, 1000, 8)
	for range 10000 {
		b.put(payload("m"))
		b.put(news(EventLost, "a"))
		b.put(news(EventGap, "a"))
	}
	require.LessOrEqual(t, len(b.events), 8+8+8+1)
	total := uint64(0)
	for _, e := range takeAll(b) {
		total += e.Dropped + e.Untold
		if e.Kind != EventOverflow {
			total++
		}
	}
	require.EqualValues(t, 30000, total)
}

func TestFramesAreReadHoweverTheyArrive(t *testing.T) {
	source := pushed("message", "c", "") + "$2\r\n17\r\n" + "-ERR x\r\n" + "*2\r\n$-1\r\n_\r\n" + ">2\r\n+a\r\n%1\r\n,1.5\r\n=5\r\ntxt:x\r\n" +
		pushed("message", "c", string(make([]byte, 3*keptText)))
	r := &frames{in: bufio.NewReaderSize(iotest.OneByteReader(bytes.NewReader([]byte(source))), connBuffer)}
	for _, expected := range []frame{
		{'>', words([]string{"message", "c", ""})},
		{'$', words([]string{"17"})},
		{'-', words([]string{"ERR x"})},
		{'>', words([]string{"", ""})},
		{'>', words([]string{"a", "1.5", "txt:x"})},
		{'>', words([]string{"message", "c", string(make([]byte, 3*keptText))})},
	} {
		f, err := r.next()
		require.NoError(t, err)
		require.Equal(t, expected.kind, f.kind)
		require.Len(t, f.words, len(expected.words))
		for i, word := range expected.words {
			require.Equal(t, string(word), string(f.words[i]))
		}
	}
	_, err := r.next()
	require.ErrorIs(t, err, errServerClosed)
}

func FuzzFrames(f *testing.F) {
	for _, seed := range []string{pushed("message", "c", "v"), "$-1\r\n", "*-1\r\n", "|1\r\n+a\r\n+b\r\n:1\r\n", "%1\r\n+a\r\n", "-ERR\r\n", "$3\r\nabc\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r := newFrames(bytes.NewReader(text))
		for {
			frame, err := r.next()
			if err != nil {
				return
			}
			size := 0
			for _, word := range frame.words {
				size += len(word)
			}
			require.LessOrEqual(t, size, len(text), "words that nobody sent")
		}
	})
}
