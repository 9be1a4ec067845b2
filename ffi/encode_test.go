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
		{routing.ArrayOf(items...), &protobuf.Value{Kind: &protobuf.Value_Array{Array: &protobuf.Array{Items: encodeItems(items)}}}},
		{routing.Value{Kind: routing.KindSet, Items: items}, &protobuf.Value{Kind: &protobuf.Value_Set{Set: &protobuf.Array{Items: encodeItems(items)}}}},
		{routing.Value{Kind: routing.KindMap, Items: items}, &protobuf.Value{Kind: &protobuf.Value_Map{Map: &protobuf.Map{Items: encodeItems(items)}}}},
	} {
		require.True(t, proto.Equal(c.expected, encodeValue(&c.value)), "%s", c.value.Kind)
	}
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
	_, err := guard(func() (*protobuf.Response, error) { panic("on purpose") })
	failed := refusal(t, err)
	require.Equal(t, core.StatusInternal, failed.Status)
	require.Regexp(t, `^panic: on purpose at .*encode_test.go:\d+$`, failed.Message)
	var words [][]byte
	_, err = guard(func() (*protobuf.Response, error) { return nil, core.NewError(0, "%s", words[3]) })
	require.Regexp(t, `index out of range.* at .*encode_test.go:\d+$`, refusal(t, err).Message)
}
