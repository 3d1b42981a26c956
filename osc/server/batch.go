package server

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
	stamps  [gathered]stamp
	readAt  time.Time
}

// stamp is a control message that says when the kernel took a datagram in.
type stamp struct {
	head syscall.Cmsghdr
	at   syscall.Timespec
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
		t.heads[i].head.Control = (*byte)(unsafe.Pointer(&t.stamps[i]))
	}
	_ = syscall.SetsockoptInt(conn.fd, syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1)
	t.receive = t.gather
	return t
}

// gather reads what has come. It is false if nothing has.
func (t *intray) gather() bool {
	for i := range t.heads {
		t.heads[i].head.Namelen = syscall.SizeofSockaddrInet6 // the kernel has written over these
		t.heads[i].head.SetControllen(int(unsafe.Sizeof(stamp{})))
		t.stamps[i].head.Type = 0
	}
	for {
		n, _, errno := syscall.Syscall6(syscall.SYS_RECVMMSG, uintptr(t.conn.fd), uintptr(unsafe.Pointer(&t.heads[0])), gathered, syscall.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			t.n, t.err, t.readAt = int(n), nil, time.Now()
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

// waited is how long a datagram had been there when it was read, if the kernel says so. A clock that was set meanwhile is not believed.
func (t *intray) waited(i int) time.Duration {
	c := &t.stamps[i]
	if c.head.Level != syscall.SOL_SOCKET || c.head.Type != syscall.SO_TIMESTAMPNS {
		return 0
	}
	if d := time.Duration(t.readAt.UnixNano() - c.at.Nano()); d > 0 && d < time.Minute {
		return d
	}
	return 0
}

// take is the next datagram of those that fill has read, good until the next fill, and how long it had been there.
func (t *intray) take() (packet []byte, from netip.AddrPort, waited time.Duration, ok bool) {
	if t.next >= t.n {
		return nil, from, 0, false
	}
	i := t.next
	t.next++
	return t.bodies[i][:t.heads[i].bytes], addrPort(&t.names[i], &t.conn.zones), t.waited(i), true
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

// pause sleeps in the kernel, as sys.Sleep does, which this package may not reach: Go's own sleep is a millisecond at the least while nothing else runs.
func pause(d time.Duration) {
	ts := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&ts, nil)
}
