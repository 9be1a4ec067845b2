package core

import (
	"context"
	"time"

	"libglide/routing"
)

// A large command goes over a wire of its own, so that it holds nobody up. Most of what it costs is
// to copy it, so where its owner would lead, and a connection stands, the very thread writes it from
// the memory that it was lent. Elsewhere a goroutine does, and has a copy.
//
// The server reads one after another faster than many in parts, so threads take turns, but do not wait
// long for them: one that is slow holds up nobody else.

const (
	// So many large commands go to a node at a time,
	atATime = 2
	// but for those that have waited so long. Nobody looks for an interrupt meanwhile.
	turnPatience = waitSlice
)

// large says whether the call is one command for one node that is too large for the connection that
// others share.
func (k *Call) large() bool {
	return k.single() && weightOf([][][]byte{k.plan.Legs[0].Words}) > maxShared
}

// ferry carries the large command of the call.
func (k *Call) ferry() {
	link := k.aim()
	if link == nil {
		return
	}
	leads := k.Owner.Leads()
	inTurn := leads && link.await(k.deadline)
	w, err := link.take(leads)
	if err != nil {
		link.cede(inTurn)
		k.settle(routing.Value{}, &connError{false, err})
		return
	}
	if w.direct && w.stands() {
		ctx, cancel := k.context()
		defer cancel()
		w.attend((*boarded)(k), false)
		k.settle(k.cross(ctx, w, inTurn))
		return
	}
	k.keep()
	k.goOnAs(func(ctx context.Context) (Response, error) {
		reply, err := k.cross(ctx, w, inTurn)
		k.client.land(ctx, &k.flight, reply, err)
		return k.client.conclude(&k.plan, &k.Request, []*flight{&k.flight})
	})
}

// cross exchanges the command over a wire, and gives back that and the turn.
func (k *Call) cross(ctx context.Context, w *wire, inTurn bool) (reply routing.Value, err error) {
	replies, whole, err := w.link.over(ctx, w, k.commands[:], false)
	w.link.give(w, whole)
	w.link.cede(inTurn)
	if err == nil {
		reply = replies[0]
	}
	return reply, err
}

// await waits for a turn, for a while and not beyond a deadline; zero: none. It says whether it came.
func (l *link) await(deadline time.Time) bool {
	patience := turnPatience
	if !deadline.IsZero() {
		patience = min(patience, time.Until(deadline))
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case l.large <- struct{}{}:
		return true
	case <-late.C:
		return false
	}
}

// cede gives a turn back, if there was one.
func (l *link) cede(inTurn bool) {
	if inTurn {
		<-l.large
	}
}

// keep copies the words that were lent, to have them for longer than Start.
func (k *Call) keep() {
	if !k.Lent {
		return
	}
	k.Lent = false
	k.kept = takeRoom()
	k.kept.text = sized(k.kept.text, weightOf([][][]byte{k.Words}))[:0]
	for i, word := range k.Words {
		start := len(k.kept.text)
		k.kept.text = append(k.kept.text, word...)
		k.Words[i] = k.kept.text[start:len(k.kept.text):len(k.kept.text)]
	}
}

// letGo of the words that were lent, and of the copy of them.
func (k *Call) letGo() {
	if k.Lent {
		clear(k.Words)
		k.Lent = false
	}
	if k.kept != nil {
		k.kept.giveBack()
		k.kept = nil
	}
}
