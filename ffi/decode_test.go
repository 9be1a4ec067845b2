package main

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"libglide/core"
	"libglide/protobuf"
	"libglide/routing"
)

func custom(words ...string) *protobuf.CommandRequest {
	args := new(protobuf.Command_ArgsArray)
	for _, word := range words {
		args.Args = append(args.Args, []byte(word))
	}
	return &protobuf.CommandRequest{Command: &protobuf.CommandRequest_SingleCommand{SingleCommand: &protobuf.Command{
		RequestType: protobuf.RequestType_REQUEST_TYPE_CUSTOM_COMMAND,
		Args:        &protobuf.Command_ArgsArray_{ArgsArray: args},
	}}}
}

func script(invocation *protobuf.ScriptInvocation) *protobuf.CommandRequest {
	return &protobuf.CommandRequest{Command: &protobuf.CommandRequest_ScriptInvocation{ScriptInvocation: invocation}}
}

func encode(t *testing.T, message proto.Message) []byte {
	bytes, err := proto.Marshal(message)
	require.NoError(t, err)
	return bytes
}

func refusal(t *testing.T, err error) *core.Error {
	var refused *core.Error
	require.ErrorAs(t, err, &refused)
	return refused
}

func TestBytesOfAGLIDEBindingDecode(t *testing.T) {
	// CommandRequest{callback_idx 7, single_command{request_type 1504 (Get), args_array{"foo"}},
	// route{slot_key_route{Replica, "foo"}}} as GLIDE's Python binding serialises it.
	bytes, err := hex.DecodeString("0807" + "120a" + "08e00b" + "1205" + "0a03666f6f" + "5209" + "1207" + "0801" + "1203666f6f")
	require.NoError(t, err)
	request, callback, err := decodeRequest(bytes)
	require.NoError(t, err)
	require.EqualValues(t, 7, callback)
	require.Equal(t, [][]byte{[]byte("GET"), []byte("foo")}, request.Words)
	require.Equal(t, routing.Route{Kind: routing.RouteSlotKey, Role: routing.Replica, Key: []byte("foo")}, request.Route)
}

func TestTheFieldsOfThisProjectDecode(t *testing.T) {
	message := custom("DBSIZE")
	message.TimeoutMs, message.Outcomes = 1500, true
	message.ResponsePolicy = protobuf.ResponsePolicy_RESPONSE_POLICY_MAX
	message.Route = &protobuf.Routes{Value: &protobuf.Routes_SlotKeyRoute{SlotKeyRoute: &protobuf.SlotKeyRoute{SlotKeyBytes: []byte{0, 255}}}}
	request, _, err := decodeRequest(encode(t, message))
	require.NoError(t, err)
	require.Equal(t, 1500*time.Millisecond, request.Timeout)
	require.True(t, request.Outcomes)
	require.Equal(t, routing.PolicyMax, request.Policy)
	require.Equal(t, []byte{0, 255}, request.Route.Key)
}

func TestAScriptIsRunByItsHashWithItsKeysAheadOfItsArguments(t *testing.T) {
	const hash = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db" // of "return 1"
	for _, invocation := range []*protobuf.ScriptInvocation{
		{Hash: hash}, {Source: []byte("return 1")}, {Hash: strings.ToUpper(hash), Source: []byte("return 1")},
	} {
		invocation.Keys, invocation.Args = [][]byte{[]byte("k")}, [][]byte{[]byte("a"), {}}
		request, _, err := decodeRequest(encode(t, script(invocation)))
		require.NoError(t, err)
		require.Equal(t, "evalsha|"+hash+"|1|k|a|", strings.ToLower(string(bytes.Join(request.Words, []byte("|")))))
	}
}

func TestARequestThatIsNoneIsRefusedByWhatIsWrongWithIt(t *testing.T) {
	route := func(value *protobuf.Routes) *protobuf.CommandRequest {
		message := custom("PING")
		message.Route = value
		return message
	}
	empty := custom()
	pointer := &protobuf.CommandRequest{Command: &protobuf.CommandRequest_SingleCommand{SingleCommand: &protobuf.Command{
		RequestType: 1, Args: &protobuf.Command_ArgsVecPointer{ArgsVecPointer: 1},
	}}}
	typed := func(number protobuf.RequestType) *protobuf.CommandRequest {
		return &protobuf.CommandRequest{Command: &protobuf.CommandRequest_SingleCommand{SingleCommand: &protobuf.Command{RequestType: number}}}
	}
	policy := custom("PING")
	policy.ResponsePolicy = 99
	both := &protobuf.SlotKeyRoute{SlotKey: "a", SlotKeyBytes: []byte("a")}
	for reason, message := range map[string]*protobuf.CommandRequest{
		"the request holds no command":         {},
		"the command has no words":             empty,
		"args_vec_pointer":                     pointer,
		"request_type is not set":              typed(0),
		"request_type 99999 is no command":     typed(99999),
		"request_type 1001 is no command":      typed(1001), // EVAL, which GLIDE sends as a script
		"the hash \"\" is no SHA-1":            script(&protobuf.ScriptInvocation{}),
		"not that of the source":               script(&protobuf.ScriptInvocation{Hash: "17", Source: []byte("return 1")}),
		"command 0 of the batch: request_type": {Command: &protobuf.CommandRequest_Batch{Batch: &protobuf.Batch{Commands: []*protobuf.Command{{}}}}},
		"the route is empty":                   route(&protobuf.Routes{}),
		"simple_routes 7 is no route":          route(&protobuf.Routes{Value: &protobuf.Routes_SimpleRoutes{SimpleRoutes: 7}}),
		"slot_type 9 is neither":               route(&protobuf.Routes{Value: &protobuf.Routes_SlotIdRoute{SlotIdRoute: &protobuf.SlotIdRoute{SlotType: 9}}}),
		"slot_type -1 is neither":              route(&protobuf.Routes{Value: &protobuf.Routes_SlotKeyRoute{SlotKeyRoute: &protobuf.SlotKeyRoute{SlotType: -1}}}),
		"slot_key and slot_key_bytes are both": route(&protobuf.Routes{Value: &protobuf.Routes_SlotKeyRoute{SlotKeyRoute: both}}),
		"response_policy 99 is none":           policy,
		"root_span_ptr":                        {RootSpanPtr: proto.Uint64(1)},
	} {
		_, _, err := decodeRequest(encode(t, message))
		require.Equal(t, core.StatusInvalidArgument, refusal(t, err).Status, reason)
		require.ErrorContains(t, err, reason)
	}
	_, _, err := decodeRequest([]byte{0xff, 0xff})
	require.Equal(t, core.StatusDecode, refusal(t, err).Status)
}

func FuzzDecodeRequest(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0x12, 0x09, 0x08, 0x01, 0x12, 0x05, 0x0a, 0x03, 'G', 'E', 'T'})
	f.Fuzz(func(t *testing.T, bytes []byte) {
		request, _, err := decodeRequest(bytes)
		if err == nil && len(request.Words) == 0 && request.batch == nil && request.scan == nil && request.password == nil {
			t.Fatal("a request without words was accepted")
		}
	})
}
