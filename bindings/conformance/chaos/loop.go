package chaos

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"

	"google.golang.org/protobuf/proto"

	"libglide/core"
	"libglide/protobuf"
	"libglide/routing"
)

// Loop opens the client behind its C interface: the program at the path, made of loop/loop.c, submits
// what it is told to from an event loop.
func Loop(path string) Opener {
	return func(config core.Config) (Subject, error) {
		l := &loop{command: exec.Command(path), waiting: make(map[uint64]chan answer), ended: make(chan struct{})}
		l.command.Stderr = os.Stderr
		from, err := l.command.StdoutPipe()
		if err == nil {
			l.to, err = l.command.StdinPipe()
		}
		if err == nil {
			err = l.command.Start()
		}
		if err != nil {
			return nil, err
		}
		go l.listen(bufio.NewReader(from))
		if _, err := l.ask(connectionRequest(config)); err != nil {
			l.Close()
			return nil, err
		}
		return l, nil
	}
}

// loop is a process with a client in it.
type loop struct {
	command *exec.Cmd
	to      io.WriteCloser
	ended   chan struct{} // it answers no more
	failed  error         // how it ended

	mu      sync.Mutex
	tags    uint64
	waiting map[uint64]chan answer
	strange int // answers that nobody waits for
	closed  bool
}

type answer struct {
	status core.Status
	bytes  []byte
}

var errLoopEnded = errors.New("the process of the client has ended")

// ask sends a message and waits for the answer to it.
func (l *loop) ask(message proto.Message) (*protobuf.Response, error) {
	bytes, err := proto.Marshal(message)
	if err != nil {
		return nil, err
	}
	told := make(chan answer, 1)
	if err := l.send(bytes, told); err != nil {
		return nil, err
	}
	select {
	case a := <-told:
		return a.response()
	case <-l.ended:
		return nil, errLoopEnded
	}
}

func (l *loop) send(bytes []byte, told chan answer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tags++
	l.waiting[l.tags] = told
	head := binary.NativeEndian.AppendUint64(nil, l.tags)
	head = binary.NativeEndian.AppendUint32(head, uint32(len(bytes)))
	_, err := l.to.Write(append(head, bytes...))
	return err
}

// listen takes answers until there are no more.
func (l *loop) listen(from io.Reader) {
	defer close(l.ended)
	var head struct {
		Tag    uint64
		Status int32
		Size   uint32
	}
	for binary.Read(from, binary.NativeEndian, &head) == nil {
		a := answer{core.Status(head.Status), make([]byte, head.Size)}
		if _, err := io.ReadFull(from, a.bytes); err != nil {
			break
		}
		l.mu.Lock()
		told, known := l.waiting[head.Tag]
		delete(l.waiting, head.Tag)
		if !known {
			l.strange++
		}
		l.mu.Unlock()
		if known {
			told <- a
		}
	}
	l.failed = l.command.Wait()
}

// Close ends the process.
func (l *loop) Close() bool {
	l.mu.Lock()
	first := !l.closed
	l.closed = true
	l.mu.Unlock()
	if first {
		_ = l.to.Close()
		<-l.ended
	}
	return first
}

// Held is what the process owes when it has ended: answers, or that it ended well.
func (l *loop) Held() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := len(l.waiting) + l.strange
	if l.failed != nil {
		held++
	}
	return held
}

func (l *loop) Execute(request *core.Request) (core.Response, error) {
	response, err := l.ask(&protobuf.CommandRequest{
		Command:   &protobuf.CommandRequest_SingleCommand{SingleCommand: commandOf(request.Words)},
		TimeoutMs: uint32(request.Timeout.Milliseconds()),
	})
	if err != nil {
		return core.Response{}, err
	}
	return core.Response{Value: valueOf(response.GetValue())}, nil
}

func (l *loop) ExecuteBatch(request *core.BatchRequest) (core.Response, error) {
	batch := &protobuf.Batch{IsAtomic: request.Atomic, RetryConnectionError: &request.Repeat, RaiseOnError: &request.Raise}
	for _, words := range request.Commands {
		batch.Commands = append(batch.Commands, commandOf(words))
	}
	response, err := l.ask(&protobuf.CommandRequest{
		Command:   &protobuf.CommandRequest_Batch{Batch: batch},
		TimeoutMs: uint32(request.Timeout.Milliseconds()),
	})
	if err != nil {
		return core.Response{}, err
	}
	result := core.Response{Value: valueOf(response.GetValue())}
	for i, item := range response.GetValue().GetArray().GetItems() {
		if failure := item.GetError(); failure != nil {
			if result.Failures == nil {
				result.Failures = make([]*core.Error, len(request.Commands))
			}
			result.Failures[i] = failureOf(failure)
		}
	}
	return result, nil
}

