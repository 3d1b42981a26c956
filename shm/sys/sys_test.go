package sys

import (
	"errors"
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// quietVerb makes the test program count how often Go's monitor thread wakes while a goroutine
// keeps its processor for 300 ms.
const quietVerb = "__quiet"

// childVerb makes the test program hold a liveness word in the memory file at descriptor 3, until
// it is killed.
const childVerb = "__hold_life"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == childVerb {
		mem, err := Map(3, 4096, true)
		if err != nil {
			os.Exit(1)
		}
		runtime.LockOSThread()
		_ = ThreadFIFO(PriorityWatch)
		HoldLivenessWord(word(mem))
		time.Sleep(time.Hour)
	}
	if len(os.Args) == 2 && os.Args[1] == quietVerb {
		os.Exit(countWakeUps())
	}
	os.Exit(m.Run())
}

func word(mem []byte) *atomic.Uint32 { return (*atomic.Uint32)(unsafe.Pointer(&mem[0])) }

// If the process that holds the word is killed, the kernel clears the word and wakes its waiters.
// The pidfd reports the end, and Reap the signal.
func TestHoldLivenessWord(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		fd, err := Memfd("life", 4096)
		if err != nil {
			t.Fatal(err)
		}
		mem, err := Map(fd, 4096, true)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Spawn("/proc/self/exe", []string{"x", childVerb}, os.Environ(), os.Stderr, os.Stderr, []int{fd})
		if err != nil {
			t.Fatal(err)
		}
		for word(mem).Load() == 0 {
			time.Sleep(time.Millisecond)
		}
		if _, ok, _ := p.Reap(); ok {
			t.Fatal("reaped while it lives")
		}
		if err := p.Signal(sig); err != nil {
			t.Fatal(err)
		}
		// Without real-time priority the thread may be the last to end, and the kernel
		// leaves the word.
		for began := time.Now(); word(mem).Load() != 0 && MayFIFO(PriorityWatch) == nil; {
			if !FutexWaitAny([]*atomic.Uint32{word(mem)}, time.Second) || time.Since(began) > 10*time.Second {
				t.Fatal("the word is still set")
			}
		}
		var scratch PollScratch
		fds := []PollFD{{FD: p.FD}}
		for !fds[0].Ready {
			scratch = Poll(fds, scratch, time.Second)
		}
		if e, ok, err := p.Reap(); !ok || err != nil || e.Signal != sig {
			t.Errorf("%v: reaped %v, %t, %v", sig, e, ok, err)
		}
		if p.Close() != nil || Unmap(mem) != nil || CloseFD(fd) != nil {
			t.Error("cannot close")
		}
	}
}

// Packets stay whole, and descriptors arrive as the same files.
func TestSocket(t *testing.T) {
	a, b, err := SocketPair()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	fd, err := Memfd("sent", 4096)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = CloseFD(fd) }()
	if err := a.Send([]byte("one"), fd); err != nil {
		t.Fatal(err)
	}
	if err := a.Send([]byte("two")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 16)
	n, fds, err := b.Receive(buf)
	if err != nil || string(buf[:n]) != "one" || len(fds) != 1 || !Sealed(fds[0]) {
		t.Fatalf("%q, %v, %v", buf[:n], fds, err)
	}
	_ = CloseFD(fds[0])
	if n, fds, err = b.Receive(buf); err != nil || string(buf[:n]) != "two" || len(fds) != 0 {
		t.Fatalf("%q, %v, %v", buf[:n], fds, err)
	}
	_ = a.Close()
	if _, _, err := b.Receive(buf); !errors.Is(err, io.EOF) {
		t.Errorf("after the peer is gone: %v", err)
	}
}

// The number of a closed socket belongs to the next open file, which gets nothing that was sent to
// the socket.
func TestClosedSocketSendsNothing(t *testing.T) {
	a, b, err := SocketPair()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	number := a.FD()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	c, d, err := SocketPair()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	defer d.Close()
	if c.FD() != number {
		t.Fatalf("the kernel gave the socket number %d, not %d, which was free", c.FD(), number)
	}
	if err := a.Send([]byte("stray")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("send on a closed socket: %v, want %v", err, os.ErrClosed)
	}
	a.Shutdown()
	if err := a.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("second close: %v, want %v", err, os.ErrClosed)
	}
	if err := c.Send([]byte("own")); err != nil {
		t.Fatalf("the second socket: %v", err)
	}
	buf := make([]byte, 16)
	if n, _, err := d.Receive(buf); err != nil || string(buf[:n]) != "own" {
		t.Errorf("the second socket received %q, %v", buf[:n], err)
	}
}

func TestFutexWaitAny(t *testing.T) {
	var x, y atomic.Uint32
	x.Store(1)
	if !FutexWaitAny([]*atomic.Uint32{&x, &y}, 10*time.Second) { // y is not 1: it returns at once
		return // a kernel before 5.16, where pidfds alone tell
	}
	y.Store(1)
	go func() {
		y.Store(0)
		FutexWake(&y)
	}()
	FutexWaitAny([]*atomic.Uint32{&x, &y}, 10*time.Second)
	if y.Load() != 0 {
		t.Error("it returned before the word changed")
	}
}

func TestStartTime(t *testing.T) {
	a, ok := StartTime(os.Getpid())
	b, ok2 := StartTime(os.Getpid())
	if !ok || !ok2 || a != b || a == 0 {
		t.Errorf("%d, %d", a, b)
	}
	if _, ok := StartTime(1 << 30); ok {
		t.Error("a process that cannot be")
	}
}

func TestMonotonic(t *testing.T) {
	last := Monotonic()
	for range 1000 {
		now := Monotonic()
		if now < last {
			t.Fatal("it went back")
		}
		last = now
	}
}
