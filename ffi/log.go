package main

/*
#include "log.h"

static inline void deliver(void *callback, uintptr_t context, int32_t level, const char *line, size_t len)
{
    log_deliver((glide_log_callback)callback, context, level, line, len);
}
*/
import "C"

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"libglide/core"
)

func init() {
	name := C.GoString(C.log_variable())
	level, known := core.LogLevelOf(name)
	if !known && name != "" {
		writeLine(core.LogError, fmt.Sprintf("GLIDE_LOG is %q: it may be off, error, warn, info or debug", name))
	}
	core.SetLog(level, writeLine)
}

// writeLine is the sink of those who asked for lines and gave no callback. Not os.Stderr: where that
// is a closed pipe it ends the process.
func writeLine(level core.LogLevel, line string) {
	text := []byte(time.Now().UTC().Format("2006-01-02T15:04:05.000Z") + " libglide " + level.String() + ": " + line + "\n")
	for len(text) > 0 {
		n, err := syscall.Write(2, text)
		if n > 0 {
			text = text[n:]
		} else if err != syscall.EINTR {
			return
		}
	}
}

// logbook gives lines to a callback of the host, one after another, on a goroutine of its own. A
// callback of an interpreted language may begin to collect garbage, close a client that way, and
// so log again: nobody within the library may wait for it.
type logbook struct {
	callback unsafe.Pointer
	context  C.uintptr_t
	lines    chan logLine
	lost     atomic.Uint64
	stop     chan struct{}
	stopped  chan struct{}
}

type logLine struct {
	level core.LogLevel
	text  string
}

// logRoom is how many lines may wait.
const logRoom = 1024

func newLogbook(callback unsafe.Pointer, context C.uintptr_t) *logbook {
	b := &logbook{callback: callback, context: context, lines: make(chan logLine, logRoom),
		stop: make(chan struct{}), stopped: make(chan struct{})}
	go b.deliver()
	return b
}

func (b *logbook) take(level core.LogLevel, text string) {
	select {
	case b.lines <- logLine{level, text}:
	default:
		b.lost.Add(1)
	}
}

func (b *logbook) deliver() {
	defer close(b.stopped)
	for {
		select {
		case line := <-b.lines:
			b.give(line)
		case <-b.stop:
			for len(b.lines) > 0 {
				b.give(<-b.lines)
			}
			return
		}
	}
}

// give hands the host a line, and before it what should have come before it.
func (b *logbook) give(line logLine) {
	if lost := b.lost.Swap(0); lost > 0 {
		b.say(logLine{core.LogWarn, fmt.Sprintf("%d lines of the log are lost: more than %d waited", lost, logRoom)})
	}
	b.say(line)
}

func (b *logbook) say(line logLine) {
	text := append([]byte(line.text), 0)
	C.deliver(b.callback, b.context, C.int32_t(line.level), (*C.char)(unsafe.Pointer(&text[0])), C.size_t(len(text)-1))
}

var logging struct {
	mu     sync.Mutex
	book   *logbook   // nil: no callback is set
	before []*logbook // were replaced, and may still have lines for the host
}

//export glideGoSetLog
func glideGoSetLog(level C.int32_t, callback C.glide_log_callback, context C.uintptr_t) C.glide_status {
	if guard(func() error {
		fault("glideGoSetLog")
		setLog(level, callback, context)
		return nil
	}) != nil {
		return C.GLIDE_ERR_INTERNAL
	}
	return C.GLIDE_OK
}

func setLog(level C.int32_t, callback C.glide_log_callback, context C.uintptr_t) {
	logging.mu.Lock()
	defer logging.mu.Unlock()
	if replaced := logging.book; replaced != nil {
		close(replaced.stop)
		logging.before = append(logging.before, replaced)
		logging.book = nil
	}
	switch {
	case level == C.GLIDE_LOG_OFF:
		core.SetLog(core.LogOff, nil)
	case callback == nil:
		core.SetLog(core.LogLevel(level), writeLine)
	default:
		logging.book = newLogbook(unsafe.Pointer(callback), context)
		core.SetLog(core.LogLevel(level), logging.book.take)
	}
}

// logMoment is how long a thread waits between two looks for an interrupt.
const logMoment = 20 * time.Millisecond

// glideGoLogSettled waits a moment for the callbacks that were replaced to have had their lines: 1,
// they are not called any more; 0, they may be; -1, it failed. A moment, since a host may be slow,
// and the thread is to hear of signals.
//
//export glideGoLogSettled
func glideGoLogSettled() (settled C.int) {
	if guard(func() error {
		fault("glideGoLogSettled")
		if logSettled() {
			settled = 1
		}
		return nil
	}) != nil {
		return -1
	}
	return settled
}

func logSettled() bool {
	logging.mu.Lock()
	before := slices.Clone(logging.before)
	logging.mu.Unlock()
	moment := time.After(logMoment)
	for _, book := range before {
		select {
		case <-book.stopped:
		case <-moment:
			return false
		}
	}
	logging.mu.Lock()
	defer logging.mu.Unlock()
	logging.before = slices.DeleteFunc(logging.before, func(book *logbook) bool { return slices.Contains(before, book) })
	return true
}
