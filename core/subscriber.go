package core

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"libglide/routing"
)

// SubscriberConfig says how messages wait. The zero value of a field is its default.
type SubscriberConfig struct {
	MaxMessages int // that wait for Take; default the client's EventLimit, or 8192
	MaxBytes    int // of them; default 32 MiB
	// Ready is called when events wait where none did, on a goroutine of the subscriber. It must
	// not block, and call nothing of the subscriber but Take. Without it somebody has to look.
	Ready func()
	// A node is asked for a sign of life every PingEvery, default 1 s, and given up when nothing
	// at all came from it for Silence, default 5 s, although it was asked.
	PingEvery, Silence time.Duration
}

func (c SubscriberConfig) withDefaults() SubscriberConfig {
	if c.MaxMessages <= 0 {
		c.MaxMessages = 8192
	}
	if c.MaxBytes <= 0 {
		c.MaxBytes = 32 << 20
	}
	if c.PingEvery <= 0 {
		c.PingEvery = time.Second
	}
	if c.Silence <= 0 {
		c.Silence = 5 * time.Second
	}
	return c
}

// Subscriber gets the messages of channels, over connections of its own: one to any node for
// channels and patterns, and one to each owner of slots with sharded channels. What is subscribed
// stays so over lost connections, failovers and slots that move, until it is unsubscribed or the
// server refuses it; the events say from when to when messages may be missing.
//
// A channel has one connection at a time, so its messages come once and in their order. Only when
// it moves to another node may messages come a second time that the nodes were told at different
// times; they are from within the gap that is told of. Any number of goroutines may use a
// subscriber at once.
type Subscriber struct {
	client *Client
	config SubscriberConfig
	inbox  inbox
	wake   chan struct{}
	life   context.Context
	close  context.CancelFunc
	done   sync.WaitGroup

	mu       sync.Mutex
	channels map[channelKey]*channel
	feeds    map[routing.Address]*feed
	home     routing.Address // the node for channels and patterns
	shunned  routing.Address // the last home, if another is to be chosen
	learning bool            // the client is being connected
}

// subscribers are those of a client.
type subscribers struct {
	mu  sync.Mutex
	all map[*Subscriber]struct{}
}

// Subscriber makes a subscriber, which ends with the client. The error is an *Error.
func (c *Client) Subscriber(config SubscriberConfig) (*Subscriber, error) {
	if config.MaxMessages <= 0 {
		config.MaxMessages = c.config.EventLimit
	}
	s := &Subscriber{
		client: c, config: config.withDefaults(), wake: make(chan struct{}, 1),
		channels: make(map[channelKey]*channel), feeds: make(map[routing.Address]*feed),
	}
	s.inbox.maxMessages, s.inbox.maxBytes, s.inbox.ready = s.config.MaxMessages, s.config.MaxBytes, config.Ready
	c.subscribers.mu.Lock()
	defer c.subscribers.mu.Unlock()
	if c.closed() {
		return nil, errClosed
	}
	s.life, s.close = context.WithCancel(c.closing)
	if c.subscribers.all == nil {
		c.subscribers.all = make(map[*Subscriber]struct{})
	}
	c.subscribers.all[s] = struct{}{}
	s.done.Go(s.tend)
	return s, nil
}

// Close ends the subscriber and returns when its connections are closed. Events that wait can
// still be taken; there will be no others.
func (s *Subscriber) Close() {
	s.close()
	s.done.Wait()
	s.client.subscribers.mu.Lock()
	delete(s.client.subscribers.all, s)
	s.client.subscribers.mu.Unlock()
}

// each calls a function with every subscriber.
func (s *subscribers) each(do func(*Subscriber)) {
	s.mu.Lock()
	all := make([]*Subscriber, 0, len(s.all))
	for subscriber := range s.all {
		all = append(all, subscriber)
	}
	s.mu.Unlock()
	for _, subscriber := range all {
		do(subscriber)
	}
}

// Take moves events that wait into a place of the caller's and returns how many. It does not wait.
func (s *Subscriber) Take(into []Event) int { return s.inbox.take(into) }

