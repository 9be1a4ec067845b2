package core

import (
	"sync"
	"time"
)

// ChannelKind is a way to subscribe. The numbers are those of PubSubSubscriptions.
type ChannelKind uint8

const (
	Exact   ChannelKind = iota // SUBSCRIBE: what any node of the cluster is told
	Pattern                    // PSUBSCRIBE: the same, by a pattern of channels
	Sharded                    // SSUBSCRIBE: what the shard of the channel's slot is told
	channelKinds
)

func (k ChannelKind) String() string {
	return [...]string{"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"}[k]
}

// EventKind is what an event tells.
type EventKind uint8

const (
	// EventMessage is a message: Channel, Payload, and the Pattern that it came by.
	EventMessage EventKind = iota
	// EventSubscribed says that messages of Names come from now on.
	EventSubscribed
	// EventUnsubscribed says that no messages of Names come any more, as was asked for.
	EventUnsubscribed
	// EventRefused says that the server refused Names for good, which Err tells. It did not
	// subscribe to them, and nobody tries again; or it did not unsubscribe from them, and messages
	// go on.
	EventRefused
	// EventLost says that no messages of Names come for now; Err tells why. The subscriber tries
	// until they do: then it tells EventGap, or EventSubscribed of those that never came yet.
	EventLost
	// EventGap says that messages of Names come again. Those that were published between Since and
	// Until may be missing, and may come once more; no others are, or do, unless the servers lose
	// them among themselves.
	EventGap
	// EventOverflow says that events are missing at this place, since the queue was full.
	EventOverflow
)

// Event is one thing that a subscriber tells. Its bytes are shared and must not be changed.
type Event struct {
	Kind     EventKind
	Channels ChannelKind // of the message, or of all Names

	Channel, Pattern, Payload []byte // of EventMessage

	Names        [][]byte  // the channels or patterns concerned
	Err          *Error    // of EventRefused and EventLost
	Since, Until time.Time // of EventGap; Since also of EventLost; of EventOverflow: first and last drop
	Dropped      uint64    // of EventOverflow: messages
	Untold       uint64    // of EventOverflow: other events, counted by name
}

// inbox is the events that wait for their reader: so many messages, so many bytes of them, and so
// many names in other events at most.
type inbox struct {
	maxMessages, maxBytes int
	ready                 func() // there is something where there was nothing; may be nil

	mu       sync.Mutex
	events   []Event
	head     int // of events; those before it are taken
	messages int
	bytes    int // of messages
	names    int // in other events
	maxNames int
}

// weight is what an event adds to the counts.
func (e *Event) weight() (messages, bytes, names int) {
	if e.Kind == EventMessage {
		return 1, len(e.Channel) + len(e.Pattern) + len(e.Payload), 0
	}
	return 0, 0, len(e.Names)
}

// put adds an event, or counts it in an overflow where there is no room. A message larger than
// all the room is taken where no other waits.
func (b *inbox) put(e Event) {
	b.mu.Lock()
	empty := b.head == len(b.events)
	messages, bytes, names := e.weight()
	full := b.messages+messages > b.maxMessages || b.messages > 0 && b.bytes+bytes > b.maxBytes
	if names > 0 {
		full = b.names+names > b.maxNames
	}
	if full {
		b.drop(messages, names)
	} else {
		b.messages, b.bytes, b.names = b.messages+messages, b.bytes+bytes, b.names+names
		if !b.merge(&e) {
			b.events = append(b.events, e)
		}
	}
	b.mu.Unlock()
	if empty && b.ready != nil {
		b.ready()
	}
}

// last is the event that was put last, if it was not taken yet.
func (b *inbox) last() *Event {
	if b.head == len(b.events) {
		return nil
	}
	return &b.events[len(b.events)-1]
}

// drop counts what is not put, in the place where it would have been.
func (b *inbox) drop(messages, names int) {
	last, now := b.last(), time.Now()
	if last == nil || last.Kind != EventOverflow {
		b.events = append(b.events, Event{Kind: EventOverflow, Since: now})
		last = b.last()
	}
	last.Until = now
	last.Dropped += uint64(messages)
	last.Untold += uint64(names)
}

// merge adds an event to the last one where both tell the same of other names: the confirmations
// of a thousand channels are one event.
func (b *inbox) merge(e *Event) bool {
	last := b.last()
	if e.Kind == EventMessage || last == nil || last.Kind != e.Kind || last.Channels != e.Channels ||
		last.Err != e.Err || !near(last.Since, e.Since) || !near(last.Until, e.Until) {
		return false
	}
	last.Names = append(last.Names, e.Names...)
	if e.Since.Before(last.Since) {
		last.Since = e.Since
	}
	if e.Until.After(last.Until) {
		last.Until = e.Until
	}
	return true
}

// near says whether two times may be told as one: a gap that is a little too long is a true one.
func near(a, b time.Time) bool { return a.Sub(b).Abs() <= 100*time.Millisecond }

// take moves events into a place of the caller's and returns how many.
func (b *inbox) take(into []Event) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := copy(into, b.events[b.head:])
	for i := range into[:n] {
		messages, bytes, names := into[i].weight()
		b.messages, b.bytes, b.names = b.messages-messages, b.bytes-bytes, b.names-names
	}
	clear(b.events[b.head : b.head+n])
	b.head += n
	switch {
	case b.head == len(b.events):
		b.events, b.head = b.events[:0], 0
	case b.head > len(b.events)/2:
		b.events, b.head = append(b.events[:0], b.events[b.head:]...), 0
	}
	return n
}

// admit sets the room for names.
func (b *inbox) admit(names int) {
	b.mu.Lock()
	b.maxNames = names
	b.mu.Unlock()
}
