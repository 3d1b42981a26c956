package main

import (
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"
)

// badLink carries the frames of two network interfaces to each other, late and with losses, as
// netem does where a kernel has it.
type badLink struct {
	delay, jitter time.Duration
	loss          float64
	ends          [2]int // packet sockets
	index         [2]int

	mu            sync.Mutex
	chance        *rand.Rand
	row           [2]int // frames of each end lost in a row
	carried, lost int
	closed        bool
	threads       sync.WaitGroup
}

// mostInRow bounds the frames of one end that are lost in a row. A segment that is lost four times,
// in 2 s, rightly ends its connection. By chance that would happen in one run of thirty.
const mostInRow = 2

const (
	etherAll      = 0x0300 // ETH_P_ALL, in network order
	packetHeader  = 15     // PACKET_VNET_HDR: a header passes on the work for the hardware, such as checksums
	packetOutgone = 4      // PACKET_OUTGOING
	maxFrame      = 10 + 14 + 1<<16
)

// join begins to carry frames. The interfaces must have no other connection.
func (l *badLink) join(t *testing.T, interfaces [2]string) {
	t.Helper()
	l.chance = rand.New(rand.NewPCG(1, 2))
	for i, name := range interfaces {
		nic, err := net.InterfaceByName(name)
		if err != nil {
			t.Fatal(err)
		}
		fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW, etherAll)
		if err == nil {
			err = syscall.SetsockoptInt(fd, syscall.SOL_PACKET, packetHeader, 1)
		}
		if err == nil {
			err = syscall.Bind(fd, &syscall.SockaddrLinklayer{Protocol: etherAll, Ifindex: nic.Index})
		}
		if err == nil {
			err = syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Usec: 50_000})
		}
		if err != nil {
			t.Fatal(err)
		}
		l.ends[i], l.index[i] = fd, nic.Index
	}
	for i := range l.ends {
		l.threads.Go(func() { l.carry(i, 1-i) })
	}
	t.Cleanup(l.part)
}

func (l *badLink) part() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.threads.Wait()
	time.Sleep(l.delay + l.jitter) // for the frames under way
	for _, fd := range l.ends {
		_ = syscall.Close(fd)
	}
}

func (l *badLink) carry(from, to int) {
	buf := make([]byte, maxFrame)
	for {
		n, at, err := syscall.Recvfrom(l.ends[from], buf, 0)
		l.mu.Lock()
		over, wait, drop := l.closed, l.delay+time.Duration(l.chance.Int64N(int64(l.jitter)+1)), l.chance.Float64() < l.loss && l.row[from] < mostInRow
		if ll, ok := at.(*syscall.SockaddrLinklayer); err != nil || !ok || ll.Pkttype == packetOutgone {
			drop = true
		} else if drop {
			l.lost++
			l.row[from]++
		} else {
			l.carried++
			l.row[from] = 0
		}
		l.mu.Unlock()
		if over {
			return
		}
		if drop {
			continue
		}
		frame := append([]byte(nil), buf[:n]...)
		time.AfterFunc(wait, func() {
			_ = syscall.Sendto(l.ends[to], frame, 0, &syscall.SockaddrLinklayer{Protocol: etherAll, Ifindex: l.index[to]})
		})
	}
}
