package core

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"libglide/routing"
)

// feed is a connection to a node over which a subscriber gets messages. The library underneath
// dials it and does the handshake; what comes then is read here, see frames.
//
// Every command goes with a PING that carries its number. So each has exactly one answer before
// the echo of its number, whatever the server says by itself between; an error belongs to the
// command whose echo comes next; and an echo proves that all has come which the server had to say
// when the PING was written.
type feed struct {
	subscriber *Subscriber
	endpoint   routing.Address
	life       context.Context // ends with the reason why the feed does
	end        context.CancelCauseFunc
	kick       chan struct{} // there is something to write
	heard      atomic.Int64  // Unix nanoseconds: when the last bytes came

	// Under the subscriber's lock.
	out    []byte  // to be written
	asked  []asked // that have no echo yet, in their order
	number uint64  // of the last command
	pinged time.Time
	proven time.Time // what the node had to say up to then has come
}

// asked is a command on its way, with its PING.
type asked struct {
	number   uint64
	at       time.Time
	key      channelKey
	leave    bool // it unsubscribes
	answered bool // from the start where it is a PING alone
}

// busDelay is how long a message may take from the node that was told it to the node that tells
// us.
const busDelay = time.Second

var (
	errSilent = errors.New("it has said nothing for too long, and answers no PING")
	errUnused = errors.New("no channel needs it")
	errLeft   = errors.New("the node has left the cluster")
	errOdd    = errors.New("an answer that fits no command")
)

// run is the life of a feed.
func (f *feed) run() {
	f.end(f.serve())
	f.subscriber.ended(f, context.Cause(f.life))
}

// serve connects and reads until that fails, or the feed is ended.
func (f *feed) serve() error {
	// As to a primary, without READONLY: a replica would take sharded channels of its shard for its own.
	l, err := f.subscriber.client.links.to(f.endpoint, routing.Primary)
	if err != nil {
		return err
	}
	c, release, err := l.listen(f.life)
	if err != nil {
		return err
	}
	defer release()
	f.hear()
	var writing sync.WaitGroup
	writing.Go(func() { f.write(c) })
	f.end(f.read(c))
	writing.Wait()
	return nil
}

func (f *feed) read(c net.Conn) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("panic: %v", fault)
		}
	}()
	incoming := newFrames(hearing{c, f})
	for {
		frame, err := incoming.next()
		if err == nil {
			err = f.subscriber.told(f, frame)
		}
		if err != nil {
			return err
		}
	}
}

// hearing notes when something came.
type hearing struct {
	conn net.Conn
	feed *feed
}

func (h hearing) Read(p []byte) (int, error) {
	n, err := h.conn.Read(p)
	h.feed.hear()
	return n, err
}

func (f *feed) hear() { f.heard.Store(time.Now().UnixNano()) }

// write sends what there is to send, and a PING from time to time, until the feed ends.
func (f *feed) write(c net.Conn) {
	config := &f.subscriber.config
	tick := time.NewTicker(config.PingEvery)
	defer tick.Stop()
	for {
		out, silent := f.pending()
		if silent {
			f.end(errSilent)
			return
		}
		if len(out) > 0 {
			if err := c.SetWriteDeadline(time.Now().Add(config.Silence)); err != nil {
				f.end(err)
				return
			}
			if _, err := c.Write(out); err != nil {
				f.end(err)
				return
			}
		}
		select {
		case <-f.life.Done():
			return
		case <-f.kick:
		case <-tick.C:
		}
	}
}

// pending takes what is to be written. The node counts as silent where the oldest command waits
// for its echo and nothing at all has come for too long.
func (f *feed) pending() (out []byte, silent bool) {
	s := f.subscriber
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if len(f.asked) > 0 {
		quiet := now.Add(-s.config.Silence)
		silent = f.asked[0].at.Before(quiet) && f.heard.Load() < quiet.UnixNano()
	}
	if now.Sub(f.pinged) > s.config.PingEvery/2 { // ticks are not quite even
		f.ping(asked{answered: true})
	}
	out, f.out = f.out, nil
	return out, silent
}

// ask queues a command. The subscriber's lock is held.
func (f *feed) ask(key channelKey, leave bool) {
	word := key.kind.String()
	if leave {
		word = unsubscribeWords[key.kind]
	}
	f.out = appendCommand(f.out, [][]byte{[]byte(word), []byte(key.name)})
	f.ping(asked{key: key, leave: leave})
	select {
	case f.kick <- struct{}{}:
	default:
	}
}

var unsubscribeWords = [channelKinds]string{"UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"}

var pingWord = []byte("PING")

// ping queues the PING of a command.
func (f *feed) ping(a asked) {
	f.number++
	f.pinged = time.Now()
	a.number, a.at = f.number, f.pinged
	f.asked = append(f.asked, a)
	f.out = appendCommand(f.out, [][]byte{pingWord, strconv.AppendUint(nil, a.number, 10)})
}

// answer is the command that an answer belongs to: the first without one, if that is of this
// sort. The subscriber's lock is held.
func (f *feed) answer(key channelKey, leave bool) {
	if len(f.asked) > 0 && f.asked[0].key == key && f.asked[0].leave == leave {
		f.asked[0].answered = true
	}
}

// echo takes the number that a PING came back with. The subscriber's lock is held.
func (f *feed) echo(text []byte) error {
	number, err := strconv.ParseUint(string(text), 10, 64)
	if err != nil || number > f.number {
		return errOdd
	}
	for len(f.asked) > 0 && f.asked[0].number <= number {
		if !f.asked[0].answered {
			return errOdd
		}
		f.proven = f.asked[0].at
		f.asked = f.asked[1:]
	}
	return nil
}

// refuse takes an error. It is the answer to the command that has none yet, which is returned, or
// else stands for an echo: a server refuses PING too, for want of permission or while it is busy.
// A MOVED does not: it comes to an SUNSUBSCRIBE when the server had unsubscribed by itself before.
// The subscriber's lock is held.
func (f *feed) refuse(line string) (*asked, error) {
	if len(f.asked) == 0 {
		return nil, errOdd
	}
	first := &f.asked[0]
	if !first.answered {
		first.answered = true
		return first, nil
	}
	if routing.ErrorCode(line) != "MOVED" {
		f.proven = first.at
		f.asked = f.asked[1:]
	}
	return nil, nil
}

// surely is the time up to which nothing is missing of a channel that came over the feed since
// begun. The subscriber's lock is held.
func (f *feed) surely(begun time.Time) time.Time {
	if before := f.proven.Add(-busDelay); before.After(begun) {
		return before
	}
	return begun
}
