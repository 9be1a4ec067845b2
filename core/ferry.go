package core

import (
	"context"

	"libglide/routing"
)

// A large command goes over a wire of its own, so that it holds nobody up. Most of what it costs is
// to copy it, so where its owner would lead, and a connection stands, the very thread writes it from
// the memory that it was lent. Elsewhere a goroutine does, and has a copy.

// large says whether the call is one command for one node that is too large for the connection that
// others share.
func (k *Call) large() bool {
	return k.single() && !k.plan.Split && weightOf([][][]byte{k.plan.Legs[0].Words}) > maxShared
}

// ferry carries the large command of the call.
func (k *Call) ferry() {
	link := k.aim()
	if link == nil {
		return
	}
	w, err := link.take(k.Owner.Leads())
	if err != nil {
		k.settle(routing.Value{}, &connError{false, err})
		return
	}
	if w.direct && w.stands() {
		ctx, cancel := k.context()
		defer cancel()
		w.attend((*boarded)(k), false)
		k.settle(k.cross(ctx, w))
		return
	}
	k.keep()
	k.goOnAs(func(ctx context.Context) (Response, error) {
		reply, err := k.cross(ctx, w)
		k.client.land(ctx, &k.flight, reply, err)
		return k.client.conclude(&k.plan, &k.Request, []*flight{&k.flight})
	})
}

// cross exchanges the command over a wire, and gives that back.
func (k *Call) cross(ctx context.Context, w *wire) (reply routing.Value, err error) {
	replies, whole, err := w.link.over(ctx, w, k.commands[:], false)
	w.link.give(w, whole)
	if err == nil {
		reply = replies[0]
	}
	return reply, err
}

// keep copies the words that were lent, to have them for longer than Start.
func (k *Call) keep() {
	if !k.Lent {
		return
	}
	k.Lent = false
	k.kept = takeRoom()
	if size := weightOf([][][]byte{k.Words}); cap(k.kept.text) < size {
		k.kept.text = make([]byte, 0, size)
	}
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
