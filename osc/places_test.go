package osc

import (
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"
)

// elsewhere is the address of one of many other machines.
func elsewhere(machine int) netip.Addr {
	return netip.AddrFrom4([4]byte{192, 0, 2, byte(machine)})
}

// Of 64 places 48 are for other machines, 16 for one of these; this machine may have all.
func TestPlaces(t *testing.T) {
	p := NewQuota(64)
	for machine := range 5 {
		for i := range 20 {
			if got, want := p.Acquire(elsewhere(machine)), i < 16 && machine < 3; got != want {
				t.Fatalf("machine %d, place %d: %t", machine, i, got)
			}
		}
	}
	here := []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1"), {}}
	for i := range 17 {
		if got := p.Acquire(here[i%3]); got != (i < 16) {
			t.Fatalf("place %d of this machine: %t", i, got)
		}
	}
	for _, tt := range []struct {
		has, from netip.Addr
		helps     bool
	}{
		{elsewhere(0), here[0], true},
		{here[1], here[0], true},
		{here[0], elsewhere(0), false}, // what is this machine's stays so
		{here[0], elsewhere(9), false}, //
		{elsewhere(0), elsewhere(0), true},
		{elsewhere(1), elsewhere(0), false}, // it has its part
		{elsewhere(1), elsewhere(9), true},
	} {
		if got := p.WouldHelp(tt.has, tt.from); got != tt.helps {
			t.Errorf("a place of %v helps %v: %t", tt.has, tt.from, got)
		}
	}
	p.Release(elsewhere(1))
	if p.Acquire(elsewhere(0)) || !p.Acquire(elsewhere(9)) || p.Acquire(elsewhere(1)) {
		t.Error("a place that was freed is not for who has less than its part")
	}
	for range 16 {
		p.Release(here[0])
	}
	for range 15 {
		p.Release(elsewhere(1))
	}
	if p.here != 0 || p.away != 33 || len(p.taken) != 3 {
		t.Errorf("%d, %d, %v are left", p.here, p.away, p.taken)
	}
}

// However many other machines connect, idle or not, a program of this machine finds a place, and another machine too; none of those makes this
// one's programs leave.
func TestGuestsFromElsewhere(t *testing.T) {
	l := guests{limits: standard(), places: NewQuota(standard().conns), sources: newSources()}
	var ends []net.Conn
	come := func(from netip.Addr) *guest {
		ours, theirs := net.Pipe()
		ends = append(ends, theirs)
		return l.enter(ours, netip.AddrPortFrom(from, 1))
	}
	for i := range 64 {
		come(elsewhere(i % 2))
	}
	if n := l.count(); n != 32 {
		t.Errorf("two machines have %d connections", n)
	}
	if come(elsewhere(7)) == nil {
		t.Error("a third machine finds no place")
	}
	var here []*guest
	for i := range 16 {
		from := netip.MustParseAddr(fmt.Sprint("127.0.0.", i+1))
		if here = append(here, come(from)); here[i] == nil {
			t.Fatalf("program %d of this machine finds no place", i)
		}
	}
	for i := range 64 {
		come(elsewhere(10 + i))
	}
	for g := range l.in { // all have long been idle, those of here the longest
		g.heardAt.Store(time.Now().Add(-2 * l.limits.idle).UnixNano())
	}
	for _, g := range here {
		g.heardAt.Add(-int64(time.Hour))
	}
	if l.count() != 64 || come(elsewhere(0)) == nil || come(elsewhere(99)) == nil || l.count() != 64 {
		t.Errorf("%d connections; nobody of the others made room for the others", l.count())
	}
	for _, g := range here {
		if _, in := l.in[g]; !in {
			t.Fatal("a program of this machine had to leave for another machine")
		}
	}
	if come(netip.MustParseAddr("::1")) == nil || l.count() != 64 {
		t.Errorf("%d connections; nobody made room for this machine", l.count())
	}
	l.close()
	for _, c := range ends {
		_ = c.Close()
	}
	if l.count() != 0 || l.places.here != 0 || l.places.away != 0 {
		t.Errorf("%d connections, %d and %d places are left", l.count(), l.places.here, l.places.away)
	}
}

// Who takes what it is told has a place as good as who sends; one that has gone without a word is ended by the kernel.
func TestWhoIsToldIsNotIdle(t *testing.T) {
	s := serveWith(t, "127.0.0.1:0", Access{}, standard(), echo)
	c := connect(t, s, "tcp slip")
	c.send(encode(t, "/engine/status"))
	if c.read(patience) == "" {
		t.Fatal("no answer")
	}
	s.guests.mu.Lock()
	defer s.guests.mu.Unlock()
	for g := range s.guests.in {
		g.heardAt.Store(0)
		if _, err := g.Write([]byte{0xc0}); err != nil || g.heardAt.Load() == 0 {
			t.Errorf("%v; it counts as idle", err)
		}
		raw, err := g.Conn.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		_ = raw.Control(func(fd uintptr) {
			if ms, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout); err != nil || time.Duration(ms)*time.Millisecond != forsaken {
				t.Errorf("the kernel tries for %d ms: %v", ms, err)
			}
		})
	}
}
