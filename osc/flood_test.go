package osc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// /done is written by hand; it is what the library would write.
func TestDone(t *testing.T) {
	s, _ := mute(t, Access{})
	for _, address := range []string{"/a", "/ab", "/abc", "/mod/filter1/cutoff", "/" + strings.Repeat("x", MaxAddress-1)} {
		if err := s.Peer(near).Done(address); err != nil {
			t.Fatal(err)
		}
		l := s.outbox.take(nil)
		if len(l) != 1 || l[0].to != near || !bytes.Equal(l[0].packet, encode(t, "/done", address)) {
			t.Errorf("%.20s: %v", address, l)
		}
	}
	for _, address := range []string{"", "a", "/", "/\x00", "/" + strings.Repeat("x", MaxAddress)} {
		if err := s.Peer(near).Done(address); err == nil {
			t.Errorf("%.20q can be sent", address)
		}
	}
	if err := (Peer{}).Done("/a"); !errors.Is(err, errNobody) {
		t.Errorf("to nobody: %v", err)
	}
}

// What may wait for more does; it goes out with what may not, with Flush, and when there is much of it. What is above the size is lost.
func TestOutbox(t *testing.T) {
	o := newOutbox()
	goes := func() bool {
		select {
		case <-o.ready:
			return true
		default:
			return false
		}
	}
	l := letter{near, []byte("x")}
	if !o.put(l, true) || goes() {
		t.Error("what may wait goes out")
	}
	if !o.put(l, false) || !goes() || len(o.take(nil)) != 2 {
		t.Error("what may not wait does")
	}
	o.put(l, true)
	if o.flush(); !goes() || len(o.take(nil)) != 1 {
		t.Error("after a flush it waits")
	}
	for n := range outboxSize {
		if !o.put(l, true) {
			t.Fatalf("%d of %d have room", n, outboxSize)
		}
	}
	if !goes() || o.put(l, true) || len(o.take(nil)) != outboxSize {
		t.Error("a full outbox waits, or takes more")
	}
}

// Of many answers those that follow one another to a program of this machine go out together, as many as a bundle holds.
func TestTogether(t *testing.T) {
	a, b := letter{near, encode(t, "/done", "/a")}, letter{netip.AddrPortFrom(near.Addr(), 9), encode(t, "/done", "/b")}
	large := letter{near, encode(t, "/large", strings.Repeat("x", mostBundle))}
	largest := letter{near, encode(t, "/l", strings.Repeat("x", MaxPacket-16))}
	away := letter{far, a.packet}
	for _, c := range []struct {
		name string
		list []letter
		want string // letters of each datagram
	}{
		{"few", slices.Repeat([]letter{a}, crowded-1), strings.Repeat("1 ", crowded-1)},
		{"many", slices.Repeat([]letter{a}, crowded), "8 "},
		{"more than a bundle holds", slices.Repeat([]letter{a}, 100), "69 31 "},
		{"to two", append(slices.Repeat([]letter{a}, 20), b, a, b, b), "20 1 1 2 "},
		{"to other machines", slices.Repeat([]letter{away}, 17), strings.Repeat("1 ", 17)},
		{"large ones", append(slices.Repeat([]letter{large}, 2), slices.Repeat([]letter{a}, 15)...), "1 1 15 "},
		{"the largest", append(slices.Repeat([]letter{largest}, 2), slices.Repeat([]letter{a}, 15)...), "1 1 15 "},
	} {
		got, buf := "", make([]byte, 0, mostBundle)
		for rest := c.list; len(rest) > 0; {
			packet, n := together(buf, rest, len(c.list) >= crowded)
			texts, _ := seen(packet)
			if len(packet) > MaxPacket {
				t.Errorf("%s: %d bytes, more than UDP carries", c.name, len(packet))
			}
			if len(texts) != n {
				t.Errorf("%s: %d messages, %d letters", c.name, len(texts), n)
			}
			got, rest = got+fmt.Sprint(n, " "), rest[n:]
		}
		if got != c.want {
			t.Errorf("%s: %s, not %s", c.name, got, c.want)
		}
	}
}

// gatherer notes the ends of packets, and the flushes.
type gatherer struct{ notes chan string }

func (g gatherer) Take(m *Message, _ Peer) { g.notes <- string(m.Address) }
func (g gatherer) End(Peer)                { g.notes <- "end" }
func (g gatherer) Flush()                  { g.notes <- "flush" }

