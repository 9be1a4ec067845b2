package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"libglide/core"
	"libglide/protobuf"
)

func TestEveryKindOfEventHasItsMessage(t *testing.T) {
	since := time.Unix(1700000000, 1999999)
	for _, c := range []struct {
		event    core.Event
		expected *protobuf.Event
	}{
		{core.Event{Kind: core.EventMessage, Channels: core.Pattern, Channel: []byte("news.a"), Pattern: []byte("news.*"), Payload: []byte("\xff")},
			&protobuf.Event{Channels: protobuf.ChannelKind_CHANNEL_KIND_PATTERN, Channel: []byte("news.a"), Pattern: []byte("news.*"), Payload: []byte("\xff")}},
		{core.Event{Kind: core.EventMessage, Payload: []byte("x")}, &protobuf.Event{Payload: []byte("x")}},
		{core.Event{Kind: core.EventSubscribed, Channels: core.Sharded, Names: [][]byte{[]byte("a"), []byte("")}},
			&protobuf.Event{Kind: protobuf.EventKind_EVENT_KIND_SUBSCRIBED, Channels: protobuf.ChannelKind_CHANNEL_KIND_SHARDED, Names: [][]byte{[]byte("a"), []byte("")}}},
		{core.Event{Kind: core.EventUnsubscribed, Names: [][]byte{[]byte("a")}},
			&protobuf.Event{Kind: protobuf.EventKind_EVENT_KIND_UNSUBSCRIBED, Names: [][]byte{[]byte("a")}}},
		{core.Event{Kind: core.EventRefused, Err: &core.Error{Status: core.StatusServer, Code: "NOPERM"}},
			&protobuf.Event{Kind: protobuf.EventKind_EVENT_KIND_REFUSED, Error: &protobuf.Error{Status: protobuf.Status_STATUS_SERVER, Code: "NOPERM"}}},
		{core.Event{Kind: core.EventLost, Err: core.NewError(core.StatusConnection, "gone"), Since: since},
			&protobuf.Event{Kind: protobuf.EventKind_EVENT_KIND_LOST, Error: &protobuf.Error{Status: protobuf.Status_STATUS_CONNECTION, Message: "gone"}, SinceMs: 1700000000001}},
		{core.Event{Kind: core.EventGap, Since: since, Until: since},
			&protobuf.Event{Kind: protobuf.EventKind_EVENT_KIND_GAP, SinceMs: 1700000000001, UntilMs: 1700000000002}},
		{core.Event{Kind: core.EventOverflow, Dropped: 7, Untold: 8},
			&protobuf.Event{Kind: protobuf.EventKind_EVENT_KIND_OVERFLOW, Dropped: 7, Untold: 8}},
	} {
		r := reply{events: []core.Event{c.event, c.event}}
		size := r.measure()
		bytes := r.append(nil)
		require.Len(t, bytes, size)
		response := new(protobuf.Response)
		require.NoError(t, proto.Unmarshal(bytes, response))
		require.Len(t, response.Events, 2)
		require.True(t, proto.Equal(c.expected, response.Events[1]), "%v", response.Events[1])
	}
}

func TestChannelsOfAnUnknownKindAreRefused(t *testing.T) {
	r := &request{Request: new(core.Request)}
	_, err := r.decodeSubscription(&protobuf.Channels{Kind: 3}, false)
	require.EqualError(t, err, "kind 3 of channels is none")
	wanted, err := r.decodeSubscription(&protobuf.Channels{Kind: protobuf.ChannelKind_CHANNEL_KIND_SHARDED, Names: [][]byte{[]byte("a")}}, true)
	require.NoError(t, err)
	require.Equal(t, &subscription{core.Sharded, [][]byte{[]byte("a")}, true}, wanted)
}
