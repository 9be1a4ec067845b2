package core

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// socket is a connection over a blocking descriptor: a read waits in the kernel, which wakes the
// very thread that waits. With the poller of the Go runtime between them two threads would have to
// be switched, since a goroutine that runs within a call from C is bound to its thread.
//
// One goroutine at a time reads and writes. hangUp may come from any other at any time.
type socket struct {
	fd            int
	number        uint64 // that no other has in this process
	local, remote net.Addr
	users         atomic.Int32 // the owner, until Close, and the calls that use fd
	closed        atomic.Bool

	deadline time.Time
	slice    time.Duration // that the kernel is told to wait for; 0: none yet
	// waiting, where it is set, is asked every waitSlice and when a signal came. Once it was
	// interrupted the deadline is lastWords away at most.
	waiting interruptible
	awake   bool // for the first bytes that come next
	vigil   vigil
}

// interruptible is a caller that may want to leave while it waits.
type interruptible interface{ interrupted() bool }

const (
	// A wait in the kernel lasts no longer, so that an interrupt is seen however it arrived.
	waitSlice = 50 * time.Millisecond
	// After an interrupt a reply has so long to come: less than a person notices, and enough for
	// a server that answers at all, so that other callers on the connection do not lose theirs.
	lastWords = 40 * time.Millisecond
)

var sockets atomic.Uint64 // how many there have been

// newSocket takes a connection over; tcp is closed on every return.
func newSocket(tcp *net.TCPConn) (*socket, error) {
	defer tcp.Close()
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	fd := -1
	failed := raw.Control(func(own uintptr) {
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
		if fd, err = syscall.Dup(int(own)); err == nil {
			syscall.CloseOnExec(fd)
		}
	})
	if failed = errors.Join(failed, err); failed != nil {
		return nil, os.NewSyscallError("dup", failed)
	}
	if err := syscall.SetNonblock(fd, false); err != nil {
		_ = syscall.Close(fd)
		return nil, os.NewSyscallError("setnonblock", err)
	}
	s := &socket{fd: fd, number: sockets.Add(1), local: tcp.LocalAddr(), remote: tcp.RemoteAddr()}
	s.users.Store(1)
	return s, nil
}

// enter keeps the descriptor open during a call; false where it is closed. Every enter that is
// true needs its leave.
func (s *socket) enter() bool {
	for {
		users := s.users.Load()
		if users == 0 || s.closed.Load() {
			return false
		}
		if s.users.CompareAndSwap(users, users+1) {
			return true
		}
	}
}

func (s *socket) leave() {
	if s.users.Add(-1) == 0 {
		_ = syscall.Close(s.fd)
	}
}

// Read waits for bytes until the deadline.
func (s *socket) Read(p []byte) (int, error) {
	if !s.enter() {
		return 0, net.ErrClosed
	}
	defer s.leave()
	if n := s.watch(p); n > 0 {
		return n, nil
	}
	for {
		n, err := syscall.Read(s.fd, p)
		switch {
		case n > 0:
			return n, nil
		case err == nil && len(p) == 0:
			return 0, nil
		case err == nil:
			return 0, io.EOF
		}
		if err := s.again(err); err != nil {
			return 0, os.NewSyscallError("read", err)
		}
	}
}

// watch reads what comes while a vigil lasts, where there is to be one; 0: nothing.
func (s *socket) watch(p []byte) (n int) {
	if !s.awake {
		return 0
	}
	s.awake = false
	s.vigil.keep(func() bool {
		var err error
		n, _, err = syscall.Recvfrom(s.fd, p, syscall.MSG_DONTWAIT)
		return err != syscall.EAGAIN // the end and errors show at the next read
	})
	return max(n, 0)
}

// Write writes all of p, or says how much of it was.
func (s *socket) Write(p []byte) (int, error) {
	if !s.enter() {
		return 0, net.ErrClosed
	}
	defer s.leave()
	written := 0
	for written < len(p) {
		n, err := syscall.SendmsgN(s.fd, p[written:], nil, nil, noSignal)
		if n > 0 {
			written += n
		}
		if err != nil {
			if err := s.again(err); err != nil {
				return written, os.NewSyscallError("write", err)
			}
		}
	}
	return written, nil
}

// again decides after a call that ended without effect: nil to try again.
func (s *socket) again(err error) error {
	if err != syscall.EAGAIN && err != syscall.EINTR {
		return err
	}
	if s.closed.Load() {
		return net.ErrClosed
	}
	now := time.Now()
	if s.waiting != nil && s.waiting.interrupted() {
		s.waiting = nil
		if last := now.Add(lastWords); s.deadline.IsZero() || last.Before(s.deadline) {
			s.deadline = last
		}
	}
	return s.arm(now)
}

// SetDeadline bounds the reads and writes that follow; zero: no bound.
func (s *socket) SetDeadline(deadline time.Time) error {
	s.deadline = deadline
	if deadline.IsZero() {
		return s.wait(waitSlice)
	}
	if err := s.arm(time.Now()); err != nil && err != os.ErrDeadlineExceeded {
		return err
	}
	return nil // a deadline in the past shows at the next call
}

// arm tells the kernel how long the next wait may be.
func (s *socket) arm(now time.Time) error {
	left := waitSlice
	if !s.deadline.IsZero() {
		left = min(left, s.deadline.Sub(now))
	}
	if left <= 0 {
		_ = s.wait(time.Millisecond)
		return os.ErrDeadlineExceeded
	}
	return s.wait(left)
}

// wait sets the kernel's limit of a wait. The common one is set once in the life of a connection.
func (s *socket) wait(limit time.Duration) error {
	limit = max(limit, time.Millisecond)
	if limit == s.slice {
		return nil
	}
	value := syscall.NsecToTimeval(limit.Nanoseconds())
	for _, option := range []int{syscall.SO_RCVTIMEO, syscall.SO_SNDTIMEO} {
		if err := syscall.SetsockoptTimeval(s.fd, syscall.SOL_SOCKET, option, &value); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	s.slice = limit
	return nil
}

// hangUp ends the call that waits, and every later one. The descriptor stays until Close.
func (s *socket) hangUp() {
	if s.enter() {
		_ = syscall.Shutdown(s.fd, syscall.SHUT_RDWR)
		s.leave()
	}
}

// Close gives the descriptor back when no call uses it any more.
func (s *socket) Close() error {
	s.hangUp()
	if s.closed.Swap(true) {
		return net.ErrClosed
	}
	s.leave()
	return nil
}

// gone peeks without waiting: see conn.hungUp.
func (s *socket) gone() bool {
	if !s.enter() {
		return true
	}
	defer s.leave()
	return peekGone(s.fd)
}

func (s *socket) LocalAddr() net.Addr                { return s.local }
func (s *socket) RemoteAddr() net.Addr               { return s.remote }
func (s *socket) SetReadDeadline(t time.Time) error  { return s.SetDeadline(t) }
func (s *socket) SetWriteDeadline(t time.Time) error { return s.SetDeadline(t) }
