package main

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"libglide/core"
	"libglide/protobuf"
)

func drawCommand(t *rapid.T) *protobuf.Command {
	kinds := []protobuf.RequestType{
		protobuf.RequestType_REQUEST_TYPE_CUSTOM_COMMAND, protobuf.RequestType_REQUEST_TYPE_INVALID_REQUEST, 1504, 1999999,
	}
	words := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 200), 0, 4).Draw(t, "words")
	return &protobuf.Command{
		RequestType: rapid.SampledFrom(kinds).Draw(t, "request type"),
		Args:        &protobuf.Command_ArgsArray_{ArgsArray: &protobuf.Command_ArgsArray{Args: words}},
	}
}

func drawFlag(t *rapid.T, name string) *bool {
	return rapid.SampledFrom([]*bool{nil, proto.Bool(false), proto.Bool(true)}).Draw(t, name)
}

func drawRequest(t *rapid.T) *protobuf.CommandRequest {
	message := &protobuf.CommandRequest{
		CallbackIdx: rapid.Uint32().Draw(t, "callback"),
		TimeoutMs:   rapid.Uint32Max(5000).Draw(t, "timeout_ms"),
		Outcomes:    rapid.Bool().Draw(t, "outcomes"),
	}
	if rapid.Bool().Draw(t, "single") {
		message.Command = &protobuf.CommandRequest_SingleCommand{SingleCommand: drawCommand(t)}
		return message
	}
	batch := &protobuf.Batch{
		IsAtomic:             rapid.Bool().Draw(t, "atomic"),
		Commands:             rapid.SliceOfN(rapid.Custom(drawCommand), 0, 5).Draw(t, "commands"),
		RaiseOnError:         drawFlag(t, "raise"),
		RetryServerError:     drawFlag(t, "retry server error"),
		RetryConnectionError: drawFlag(t, "retry connection error"),
	}
	if rapid.Bool().Draw(t, "its own timeout") {
		batch.Timeout = proto.Uint32(rapid.Uint32Max(5000).Draw(t, "timeout"))
	}
	message.Command = &protobuf.CommandRequest_Batch{Batch: batch}
	return message
}

func newRequest() *request {
	r := new(request)
	r.reset(new(core.Request))
	return r
}

// damage changes, cuts or doubles a part of the bytes.
func damage(t *rapid.T, bytes []byte) []byte {
	if len(bytes) == 0 {
		return bytes
	}
	at := rapid.IntRange(0, len(bytes)-1).Draw(t, "at")
	switch rapid.IntRange(0, 3).Draw(t, "damage") {
	case 0:
		bytes[at] = rapid.Byte().Draw(t, "byte")
	case 1:
		return bytes[:at]
	case 2:
		return append(bytes, bytes[at:]...)
	}
	return bytes
}

func TestWhatIsReadFieldByFieldIsWhatAMessageWouldSay(t *testing.T) {
	plainly := 0
	rapid.Check(t, func(t *rapid.T) {
		bytes, err := proto.Marshal(drawRequest(t))
		require.NoError(t, err)
		bytes = damage(t, bytes)

		plain, whole := newRequest(), newRequest()
		if !plain.decodePlain(bytes) {
			require.Equal(t, newRequest(), plain, "what is not read is left as it was")
			return
		}
		plainly++
		require.NoError(t, whole.decodeMessage(bytes))
		require.Equal(t, whole.callback, plain.callback)
		require.Equal(t, whole.Timeout, plain.Timeout)
		require.Equal(t, whole.Outcomes, plain.Outcomes)
		require.Equal(t, whole.batch == nil, plain.batch == nil)
		sameWords(t, [][][]byte{whole.Words}, [][][]byte{plain.Words})
		if whole.batch != nil {
			sameWords(t, whole.batch.Commands, plain.batch.Commands)
			whole.batch.Commands, plain.batch.Commands = nil, nil
			require.Equal(t, whole.batch, plain.batch)
		}
	})
	require.NotZero(t, plainly)
}

// sameWords takes an empty word for the same as none, as the messages do.
func sameWords(t require.TestingT, expected, got [][][]byte) {
	require.Len(t, got, len(expected))
	for i := range expected {
		require.Len(t, got[i], len(expected[i]))
		for j := range expected[i] {
			require.Equal(t, string(expected[i][j]), string(got[i][j]))
		}
	}
}

func TestABatchIsReadWithoutMessageObjects(t *testing.T) {
	batch := &protobuf.Batch{Commands: make([]*protobuf.Command, 100)}
	for i := range batch.Commands {
		batch.Commands[i] = custom("GET", "key").GetSingleCommand()
	}
	bytes := encode(t, &protobuf.CommandRequest{Command: &protobuf.CommandRequest_Batch{Batch: batch}})
	r := newRequest()
	require.True(t, r.decodePlain(bytes))
	require.Len(t, r.batch.Commands, 100)
	few := testing.AllocsPerRun(10, func() { newRequest().decodePlain(bytes) })
	require.Less(t, few, 30.0)
}