// Over a connection each packet is flushed.
func TestFlushOfConnections(t *testing.T) {
	g := gatherer{make(chan string, 100)}
	s := listen(t, "127.0.0.1:0")
	done := make(chan error, 1)
	go func() { done <- s.Serve(t.Context(), func() Handler { return g }) }()
	for _, transport := range transports[1:] {
		c := connect(t, s, transport)
		for range 3 {
			c.send(encode(t, "/a"))
			for _, want := range []string{"/a", "end", "flush"} {
				select {
				case got := <-g.notes:
					if got != want {
						t.Fatalf("%s: %s where %s should be", transport, got, want)
					}
				case <-time.After(patience):
					t.Fatalf("%s: no %s", transport, want)
				}
			}
		}
	}
	_ = s.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// panics is a handler that fails at one address.
type panics struct{ gatherer }

func (p panics) Take(m *Message, from Peer) {
	if string(m.Address) == "/b" {
		panic("/b")
	}
	p.gatherer.Take(m, from)
}

// What was taken before a panic is flushed, and what has come with it waits for the next Serve.
func TestFlushAfterPanic(t *testing.T) {
	s := listen(t, "127.0.0.1:0")
	c := dial(t, s)
	for _, address := range []string{"/a", "/b", "/c"} {
		write(t, c, encode(t, address))
	}
	g := gatherer{make(chan string, 100)}
	if !fails(func() { _ = s.Serve(t.Context(), func() Handler { return panics{g} }) }) {
		t.Error("the panic is nobody's")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, func() Handler { return panics{g} }) }()
	for _, want := range []string{"/a", "end", "flush", "/c", "end", "flush"} {
		select {
		case got := <-g.notes:
			if got != want {
				t.Fatalf("%s where %s should be", got, want)
			}
		case <-ctx.Done():
			t.Fatalf("no %s", want)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// fails tells whether a function panics.
func fails(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return yes
}

// What has come together is handled before a flush, which always comes.
func TestFlushComesLast(t *testing.T) {
	s := listen(t, "127.0.0.1:0")
	c := dial(t, s)
	const packets = 2*gathered + 5
	for range packets {
		write(t, c, bundleOf(t, encode(t, "/a"), encode(t, "/b")))
	}
	g := gatherer{make(chan string, 10*packets)}
	done := make(chan error, 1)
	go func() { done <- s.Serve(t.Context(), func() Handler { return g }) }()
	count := map[string]int{}
	for last := ""; count["end"] < packets || last != "flush"; count[last]++ {
		select {
		case last = <-g.notes:
		case <-time.After(patience):
			t.Fatalf("nothing comes after %v", count)
		}
		if last == "flush" && count["/a"] != count["end"] {
			t.Errorf("a flush in the middle of a packet: %v", count)
		}
	}
	if count["/a"] != packets || count["/b"] != packets || count["flush"] > packets/2 {
		t.Errorf("%v", count)
	}
	_ = s.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func bundleOf(t *testing.T, packets ...[]byte) []byte {
	t.Helper()
	b, err := EncodeBundle(Immediately, packets...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Only where more than ten come in a millisecond are they let gather.
func TestFloodRises(t *testing.T) {
	var f flood
	at := time.Now()
	steps := []struct {
		n     int
		after time.Duration
		want  bool
	}{{1, 0, false}, {32, 0, false}, {10, 500 * time.Microsecond, false}, {1, 100 * time.Microsecond, true}, {11, 999 * time.Microsecond, true}, {11, time.Millisecond, false}, {11, time.Hour, false}}
	for i, s := range steps {
		if at = at.Add(s.after); f.rises(s.n, at) != s.want {
			t.Errorf("step %d: %d after %v: not %t", i, s.n, s.after, s.want)
		}
	}
}

// A socket ends who waits when it is closed, sends nothing more, and leaves no descriptor.
func TestSocketCloses(t *testing.T) {
	descriptors := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	before := 0
	for i := range 20 {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		s, err := newSocket(conn)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.write([]byte("x"), netip.MustParseAddrPort("[::1]:9")); !errors.Is(err, syscall.EAFNOSUPPORT) {
			t.Errorf("to an address of the other kind: %v", err)
		}
		ended := make(chan error, 1)
		go func() { ended <- s.await(func() bool { return false }) }()
		if i%2 == 0 {
			time.Sleep(time.Millisecond) // so that some wait
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("who waits: %v", err)
		}
		if err := s.write([]byte("x"), near); !errors.Is(err, net.ErrClosed) {
			t.Errorf("sent after the end: %v", err)
		}
		if err := s.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed again: %v", err)
		}
		if n := descriptors(); i == 0 {
			before = n
		} else if n != before {
			t.Fatalf("%d descriptors, %d before", n, before)
		}
	}
}

// Addresses are the same on both sides of the kernel.
func TestRawAddr(t *testing.T) {
	for _, text := range []string{"127.0.0.1:1", "192.0.2.7:65535", "[::1]:258", "[2001:db8::7]:9", "[fe80::1%lo]:5"} {
		a := netip.MustParseAddrPort(text)
		var name syscall.RawSockaddrInet6
		var z zones
		if a.Addr().Is4() {
			if rawAddr(&name, a, true, &z); addrPort(&name, &z) != a {
				t.Errorf("%v came back as %v", a, addrPort(&name, &z))
			}
			name = syscall.RawSockaddrInet6{}
		}
		if rawAddr(&name, a, false, &z); addrPort(&name, &z) != a {
			t.Errorf("%v came back as %v, in the long form", a, addrPort(&name, &z))
		}
	}
}

// How long a datagram was in the socket before it was read is known.
func TestWaited(t *testing.T) {
	const long = 30 * time.Millisecond
	s := listen(t, "127.0.0.1:0")
	write(t, dial(t, s), encode(t, "/a"))
	time.Sleep(long) // nobody serves
	write(t, dial(t, s), encode(t, "/b"))
	list := make(chan time.Duration, 2)
	done := make(chan error, 1)
	go func() { done <- s.serveEach(t.Context(), func(m *Message, _ Peer) { list <- m.Waited }) }()
	a, b := <-list, <-list
	if a < long || a > patience || b <= 0 || b > a-long/2 {
		t.Errorf("they waited %v longer one than the other, and are said to have waited %v and %v", long, a, b)
	}
	_ = s.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
