// Package processors sets the Go runtime up for threads of a host that call into it.
package processors

import (
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
)

// A processor of the Go scheduler stays with a thread that has left for C or waits in the kernel,
// until somebody takes it back, which the runtime does only every so often, up to 10 ms. A thread
// that finds none waits for that. So there are about two for each thread of the host that calls at
// the same time, however few the machine has; to have them costs little.
const (
	leastProcessors = 16
	mostProcessors  = 256
)

// gcPercent lets more garbage gather before it is collected than Go's own 100: the library keeps
// little, so that alone would mean a collection for every few large replies, each with workers on
// a quarter of the processors.
const gcPercent = 400

var processors = struct {
	ours  bool // to set
	count atomic.Int64
}{ours: os.Getenv("GOMAXPROCS") == ""}

func init() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	Provide(0)
}

// Provide sees to processors for so many threads that call at the same time. The number only
// grows: whoever called so many at a time may do so again.
func Provide(threads int) {
	wanted := int64(leastProcessors)
	for wanted < int64(2*threads) && wanted < mostProcessors {
		wanted *= 2
	}
	have := processors.count.Load()
	if !processors.ours || wanted <= have || !processors.count.CompareAndSwap(have, wanted) {
		return
	}
	if int64(runtime.GOMAXPROCS(0)) < wanted {
		runtime.GOMAXPROCS(int(wanted))
	}
}
