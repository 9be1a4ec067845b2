package core

import (
	"slices"
	"sync"
	"sync/atomic"

	"libglide/routing"
)

// room is where replies are for as long as calls need them; to allocate and clear it anew for each
// costs more than to read them.
type room struct {
	values []routing.Value // an aggregate is followed by its elements
	text   []byte          // that they are in
	slabs  []slab          // that long strings are in, by their places in the text
	next   int             // of the values, to be taken
	users  atomic.Int32
}

var rooms = sync.Pool{New: func() any { return new(room) }}

// takeRoom is an empty room with one user.
func takeRoom() *room {
	r := rooms.Get().(*room)
	r.users.Store(1)
	return r
}

// widen makes room for more text.
func (r *room) widen() {
	size := min(max(2*cap(r.text), connBuffer), max(mostText, maxReplyBytes)+connBuffer)
	r.text = append(make([]byte, 0, size), r.text...)
}

// joined is the text with the long strings in their places.
func (r *room) joined() []byte {
	size := len(r.text)
	for _, s := range r.slabs {
		size += len(s.bytes())
	}
	all, at := make([]byte, 0, size), 0
	for _, s := range r.slabs {
		all = append(append(all, r.text[at:s.at]...), s.bytes()...)
		at = s.at
	}
	return append(all, r.text[at:]...)
}

// share is the room for another user.
func (r *room) share() *room {
	r.users.Add(1)
	return r
}

// giveBack is for each user, once. A room that one keeps is the garbage collector's.
func (r *room) giveBack() {
	if r.users.Add(-1) > 0 {
		return
	}
	clear(r.values)
	for _, s := range r.slabs {
		giveSlab(s.memory)
	}
	r.values, r.text, r.slabs, r.next = r.values[:0], r.text[:0], r.slabs[:0], 0
	if cap(r.values) > mostRoom {
		r.values = nil
	}
	if cap(r.text) > mostText {
		r.text = nil
	}
	rooms.Put(r)
}

// take adds the next replies to others. They are in the room.
func (r *room) take(replies []routing.Value, count int) []routing.Value {
	replies = slices.Grow(replies, count)
	for range count {
		reply := r.values[r.next]
		r.next++
		if elements, aggregate := elementsOf(&reply); aggregate {
			reply.Integer = 0
			reply.Items = r.values[r.next : r.next+elements : r.next+elements]
			r.next += elements
		}
		replies = append(replies, reply)
	}
	return replies
}

// takeAway is take for who does not give the room back. What it would not keep is not copied.
func (r *room) takeAway(replies []routing.Value, count int) []routing.Value {
	first := len(replies)
	replies = r.take(replies, count)
	if cap(r.text) > mostText || len(r.slabs) > 0 {
		r.share()
		return replies
	}
	for i := range replies[first:] {
		replies[first+i] = copied(replies[first+i])
	}
	return replies
}

// copied is a flat value in memory of its own.
func copied(value routing.Value) routing.Value {
	size := len(value.Text)
	for i := range value.Items {
		size += len(value.Items[i].Text)
	}
	text := make([]byte, 0, size)
	move := func(from []byte) []byte {
		if from == nil {
			return nil
		}
		start := len(text)
		text = append(text, from...)
		return text[start:len(text):len(text)]
	}
	value.Text = move(value.Text)
	if value.Items != nil {
		value.Items = append(make([]routing.Value, 0, len(value.Items)), value.Items...)
	}
	for i := range value.Items {
		value.Items[i].Text = move(value.Items[i].Text)
	}
	return value
}