// Subscribe asks for channels, and returns before they are subscribed: EventSubscribed tells that,
// for each, or EventRefused. It tells so at once for those that are. The error is an *Error; then
// nothing has changed.
func (s *Subscriber) Subscribe(kind ChannelKind, names ...[]byte) error {
	if err := s.check(kind); err != nil {
		return err
	}
	if len(names) == 0 {
		return NewError(StatusInvalidArgument, "%s: no channel is named", kind)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		key := channelKey{kind, string(name)}
		ch := s.channels[key]
		if ch == nil {
			ch = &channel{channelKey: key, bytes: []byte(key.name)}
			s.channels[key] = ch
		}
		ch.wanted = true
		if ch.phase == held {
			s.tell(Event{Kind: EventSubscribed}, ch)
		}
	}
	s.admit()
	s.stir()
	return nil
}

// Unsubscribe gives channels up, all of the kind where none is named, and returns before they are:
// EventUnsubscribed tells that for each, also for those that never were subscribed. Messages may
// come until then. The error is an *Error; then nothing has changed.
func (s *Subscriber) Unsubscribe(kind ChannelKind, names ...[]byte) error {
	if err := s.check(kind); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(names) == 0 {
		for key, ch := range s.channels {
			if key.kind == kind {
				ch.wanted = false
			}
		}
	}
	for _, name := range names {
		key := channelKey{kind, string(name)}
		if ch := s.channels[key]; ch != nil {
			ch.wanted = false
		} else {
			s.tell(Event{Kind: EventUnsubscribed}, &channel{channelKey: key, bytes: []byte(key.name)})
		}
	}
	s.stir()
	return nil
}

func (s *Subscriber) check(kind ChannelKind) error {
	switch {
	case s.client.closed():
		return errClosed
	case s.life.Err() != nil:
		return NewError(StatusClosed, "the subscriber is closed")
	case kind >= channelKinds:
		return NewError(StatusInvalidArgument, "kind of subscription %d: there are 0 (channels), 1 (patterns) and 2 (sharded channels)", kind)
	}
	return nil
}

// Subscription is a channel that is subscribed or is to be.
type Subscription struct {
	Channels ChannelKind
	Name     []byte
	Active   bool // messages come
}

// Subscriptions are all channels that were asked for and neither given up nor refused.
func (s *Subscriber) Subscriptions() []Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Subscription, 0, len(s.channels))
	for key, ch := range s.channels {
		if ch.wanted {
			all = append(all, Subscription{key.kind, ch.bytes, ch.phase == held})
		}
	}
	return all
}

// stir has the subscriber look whether all is as it should be.
func (s *Subscriber) stir() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// tend does what is to be done until the subscriber is closed.
func (s *Subscriber) tend() {
	for {
		var later <-chan time.Time
		if next := s.arrange(); !next.IsZero() {
			later = time.After(time.Until(next))
		}
		select {
		case <-s.life.Done():
			return
		case <-s.wake:
		case <-later:
		}
	}
}

// arrange takes the next step with every channel that is not where it should be, and ends the
// feeds that are no use. It returns when to look again; zero: when something happens.
func (s *Subscriber) arrange() (next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.Err() != nil {
		return next
	}
	snapshot, now := s.client.topology.now(), time.Now()
	used := make(map[*feed]bool)
	for _, ch := range s.channels {
		switch {
		case ch.phase == nowhere && !ch.wanted:
			s.remove(ch, Event{Kind: EventUnsubscribed})
		case (ch.phase == nowhere || ch.phase == held && !ch.wanted) && now.Before(ch.after):
			if next.IsZero() || ch.after.Before(next) {
				next = ch.after
			}
		case ch.phase == nowhere:
			s.place(ch, snapshot)
		case ch.phase == held && !ch.wanted:
			ch.phase = leaving
			ch.feed.ask(ch.channelKey, true)
		}
		// Those that are given up before they are confirmed do not keep a feed: it may never connect.
		if ch.wanted || ch.phase != joining {
			used[ch.feed] = true
		}
	}
	for _, f := range s.feeds {
		switch {
		case !used[f]:
			f.end(errUnused)
		case snapshot.Find(f.endpoint) == nil:
			f.end(errLeft)
		}
	}
	return next
}