func (l *loop) Scan(request *core.ScanRequest) (cursor string, keys []routing.Value, err error) {
	response, err := l.ask(&protobuf.CommandRequest{
		Command: &protobuf.CommandRequest_ClusterScan{ClusterScan: &protobuf.ClusterScan{
			Cursor: request.Cursor, MatchPattern: request.Match, Count: &request.Count, AllowNonCoveredSlots: request.Gaps,
		}},
		TimeoutMs: uint32(request.Timeout.Milliseconds()),
	})
	if err != nil {
		return "", nil, err
	}
	items := valueOf(response.GetValue()).Items
	return string(items[0].Text), items[1].Items, nil
}

func commandOf(words [][]byte) *protobuf.Command {
	return &protobuf.Command{
		RequestType: protobuf.RequestType_REQUEST_TYPE_CUSTOM_COMMAND,
		Args:        &protobuf.Command_ArgsArray_{ArgsArray: &protobuf.Command_ArgsArray{Args: words}},
	}
}

func connectionRequest(config core.Config) *protobuf.ConnectionRequest {
	request := &protobuf.ConnectionRequest{
		ClusterModeEnabled: true, ClientName: config.ClientName,
		RequestTimeout:     uint32(config.RequestTimeout.Milliseconds()),
		AuthenticationInfo: &protobuf.AuthenticationInfo{Password: config.Password},
		PeriodicChecks: &protobuf.ConnectionRequest_PeriodicChecksManualInterval{
			PeriodicChecksManualInterval: &protobuf.PeriodicChecksManualInterval{DurationInSec: uint32(config.RefreshEvery.Seconds())},
		},
	}
	for _, address := range config.Addresses {
		request.Addresses = append(request.Addresses, &protobuf.NodeAddress{Host: address.Host, Port: uint32(address.Port)})
	}
	return request
}

// response decodes an answer. The error is an *core.Error, or says that the answer is none.
func (a answer) response() (*protobuf.Response, error) {
	response := new(protobuf.Response)
	if err := proto.Unmarshal(a.bytes, response); err != nil {
		return nil, fmt.Errorf("an answer that is no Response: %w", err)
	}
	failure := response.GetError()
	switch {
	case a.status == core.StatusOK && failure == nil:
		return response, nil
	case failure == nil:
		return nil, &core.Error{Status: a.status, Message: "without a response"}
	case core.Status(failure.GetStatus()) != a.status:
		return nil, fmt.Errorf("status %d with an error of status %v", a.status, failure.GetStatus())
	}
	return nil, failureOf(failure)
}

// told is what an Error and a ServerError have in common.
type told interface {
	GetStatus() protobuf.Status
	GetMessage() string
	GetCode() string
	GetNode() string
	GetSent() bool
	GetRetryable() bool
}

func failureOf(failure told) *core.Error {
	return &core.Error{
		Status: core.Status(failure.GetStatus()), Message: failure.GetMessage(), Code: failure.GetCode(),
		Node: failure.GetNode(), Sent: failure.GetSent(), Retryable: failure.GetRetryable(),
	}
}

// valueOf is what the commands of the workers are answered with.
func valueOf(value *protobuf.Value) routing.Value {
	switch kind := value.GetKind().(type) {
	case *protobuf.Value_Integer:
		return routing.Integer(kind.Integer)
	case *protobuf.Value_Bulk:
		return routing.Bulk(string(kind.Bulk))
	case *protobuf.Value_Simple:
		return routing.Simple(string(kind.Simple))
	case *protobuf.Value_Error:
		return routing.ErrorReply(kind.Error.GetMessage())
	case *protobuf.Value_Bulks:
		result := routing.ArrayOf()
		for _, item := range kind.Bulks.GetItems() {
			result.Items = append(result.Items, routing.Bulk(string(item)))
		}
		return result
	case *protobuf.Value_Array:
		result := routing.ArrayOf()
		for _, item := range kind.Array.GetItems() {
			result.Items = append(result.Items, valueOf(item))
		}
		return result
	}
	return routing.Value{}
}
