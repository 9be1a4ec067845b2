package core

import (
	"math/rand/v2"
	"time"
)

type channelKey struct {
	kind ChannelKind
	name string
}

// channel is one that is wanted, or not gone yet.
type channel struct {
	channelKey
	bytes  []byte // the name, for events
	wanted bool
	phase  phase
	feed   *feed     // unless it is nowhere
	begun  time.Time // when messages began to come over the feed
	since  time.Time // from when on messages may be missing; zero: none ever came, or all do
	lost   bool      // that none come has been told
	tries  int       // to subscribe that failed
	after  time.Time // when to try again
}

// A channel that was subscribed for so long has not failed to be.
const steady = time.Second

// phase is where a channel stands.
type phase uint8

const (
	nowhere phase = iota
	joining       // asked for, not confirmed
	held
	leaving
)

// gone ends the life of a channel that was given up, or begins another where it is wanted again.
func (s *Subscriber) gone(ch *channel) {
	s.remove(ch, Event{Kind: EventUnsubscribed})
	if ch.wanted {
		s.channels[ch.channelKey] = &channel{channelKey: ch.channelKey, bytes: ch.bytes, wanted: true}
	}
}

// lose notes that messages of a channel come no more.
func (s *Subscriber) lose(ch *channel) {
	ch.since = ch.feed.surely(ch.begun)
	if time.Since(ch.begun) > steady {
		ch.tries = 0
	}
	ch.postpone()
	ch.phase, ch.feed = nowhere, nil
}

// fail notes that a step with a channel failed, to be tried again in a while.
func (s *Subscriber) fail(ch *channel, failure *Error) {
	ch.postpone()
	if ch.phase == leaving {
		ch.phase = held
		return
	}
	ch.phase, ch.feed = nowhere, nil
	// The first redirect says nothing but where to go.
	if ch.tries > 1 || failure.Code != "MOVED" {
		s.report(failure, ch)
	}
}

// postpone sets when to try again: at once after a loss and after the redirect that may come then,
// else later and later.
func (ch *channel) postpone() {
	ch.after = time.Now()
	if ch.tries > 1 {
		longest := min(5*time.Millisecond<<min(ch.tries, 10), 500*time.Millisecond)
		ch.after = ch.after.Add(longest/2 + rand.N(longest/2))
	}
	ch.tries++
}

// report tells that no messages of a channel come for now, once.
func (s *Subscriber) report(failure *Error, ch *channel) {
	if !ch.lost {
		ch.lost = true
		s.tell(Event{Kind: EventLost, Err: failure, Since: ch.since}, ch)
	}
}

// remove forgets a channel.
func (s *Subscriber) remove(ch *channel, e Event) {
	delete(s.channels, ch.channelKey)
	ch.phase, ch.feed = nowhere, nil
	s.tell(e, ch)
	s.admit()
}

// tell puts an event about a channel.
func (s *Subscriber) tell(e Event, ch *channel) {
	e.Channels, e.Names = ch.kind, [][]byte{ch.bytes}
	s.inbox.put(e)
}

// admit lets the news of all channels wait a few times over.
func (s *Subscriber) admit() { s.inbox.admit(s.config.MaxMessages + 4*len(s.channels)) }
