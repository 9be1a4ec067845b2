package core

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"libglide/bindings/conformance/fakenode"
)

// maxAllocated is what a reply of a few bytes may make the client allocate: the elements that the
// guard lets a length promise, as messages of the library underneath, and as much again.
const maxAllocated = 2 * maxReplyElements * 40

// FuzzReply lets a server answer anything and hang up: the client neither crashes nor hangs nor
// takes memory without bound, and goes on with the next connection.
func FuzzReply(f *testing.F) {
	for _, reply := range []string{
		"+OK\r\n", "-ERR x\r\n", ":1\r\n", "$3\r\nabc\r\n", "$-1\r\n", "*2\r\n$1\r\na\r\n:1\r\n", "*-1\r\n", "_\r\n", "#t\r\n",
		",1.5\r\n", ",inf\r\n", "(123456789012345678901234567890\r\n", "=7\r\ntxt:abc\r\n", "!5\r\nERR x\r\n", "%1\r\n+a\r\n:1\r\n",
		"~1\r\n:1\r\n", "|1\r\n+k\r\n+v\r\n+OK\r\n", ">2\r\n+message\r\n+x\r\n", "*1\r\n*1\r\n*1\r\n:1\r\n", "$?\r\n;1\r\na\r\n;0\r\n",
		"-MOVED 1 127.0.0.1:1\r\n", "-ASK 12182 h:1\r\n", "-TRYAGAIN x\r\n", "-LOADING x\r\n", "$5\r\nab", "*3\r\n:1\r\n", "", "\x00\r\n",
		"*64\r\n" + strings.Repeat("$1\r\na\r\n", 64), "%32\r\n" + strings.Repeat("$-1\r\n_\r\n", 32), "$40000\r\n" + strings.Repeat("a", 40000) + "\r\n",
		"+OK\r\n+again\r\n", "$9223372036854775807\r\n", "*2147483647\r\n", "%4611686018427387904\r\n", "*1000\r\n*1000\r\n*1000\r\n",
	} {
		f.Add([]byte(reply))
	}
	node := fakenode.Start(f)
	node.On("CLUSTER SLOTS", fakenode.Slots(fakenode.Serves(0, 16383, node.Endpoint())))
	node.On("CLUSTER INFO", fakenode.Bulk("cluster_current_epoch:7\r\n"))
	node.Otherwise(fakenode.Simple("OK"))
	var reply atomic.Value
	node.On("GET", fakenode.Func(func([]string) fakenode.Reply {
		text := reply.Load().(string)
		return fakenode.Half(fakenode.Raw(text + text)) // all of it, and then nothing more
	}))
	client := open(f, Config{RefreshEvery: -1}, node.Address())
	f.Fuzz(func(t *testing.T, bytes []byte) {
		reply.Store(string(bytes))
		request := command("GET", "foo")
		request.Timeout = 200 * time.Millisecond // it may lead to nowhere
		began := time.Now()
		if taken := allocated(func() { ask(t, client, request) }); taken > maxAllocated {
			t.Fatalf("%d bytes were allocated for a reply of %d", taken, len(bytes))
		}
		if taken := time.Since(began); taken > 10*time.Second {
			t.Fatalf("it took %v", taken)
		}
		// What came after the reply is there for whoever comes next, and then the hang-up.
		for range 3 {
			if ask(t, client, command("SET", "foo", "1")) {
				return
			}
		}
		t.Fatal("the client does not go on")
	})
}

// ask is whether a request succeeded; how it failed must be known.
func ask(t *testing.T, client *Client, request *Request) bool {
	_, err := client.Execute(request)
	if err == nil {
		return true
	}
	if known, is := err.(*Error); !is || known.Status == StatusInternal {
		t.Fatalf("%v", err)
	}
	return false
}
