package core

import (
	"time"

	"libglide/routing"
)

// told takes what a node says. An error means that nobody can know any more what it means.
func (s *Subscriber) told(f *feed, frame *frame) error {
	words := frame.words
	switch frame.kind {
	case '$':
		s.mu.Lock()
		defer s.mu.Unlock()
		return f.echo(words[0])
	case '-', '!':
		return s.refused(f, string(words[0]))
	case '>':
	default:
		return errOdd
	}
	if len(words) == 0 {
		return errOdd
	}
	push := pushes[string(words[0])]
	switch {
	case push.act == nil:
		return nil // of something else, as of a cache
	case len(words) < push.words:
		return errOdd
	}
	return push.act(s, f, push.kind, words[1:])
}

// push is what a server says unasked, or as if it were.
type push struct {
	kind  ChannelKind
	words int
	act   func(s *Subscriber, f *feed, kind ChannelKind, words [][]byte) error
}

var pushes map[string]push

func init() {
	pushes = map[string]push{
		"message":      {Exact, 3, (*Subscriber).received},
		"pmessage":     {Pattern, 4, (*Subscriber).received},
		"smessage":     {Sharded, 3, (*Subscriber).received},
		"subscribe":    {Exact, 3, (*Subscriber).joined},
		"psubscribe":   {Pattern, 3, (*Subscriber).joined},
		"ssubscribe":   {Sharded, 3, (*Subscriber).joined},
		"unsubscribe":  {Exact, 3, (*Subscriber).left},
		"punsubscribe": {Pattern, 3, (*Subscriber).left},
		"sunsubscribe": {Sharded, 3, (*Subscriber).left},
		"pong": {0, 2, func(s *Subscriber, f *feed, _ ChannelKind, words [][]byte) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			return f.echo(words[0])
		}},
	}
}

// received takes a message. Its bytes are one piece of memory.
func (s *Subscriber) received(_ *feed, kind ChannelKind, words [][]byte) error {
	e := Event{Kind: EventMessage, Channels: kind}
	parts := []*[]byte{&e.Pattern, &e.Channel, &e.Payload}
	if kind != Pattern {
		parts = parts[1:]
	}
	size := 0
	for _, word := range words[:len(parts)] {
		size += len(word)
	}
	text := make([]byte, 0, size)
	for i, part := range parts {
		from := len(text)
		text = append(text, words[i]...)
		*part = text[from:len(text):len(text)]
	}
	s.inbox.put(e)
	return nil
}

// joined takes a confirmation: from now on messages come.
func (s *Subscriber) joined(f *feed, kind ChannelKind, words [][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := channelKey{kind, string(words[0])}
	f.answer(key, false)
	ch := s.channels[key]
	if ch == nil || ch.feed != f || ch.phase != joining {
		return errOdd
	}
	now := time.Now()
	if ch.since.IsZero() {
		s.tell(Event{Kind: EventSubscribed}, ch)
	} else {
		s.tell(Event{Kind: EventGap, Since: ch.since, Until: now}, ch)
	}
	ch.phase, ch.begun, ch.since, ch.lost, ch.after = held, now, time.Time{}, false, time.Time{}
	if !ch.wanted {
		s.stir()
	}
	return nil
}

// left takes the news that no messages come any more, as was asked for or since the slot of the
// channel has moved.
func (s *Subscriber) left(f *feed, kind ChannelKind, words [][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := channelKey{kind, string(words[0])}
	f.answer(key, true)
	ch := s.channels[key]
	switch {
	case ch == nil || ch.feed != f:
	case ch.phase == leaving:
		s.gone(ch)
	case ch.phase == held:
		s.lose(ch)
		s.report(NewError(StatusRoute, "%s unsubscribed: the slot has moved", f.endpoint), ch)
	}
	s.stir()
	return nil
}

// refused takes an error of a node.
func (s *Subscriber) refused(f *feed, line string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	command, err := f.refuse(line)
	if command == nil {
		return err
	}
	ch := s.channels[command.key]
	if ch == nil || ch.feed != f || command.leave != (ch.phase == leaving) {
		return nil // unsubscribed by the server in the meantime
	}
	failure := serverError(line, f.endpoint.String())
	switch redirect, is := routing.ParseRedirect(line, f.endpoint); {
	case is && command.leave:
		s.gone(ch)
	case is:
		s.client.topology.moved(redirect.Slot, redirect.To)
		s.client.refreshSoon(redirect.To)
		s.fail(ch, failure)
	case transient[failure.Code] || failure.Code == "BUSY" || failure.Code == "MOVED":
		s.client.refreshSoon()
		s.fail(ch, failure)
	case command.leave:
		ch.phase, ch.wanted = held, true
		s.tell(Event{Kind: EventRefused, Err: failure}, ch)
	default:
		s.remove(ch, Event{Kind: EventRefused, Err: failure})
	}
	s.stir()
	return nil
}
