package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"libglide/core"
	"libglide/protobuf"
	"libglide/routing"
)

func TestEveryKindOfReplyHasItsMessage(t *testing.T) {
	text := func(kind routing.Kind, s string) routing.Value { return routing.Value{Kind: kind, Text: []byte(s)} }
	items := []routing.Value{routing.Bulk("k"), routing.Integer(1)}
	messages := []*protobuf.Value{
		{Kind: &protobuf.Value_Bulk{Bulk: []byte("k")}}, {Kind: &protobuf.Value_Integer{Integer: 1}},
	}
	for _, c := range []struct {
		value    routing.Value
		expected *protobuf.Value
	}{
		{routing.Value{}, &protobuf.Value{Kind: &protobuf.Value_Nil{Nil: &protobuf.Nil{}}}},
		{routing.Integer(-5), &protobuf.Value{Kind: &protobuf.Value_Integer{Integer: -5}}},
		{routing.Value{Kind: routing.KindDouble, Double: 1.5}, &protobuf.Value{Kind: &protobuf.Value_Double{Double: 1.5}}},
		{routing.Value{Kind: routing.KindBoolean, Integer: 1}, &protobuf.Value{Kind: &protobuf.Value_Boolean{Boolean: true}}},
		{text(routing.KindBulk, "\x00\xff"), &protobuf.Value{Kind: &protobuf.Value_Bulk{Bulk: []byte("\x00\xff")}}},
		{text(routing.KindSimple, "OK"), &protobuf.Value{Kind: &protobuf.Value_Simple{Simple: []byte("OK")}}},
		{text(routing.KindBigNumber, "12"), &protobuf.Value{Kind: &protobuf.Value_BigNumber{BigNumber: []byte("12")}}},
		{text(routing.KindVerbatim, "txt:a:b"), &protobuf.Value{Kind: &protobuf.Value_Verbatim{Verbatim: &protobuf.Verbatim{Format: "txt", Text: []byte("a:b")}}}},
		{text(routing.KindError, "WRONGTYPE no"), &protobuf.Value{Kind: &protobuf.Value_Error{Error: &protobuf.ServerError{Code: "WRONGTYPE", Message: "WRONGTYPE no"}}}},
		{routing.Value{Kind: routing.KindPerNode}, &protobuf.Value{Kind: &protobuf.Value_PerNode{PerNode: &protobuf.PerNode{}}}},
		{routing.ArrayOf(), &protobuf.Value{Kind: &protobuf.Value_Array{Array: &protobuf.Array{}}}},
		{routing.ArrayOf(routing.Bulk("a"), routing.Bulk("b")), &protobuf.Value{Kind: &protobuf.Value_Bulks{Bulks: &protobuf.Bulks{Items: [][]byte{[]byte("a"), []byte("b")}}}}},
		{routing.Value{Kind: routing.KindMap, Items: []routing.Value{routing.Bulk("k"), routing.Bulk("v")}}, &protobuf.Value{Kind: &protobuf.Value_BulkMap{BulkMap: &protobuf.Bulks{Items: [][]byte{[]byte("k"), []byte("v")}}}}},
		{routing.Value{Kind: routing.KindSet, Items: []routing.Value{routing.Bulk("m")}}, &protobuf.Value{Kind: &protobuf.Value_BulkSet{BulkSet: &protobuf.Bulks{Items: [][]byte{[]byte("m")}}}}},
		{routing.Value{Kind: routing.KindMap}, &protobuf.Value{Kind: &protobuf.Value_Map{Map: &protobuf.Map{}}}},
		{routing.ArrayOf(items...), &protobuf.Value{Kind: &protobuf.Value_Array{Array: &protobuf.Array{Items: messages}}}},
		{routing.Value{Kind: routing.KindSet, Items: items}, &protobuf.Value{Kind: &protobuf.Value_Set{Set: &protobuf.Array{Items: messages}}}},
		{routing.Value{Kind: routing.KindMap, Items: items}, &protobuf.Value{Kind: &protobuf.Value_Map{Map: &protobuf.Map{Items: messages}}}},
	} {
		response := decodeReply(t, &reply{value: &c.value})
		require.True(t, proto.Equal(c.expected, response.Value), "%s: %s", c.value.Kind, response.Value)
		response = decodeReply(t, &reply{outcomes: []core.Outcome{{Node: new(routing.Node), Value: c.value}}})
		require.True(t, proto.Equal(c.expected, response.Outcomes[0].GetValue()), "%s: %s", c.value.Kind, response.Value)
	}
}

