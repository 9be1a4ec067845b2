package core

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"

	"libglide/routing"
)

// LogLevel says how much is logged. The numbers are those of GLIDE_LOG_*.
type LogLevel int32

const (
	LogOff   LogLevel = iota
	LogError          // a fault of the library
	LogWarn           // connections refused and lost, a topology that nobody tells, files that cannot be read
	LogInfo           // connections and clients that come and go, changes of the topology
	LogDebug          // also redirects and what is sent again
)

var logLevels = [...]string{"off", "error", "warn", "info", "debug"}

func (l LogLevel) String() string { return logLevels[l] }

// LogLevelOf is the level of a name; false where it is none.
func LogLevelOf(name string) (LogLevel, bool) {
	for level, known := range logLevels {
		if strings.EqualFold(name, known) {
			return LogLevel(level), true
		}
	}
	return LogOff, false
}

// LogSink takes one line without its end, from any goroutine. What it waits for requests wait for.
type LogSink func(level LogLevel, line string)

type logTarget struct {
	level LogLevel
	sink  LogSink
}

var logged atomic.Pointer[logTarget] // nil: off

// SetLog has every client of the process log to a sink from now on, up to a level. A line that is
// just being written may still go to the sink before.
func SetLog(level LogLevel, sink LogSink) {
	if level == LogOff {
		logged.Store(nil)
	} else {
		logged.Store(&logTarget{level, sink})
	}
}

// logs says whether lines of a level are wanted.
func logs(level LogLevel) bool {
	to := logged.Load()
	return to != nil && level <= to.level
}

// logf logs a line. It holds no argument of a command and nothing of a reply but error lines, and
// those as disclosed.
func logf(level LogLevel, format string, args ...any) {
	if to := logged.Load(); to != nil && level <= to.level {
		to.sink(level, fmt.Sprintf(format, args...))
	}
}

// faults are the places that have panicked.
var faults sync.Map

// Panicked is the error that a panic becomes, with the place. It is called within the deferred
// function that recovered it, and logs the stack of the first at each place: one that comes with
// every request would fill a disk.
func Panicked(fault any) *Error {
	place := panicPlace()
	e := NewError(StatusInternal, "panic: %v at %s", fault, place)
	if !logs(LogError) {
		return e
	}
	if _, again := faults.LoadOrStore(place, true); again {
		logf(LogError, "%s, again", e.Message)
	} else {
		logf(LogError, "%s\n%s", e.Message, debug.Stack())
	}
	return e
}

// panicPlace is the file and line that panicked: the first frame outside the runtime above the one
// that recovers.
func panicPlace() string {
	var counters [32]uintptr
	frames := runtime.CallersFrames(counters[:runtime.Callers(0, counters[:])])
	panicked := false
	for {
		frame, more := frames.Next()
		switch {
		case frame.Function == "runtime.gopanic":
			panicked = true
		case panicked && !strings.HasPrefix(frame.Function, "runtime."), !more:
			return fmt.Sprintf("%s:%d", frame.File, frame.Line)
		}
	}
}

// disclosed is an error line of a server for logs and statistics: up to where it quotes the command,
// which may hold a password.
func disclosed(line string) string {
	for _, quote := range []string{" '", " `", ` "`, ": with args beginning"} {
		if before, _, quotes := strings.Cut(line, quote); quotes {
			line = before + " ..."
		}
	}
	return line
}

// disclosedError is disclosed for an error that may hold such a line.
func disclosedError(err error) string {
	var refused refusal
	if errors.As(err, &refused) {
		return disclosed(string(refused))
	}
	return err.Error()
}

// logTopology tells what a view changes.
func logTopology(before, after *routing.Snapshot) {
	if !logs(LogInfo) {
		return
	}
	var changes []string
	add := func(format string, args ...any) { changes = append(changes, fmt.Sprintf(format, args...)) }
	for _, node := range after.Nodes() {
		switch old := before.Find(node.Address); {
		case old == nil:
			add("%s (%s) joined", node.Address, node.Role)
		case old.Role != node.Role:
			add("%s is a %s now", node.Address, node.Role)
		}
	}
	for _, node := range before.Nodes() {
		if after.Find(node.Address) == nil {
			add("%s left", node.Address)
		}
	}
	if changes == nil {
		add("slots moved")
	}
	logf(LogInfo, "topology of epoch %d, %d nodes: %s", after.Epoch, len(after.Nodes()), strings.Join(changes, ", "))
}
