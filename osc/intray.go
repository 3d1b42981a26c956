package osc

import (
	"net/netip"
	"syscall"
	"time"
	"unsafe"
)

// gathered is how many datagrams one read may bring.
const gathered = 32

// intray reads the datagrams of a socket, as many at a time as have come: at 100,000 a second a system call for each would take a fifth of a core.
// The net package has one at a time, x/net's ReadBatch allocates for each.
type intray struct {
	conn    *socket
	receive func() bool // made once, since a closure at each read would be allocated
	err     error       // of the last read

	n, next int // datagrams of the last read; those before next are handled
	heads   [gathered]arrived
	parts   [gathered]syscall.Iovec
	names   [gathered]syscall.RawSockaddrInet6 // the larger of the two kinds
	bodies  [gathered][maxDatagram]byte
}

// arrived is the kernel's struct mmsghdr.
type arrived struct {
	head  syscall.Msghdr
	bytes uint32
}

// maxDatagram is more than UDP carries.
const maxDatagram = 1 << 16

func newIntray(conn *socket) *intray {
	t := &intray{conn: conn}
	for i := range t.heads {
		t.parts[i].Base = &t.bodies[i][0]
		t.parts[i].SetLen(maxDatagram)
		t.heads[i].head.Iov = &t.parts[i]
		t.heads[i].head.Iovlen = 1
		t.heads[i].head.Name = (*byte)(unsafe.Pointer(&t.names[i]))
	}
	t.receive = t.gather
	return t
}

// gather reads what has come. It is false if nothing has.
func (t *intray) gather() bool {
	for i := range t.heads {
		t.heads[i].head.Namelen = syscall.SizeofSockaddrInet6 // the kernel has written over it
	}
	for {
		n, _, errno := syscall.Syscall6(syscall.SYS_RECVMMSG, uintptr(t.conn.fd), uintptr(unsafe.Pointer(&t.heads[0])), gathered, syscall.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			t.n, t.err = int(n), nil
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return false
		default:
			t.err = errno
		}
		return true
	}
}

// fill waits until there is a datagram that was not taken.
func (t *intray) fill() error {
	if t.next < t.n {
		return nil
	}
	t.n, t.next, t.err = 0, 0, nil
	if err := t.conn.await(t.receive); err != nil {
		return err
	}
	return t.err
}

// take is the next datagram of those that fill has read, good until the next fill.
func (t *intray) take() (packet []byte, from netip.AddrPort, ok bool) {
	if t.next >= t.n {
		return nil, from, false
	}
	i := t.next
	t.next++
	return t.bodies[i][:t.heads[i].bytes], addrPort(&t.names[i], &t.conn.zones), true
}

// A flood is read a quarter of a millisecond's worth at a time, from where more than 10 come in a millisecond: for who sends and who reads, waking
// up for each takes longer than the rest.
const (
	floodStep  = time.Millisecond
	floodCount = 10
	floodPause = 250 * time.Microsecond
)

// flood tells when to let datagrams gather.
type flood struct {
	since time.Time
	count int
}

// rises notes that n have come, and tells whether more are to gather before the next read.
func (f *flood) rises(n int, now time.Time) bool {
	f.count += n
	if f.count <= floodCount {
		return false
	}
	fast := now.Sub(f.since) < floodStep
	f.since, f.count = now, 0
	return fast
}

// pause sleeps in the kernel, since Go's own sleep is a millisecond at the least while nothing else runs.
func pause(d time.Duration) {
	ts := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&ts, nil)
}