// decodeReply reads a reply as the other side does.
func decodeReply(t *testing.T, r *reply) *protobuf.Response {
	size := r.measure()
	bytes := r.append(nil)
	require.Len(t, bytes, size)
	response := new(protobuf.Response)
	require.NoError(t, proto.Unmarshal(bytes, response))
	return response
}

func TestAReplyHoldsAllOfItsParts(t *testing.T) {
	value := routing.ArrayOf(routing.ArrayOf(routing.Bulk("a")), routing.Value{})
	response := decodeReply(t, &reply{
		callback: 300, value: &value, err: core.NewError(core.StatusPartial, "some failed"),
		outcomes: []core.Outcome{
			{Node: &routing.Node{ID: "n1"}, Sent: true, Value: routing.Bulk("v")},
			{Node: &routing.Node{ID: "n2"}, Err: core.NewError(core.StatusTimeout, "late")},
		},
		rest: &protobuf.Response{Topology: &protobuf.Topology{Epoch: 7}},
	})
	require.Equal(t, uint32(300), response.CallbackIdx)
	require.Equal(t, []byte("a"), response.Value.GetArray().Items[0].GetBulks().Items[0])
	require.Equal(t, "some failed", response.Error.Message)
	require.Equal(t, []byte("v"), response.Outcomes[0].GetValue().GetBulk())
	require.True(t, response.Outcomes[0].Sent)
	require.Equal(t, protobuf.Status_STATUS_TIMEOUT, response.Outcomes[1].GetError().Status)
	require.Equal(t, uint64(7), response.Topology.Epoch)
}

func TestAFailedResultOfABatchCarriesAllThatIsKnownOfIt(t *testing.T) {
	lost := &core.Error{Status: core.StatusConnection, Message: "INCR: lost", Node: "h:1", Sent: true, Retryable: true}
	value := routing.ArrayOf(routing.Integer(1), routing.ErrorReply(lost.Message))
	items := decodeReply(t, &reply{value: &value, failures: []*core.Error{nil, lost}}).Value.GetArray().Items
	require.EqualValues(t, 1, items[0].GetInteger())
	require.True(t, proto.Equal(&protobuf.ServerError{
		Status: protobuf.Status_STATUS_CONNECTION, Message: "INCR: lost", Node: "h:1", Sent: true, Retryable: true,
	}, items[1].GetError()))
}

func TestAMessageOfTheServerThatIsNoUTF8StillEncodes(t *testing.T) {
	response := &protobuf.Response{Error: encodeError(core.NewError(core.StatusServer, "ERR \xff\xfe"))}
	_, err := proto.Marshal(response)
	require.NoError(t, err)
	require.Equal(t, "ERR ÿþ", response.Error.Message)
}

func TestTheNumbersOfTheStatusAreThoseOfTheMessages(t *testing.T) {
	for status, name := range map[core.Status]string{
		core.StatusOK: "OK", core.StatusInvalidArgument: "INVALID_ARGUMENT", core.StatusDecode: "DECODE",
		core.StatusConfig: "CONFIG", core.StatusRoute: "ROUTE", core.StatusServer: "SERVER",
		core.StatusPartial: "PARTIAL", core.StatusTimeout: "TIMEOUT", core.StatusConnection: "CONNECTION",
		core.StatusClosed: "CLOSED", core.StatusBusy: "BUSY", core.StatusCancelled: "CANCELLED",
		core.StatusForked: "FORKED", core.StatusInternal: "INTERNAL",
	} {
		require.Equal(t, "STATUS_"+name, protobuf.Status(status).String())
	}
	require.Len(t, protobuf.Status_name, int(core.StatusInternal)+1)
}

func TestThePoliciesOfTheMessagesAreThoseOfTheCore(t *testing.T) {
	for number, name := range protobuf.ResponsePolicy_name {
		require.True(t, routing.Policy(number).Valid())
		if number > 0 {
			require.Equal(t, name, "RESPONSE_POLICY_"+string(bytes.ToUpper([]byte(routing.Policy(number).String()))))
		}
	}
	require.False(t, routing.Policy(len(protobuf.ResponsePolicy_name)).Valid())
}

func TestAPanicBecomesAnErrorThatNamesThePlace(t *testing.T) {
	err := guard(func() error { panic("on purpose") })
	failed := refusal(t, err)
	require.Equal(t, core.StatusInternal, failed.Status)
	require.Regexp(t, `^panic: on purpose at .*encode_test.go:\d+$`, failed.Message)
	var words [][]byte
	err = guard(func() error { return core.NewError(0, "%s", words[3]) })
	require.Regexp(t, `index out of range.* at .*encode_test.go:\d+$`, refusal(t, err).Message)
}