// place asks for a channel at the node where it belongs.
func (s *Subscriber) place(ch *channel, snapshot *routing.Snapshot) {
	if len(snapshot.Nodes()) == 0 {
		s.learn()
		return
	}
	node := s.choose(ch, snapshot)
	if node == nil {
		s.fail(ch, NewError(StatusRoute, "%s %s: no shard serves slot %d", ch.kind, ch.name, routing.SlotOf(ch.bytes)))
		s.client.refreshSoon()
		s.stir()
		return
	}
	f := s.feeds[node.Endpoint]
	if f == nil {
		f = &feed{subscriber: s, endpoint: node.Endpoint, kick: make(chan struct{}, 1)}
		f.life, f.end = context.WithCancelCause(s.life)
		s.feeds[node.Endpoint] = f
		s.done.Go(f.run)
	}
	if f.life.Err() != nil {
		return // when it has ended, we are told
	}
	ch.phase, ch.feed = joining, f
	f.ask(ch.channelKey, false)
}

// learn connects a client that knows no topology yet: to subscribe is a first request too.
func (s *Subscriber) learn() {
	if s.learning {
		return
	}
	s.learning = true
	s.done.Go(func() {
		err := s.client.connect(s.life)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.learning = false
		var failure *Error
		if errors.As(err, &failure) && s.life.Err() == nil {
			for _, ch := range s.channels {
				if ch.wanted && ch.phase == nowhere {
					s.fail(ch, failure)
				}
			}
		}
		s.stir()
	})
}

// choose is the node for a channel: the owner of its slot, and for all that are not sharded the
// one that has been, else any.
func (s *Subscriber) choose(ch *channel, snapshot *routing.Snapshot) *routing.Node {
	if ch.kind == Sharded {
		if shard := snapshot.Owner(routing.SlotOf(ch.bytes)); shard != nil {
			return shard.Primary
		}
		return nil
	}
	if node := snapshot.Find(s.home); node != nil && s.home != s.shunned {
		return node
	}
	nodes := snapshot.Nodes()
	first := rand.IntN(len(nodes))
	best := nodes[first]
	for _, node := range slices.Concat(nodes[first:], nodes[:first]) {
		if s.client.links.usable(node) && node.Endpoint != s.shunned {
			best = node
			break
		}
	}
	s.home, s.shunned = best.Endpoint, routing.Address{}
	return best
}

// ended is told by a feed that it is over: its reader reads no more.
func (s *Subscriber) ended(f *feed, cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.feeds, f.endpoint)
	if s.life.Err() != nil {
		return
	}
	failure, worked := feedError(f, cause), false
	for _, ch := range s.channels {
		if ch.feed != f {
			continue
		}
		switch {
		case ch.phase == leaving || !ch.wanted:
			s.gone(ch)
		case errors.Is(cause, errUnused): // and then it was wanted again
			ch.phase, ch.feed = nowhere, nil
		case ch.phase == held:
			worked = true
			s.lose(ch)
			s.report(failure, ch)
		default:
			s.fail(ch, failure)
		}
	}
	// The same node once more, if it may well go on there: another one may not have been told yet
	// what this one has told us, and would tell it a second time.
	if f.endpoint == s.home && (!worked || errors.Is(cause, errSilent) || errors.Is(cause, errLeft)) {
		s.shunned = s.home
	}
	if !errors.Is(cause, errUnused) {
		s.client.refreshSoon()
	}
	s.stir()
}

// feedError tells in the caller's terms why a feed is over.
func feedError(f *feed, cause error) *Error {
	e := &Error{Status: StatusConnection, Node: f.endpoint.String(), Retryable: true}
	var refused refusal
	switch {
	case errors.As(cause, &refused):
		e.Status, e.Code = StatusServer, routing.ErrorCode(string(refused))
	case errors.Is(cause, errSilent) || isTimeout(cause):
		e.Status = StatusTimeout
	}
	e.Message = "subscriptions at " + e.Node + ": " + cause.Error()
	return e
}
