package main

import (
	"google.golang.org/protobuf/proto"

	"libglide/core"
	"libglide/ffi/internal/wire"
	"libglide/protobuf"
	"libglide/routing"
)

// request is what a CommandRequest asks for: one command, or one of the others that is not nil.
type request struct {
	*core.Request
	callback uint32 // known also where the rest of the request is refused
	batch    *core.BatchRequest
	scan     *core.ScanRequest
	password *core.PasswordUpdate
	channels *subscription
	words    [][]byte // room for the words of a command
}

// reset makes r empty; what it will ask for goes into room.
func (r *request) reset(room *core.Request) {
	clear(r.words)
	*room = core.Request{}
	*r = request{Request: room, words: r.words[:0]}
}

// start does what is asked of the client with that handle.
func (r *request) start(client *core.Client, handle uint64, call *core.Call) {
	switch {
	case r.batch != nil:
		client.StartBatch(call, r.batch)
	case r.scan != nil:
		client.StartScan(call, r.scan)
	case r.password != nil:
		client.StartPassword(call, r.password)
	case r.channels != nil:
		client.StartNow(call, func() (core.Response, error) { return r.channels.change(client, handle) })
	default:
		client.Start(call)
	}
}

func decodeRequest(bytes []byte) (*request, uint32, error) {
	r := new(request)
	r.reset(new(core.Request))
	err := r.decode(bytes)
	return r, r.callback, err
}

// decode reads a CommandRequest. Words of commands point into bytes.
func (r *request) decode(bytes []byte) error {
	if r.decodePlain(bytes) {
		return nil
	}
	return r.decodeMessage(bytes)
}

// decodeMessage is decode for any request.
func (r *request) decodeMessage(bytes []byte) error {
	message := new(protobuf.CommandRequest)
	if err := proto.Unmarshal(bytes, message); err != nil {
		return core.NewError(core.StatusDecode, "the request is no CommandRequest: %v", err)
	}
	r.callback = message.GetCallbackIdx()
	if message.RootSpanPtr != nil {
		return badRequest("root_span_ptr points into another process")
	}
	route, err := wire.DecodeRoute(message.GetRoute())
	if err != nil {
		return err
	}
	policy := message.GetResponsePolicy()
	if _, known := protobuf.ResponsePolicy_name[int32(policy)]; !known {
		return badRequest("response_policy %d is none", policy)
	}
	*r.Request = core.Request{
		Request:  routing.Request{Route: route, Policy: routing.Policy(policy)},
		Timeout:  wire.Milliseconds(message.GetTimeoutMs()),
		Outcomes: message.GetOutcomes(),
	}
	return r.decodeCommand(message)
}

func badRequest(format string, args ...any) *core.Error {
	return core.NewError(core.StatusInvalidArgument, format, args...)
}

// decodeCommand reads what is to be done into r, which has the rest already.
func (r *request) decodeCommand(message *protobuf.CommandRequest) (err error) {
	switch command := message.GetCommand().(type) {
	case nil:
		return badRequest("the request holds no command")
	case *protobuf.CommandRequest_SingleCommand:
		if r.Words, err = command.SingleCommand.Words(); err != nil {
			return badRequest("single_command: %v", err)
		}
		return nil
	case *protobuf.CommandRequest_Batch:
		r.batch, err = r.decodeBatch(command.Batch)
		return err
	case *protobuf.CommandRequest_ScriptInvocation:
		script := command.ScriptInvocation
		r.Script = &core.Script{Hash: script.GetHash(), Source: script.Source, Keys: script.GetKeys(), Args: script.GetArgs()}
		r.Words, err = r.Script.Words()
		return err
	case *protobuf.CommandRequest_ClusterScan:
		r.scan, err = r.decodeScan(command.ClusterScan)
		return err
	case *protobuf.CommandRequest_UpdateConnectionPassword:
		update := command.UpdateConnectionPassword
		if r.Route.Kind != routing.RouteDefault {
			return badRequest("update_connection_password has no route: it is for all nodes")
		}
		r.password = &core.PasswordUpdate{Password: update.GetPassword(), Immediate: update.GetImmediateAuth(), Timeout: r.Timeout}
		return nil
	case *protobuf.CommandRequest_Subscribe:
		r.channels, err = r.decodeSubscription(command.Subscribe, false)
		return err
	case *protobuf.CommandRequest_Unsubscribe:
		r.channels, err = r.decodeSubscription(command.Unsubscribe, true)
		return err
	}
	kind := message.ProtoReflect().WhichOneof(message.ProtoReflect().Descriptor().Oneofs().ByName("command"))
	return badRequest("%s is not supported yet", kind.Name())
}

func (r *request) decodeBatch(message *protobuf.Batch) (*core.BatchRequest, error) {
	batch := &core.BatchRequest{Raise: message.GetRaiseOnError(), Repeat: message.GetRetryConnectionError(), Timeout: r.Timeout}
	if batch.Timeout == 0 {
		batch.Timeout = wire.Milliseconds(message.GetTimeout())
	}
	batch.Atomic, batch.Route = message.GetIsAtomic(), r.Route
	for i, command := range message.GetCommands() {
		words, err := command.Words()
		if err != nil {
			return nil, badRequest("command %d of the batch: %v", i, err)
		}
		batch.Commands = append(batch.Commands, words)
	}
	return batch, nil
}

func (r *request) decodeScan(message *protobuf.ClusterScan) (*core.ScanRequest, error) {
	if r.Route.Kind != routing.RouteDefault {
		return nil, badRequest("a cluster scan has no route: it goes over all shards")
	}
	if message.GetCount() < 0 {
		return nil, badRequest("count %d of the cluster scan is negative", message.GetCount())
	}
	return &core.ScanRequest{
		Cursor: message.GetCursor(), Match: message.MatchPattern, Count: message.GetCount(), Type: message.GetObjectType(),
		Gaps: message.GetAllowNonCoveredSlots(), Timeout: r.Timeout,
	}, nil
}
