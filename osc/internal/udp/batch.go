package udp

import (
	"net/netip"
	"syscall"
	"time"
	"unsafe"
)

// MaxBatch is the most datagrams that one read returns.
const MaxBatch = 32

// Batch reads datagrams by recvmmsg: at 100,000 datagrams a second, one system call for each
// would take a fifth of a core. Package net reads one at a time, and ReadBatch of x/net allocates.
type Batch struct {
	conn       *Socket
	onReadable func() bool // receive as a function value, made once: a read must not allocate
	err        error       // of the last read

	n, next int // datagrams of the last read; those before next were returned
	heads   [MaxBatch]mmsghdr
	parts   [MaxBatch]syscall.Iovec
	names   [MaxBatch]syscall.RawSockaddrInet6 // large enough for IPv4 and IPv6
	bodies  [MaxBatch][maxDatagram]byte
	stamps  [MaxBatch]timestamp
	readAt  time.Time
	flood   floodDetector
}

// timestamp is the control message with the time at which the kernel received a datagram.
type timestamp struct {
	head syscall.Cmsghdr
	at   syscall.Timespec
}

// mmsghdr is the kernel's structure, see recvmmsg(2).
type mmsghdr struct {
	head  syscall.Msghdr
	bytes uint32
}

const maxDatagram = 1 << 16 // bytes: above the most that UDP carries

// NewBatch returns a reader of the datagrams of conn.
func NewBatch(conn *Socket) *Batch {
	t := &Batch{conn: conn}
	for i := range t.heads {
		t.parts[i].Base = &t.bodies[i][0]
		t.parts[i].SetLen(maxDatagram)
		t.heads[i].head.Iov = &t.parts[i]
		t.heads[i].head.Iovlen = 1
		t.heads[i].head.Name = (*byte)(unsafe.Pointer(&t.names[i]))
		t.heads[i].head.Control = (*byte)(unsafe.Pointer(&t.stamps[i]))
	}
	_ = syscall.SetsockoptInt(conn.fd, syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1)
	t.onReadable = t.receive
	return t
}

// receive reads the datagrams that have arrived. It returns false if there are none.
func (t *Batch) receive() bool {
	for i := range t.heads {
		t.heads[i].head.Namelen = syscall.SizeofSockaddrInet6 // the kernel overwrites these
		t.heads[i].head.SetControllen(int(unsafe.Sizeof(timestamp{})))
		t.stamps[i].head.Type = 0
	}
	for {
		n, _, errno := syscall.Syscall6(syscall.SYS_RECVMMSG, uintptr(t.conn.fd),
			uintptr(unsafe.Pointer(&t.heads[0])), MaxBatch, syscall.MSG_DONTWAIT, 0, 0)
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

// Wait waits until nextDatagram has a datagram to return.
func (t *Batch) Wait() error {
	if t.next < t.n {
		return nil
	}
	t.n, t.next, t.err = 0, 0, nil
	if err := t.conn.await(t.onReadable); err != nil {
		return err
	}
	return t.err
}

// waited is the time that datagram i spent in the socket, or 0 if that is unknown: the kernel gave
// no timestamp, or the wall clock was set meanwhile.
func (t *Batch) waited(i int) time.Duration {
	c := &t.stamps[i]
	if c.head.Level != syscall.SOL_SOCKET || c.head.Type != syscall.SO_TIMESTAMPNS {
		return 0
	}
	if d := time.Duration(t.readAt.UnixNano() - c.at.Nano()); d > 0 && d < time.Minute {
		return d
	}
	return 0
}

// Next returns the next datagram of the batch, valid until the next wait, and the time that
// it spent in the socket.
func (t *Batch) Next() (packet []byte, from netip.AddrPort, waited time.Duration, ok bool) {
	if t.next >= t.n {
		return nil, from, 0, false
	}
	i := t.next
	t.next++
	return t.bodies[i][:t.heads[i].bytes], addrPort(&t.names[i], &t.conn.zones), t.waited(i), true
}

// Above 10 datagrams in 1 ms, Accumulate sleeps for 250 µs: to wake up for each datagram costs
// sender and reader more than the rest.
const (
	floodStep  = time.Millisecond
	floodCount = 10
	floodPause = 250 * time.Microsecond
)

// floodDetector decides when datagrams should accumulate.
type floodDetector struct {
	since time.Time
	count int
}

// observe records n datagrams read at now. It reports whether more should accumulate before the
// next read.
func (f *floodDetector) observe(n int, now time.Time) bool {
	f.count += n
	if f.count <= floodCount {
		return false
	}
	fast := now.Sub(f.since) < floodStep
	f.since, f.count = now, 0
	return fast
}

// Accumulate lets more datagrams arrive during a flood, so that the next read returns many. It is
// called once after each batch.
func (t *Batch) Accumulate() {
	if t.flood.observe(t.n, time.Now()) && t.n < MaxBatch {
		pause(floodPause)
	}
}

// pause sleeps in the kernel. Go's own sleep takes at least 1 ms while nothing else runs. shm/sys
// has the same function, but OSC packages must not import shm.
func pause(d time.Duration) {
	ts := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&ts, nil)
}
