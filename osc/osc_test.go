package osc

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	goosc "github.com/hypebeast/go-osc/osc"
)

// seen collects what a packet holds: messages as text, faults by name.
func seen(packet []byte) (messages []string, wrong []*DecodeError) {
	var d Decoder
	d.Decode(packet, func(m *Message) { messages = append(messages, m.String()) },
		func(e *DecodeError) { c := *e; wrong = append(wrong, &c) })
	return messages, wrong
}

// pad is an OSC string.
func pad(s string) string { return s + strings.Repeat("\x00", 4-len(s)%4) }

func be32(v uint32) string { return string(binary.BigEndian.AppendUint32(nil, v)) }
func be64(v uint64) string { return string(binary.BigEndian.AppendUint64(nil, v)) }

func bundle(elements ...string) string {
	b := "#bundle\x00" + be64(1)
	for _, e := range elements {
		b += be32(uint32(len(e))) + e
	}
	return b
}

func TestDecode(t *testing.T) {
	msg := pad("/a") + pad(",i") + be32(5)
	for _, tt := range []struct{ name, packet, want string }{
		{"int", msg, "/a 5"},
		{"no type tags", pad("/abc"), "/abc"},
		{"no arguments", pad("/abc") + pad(","), "/abc"},
		{"float", pad("/a") + pad(",f") + be32(math.Float32bits(0.1)), "/a 0.1"},
		{"double", pad("/a") + pad(",d") + be64(math.Float64bits(0.1)), "/a 0.1"},
		{"long", pad("/a") + pad(",h") + be64(1<<40), "/a 1099511627776"},
		{"negative", pad("/a") + pad(",i") + be32(0xffffffff), "/a -1"},
		{"string", pad("/a") + pad(",s") + pad("on"), `/a "on"`},
		{"symbol", pad("/a") + pad(",S") + pad("four"), `/a "four"`},
		{"flags", pad("/a") + pad(",TFNI"), "/a true false an argument of type N an argument of type I"},
		{"empty blob", pad("/a") + pad(",b") + be32(0), "/a <0 bytes>"},
		{"blob", pad("/a") + pad(",bi") + be32(5) + "12345\x00\x00\x00" + be32(7), "/a <5 bytes> 7"},
		{"char, colour, midi", pad("/a") + pad(",crm") + be32('x') + be32(1) + be32(2), "/a an argument of type c an argument of type r an argument of type m"},
		{"time tag", pad("/a") + pad(",t") + be64(1), "/a an argument of type t"},
		{"arrays", pad("/a") + pad(",[i[i]]i") + be32(1) + be32(2) + be32(3), "/a 1 2 3"},
		{"bundle", bundle(msg, pad("/b")), "/a 5|/b"},
		{"nested, in order", bundle(pad("/a"), bundle(pad("/b"), pad("/c")), pad("/d")), "/a|/b|/c|/d"},
		{"empty bundle", bundle(), ""},
	} {
		got, wrong := seen([]byte(tt.packet))
		if strings.Join(got, "|") != tt.want || len(wrong) > 0 {
			t.Errorf("%s: %q, %v, want %q", tt.name, got, wrong, tt.want)
		}
	}
}

func TestDecodeFaults(t *testing.T) {
	deep := pad("/a")
	for range MaxDepth + 1 {
		deep = bundle(deep)
	}
	var wide []string
	for range MaxElements + 1 {
		wide = append(wide, pad("/a"))
	}
	for _, tt := range []struct {
		name, packet string
		want         Fault
		at           int
	}{
		{"empty", "", FaultSize, 0},
		{"one byte", "/", FaultSize, 0},
		{"not a multiple of four", pad("/a") + "x", FaultSize, 0},
		{"no end of the address", "/abc", FaultString, 0},
		{"no slash", pad("abc") + pad(",i") + be32(1), FaultAddress, 0},
		{"slash alone", pad("/") + pad(","), FaultAddress, 0},
		{"not ASCII", pad("/\x88\x30"), FaultAddress, 0},
		{"a space", pad("/a b"), FaultAddress, 0},
		{"address too long", pad("/" + strings.Repeat("a", MaxAddress)), FaultAddress, 0},
		{"no comma", pad("/a") + pad("i") + be32(1), FaultTag, 4},
		{"unknown tag", pad("/a") + pad(",x"), FaultTag, 5},
		{"bracket open", pad("/a") + pad(",[i") + be32(1), FaultTag, 7},
		{"bracket close", pad("/a") + pad(",]"), FaultTag, 5},
		{"int cut off", pad("/a") + pad(",i"), FaultArgument, 8},
		{"long cut off", pad("/a") + pad(",h") + be32(1), FaultArgument, 8},
		{"string without end", pad("/a") + pad(",s") + "abcd", FaultString, 8},
		{"blob too long", pad("/a") + pad(",b") + be32(100), FaultArgument, 8},
		{"blob negative", pad("/a") + pad(",b") + be32(0xffffffff), FaultArgument, 8},
		{"bytes behind", pad("/a") + pad(",i") + be32(1) + be32(2), FaultTrailing, 12},
		{"bundle without time", "#bundle\x00", FaultBundle, 0},
		{"not a bundle", "#bundlf\x00" + be64(1), FaultBundle, 0},
		{"element negative", "#bundle\x00" + be64(1) + be32(0xffffffff), FaultBundle, 16},
		{"element too long", "#bundle\x00" + be64(1) + be32(100) + pad("/a"), FaultBundle, 16},
		{"too deep", deep, FaultDepth, MaxDepth * 20},
		{"too wide", bundle(wide...), FaultCount, 16 + MaxElements*8},
		{"too many arguments", pad("/a") + pad(","+strings.Repeat("N", MaxArgs+1)), FaultCount, 5 + MaxArgs},
	} {
		_, wrong := seen([]byte(tt.packet))
		if len(wrong) != 1 || wrong[0].Fault != tt.want || wrong[0].Offset != tt.at {
			t.Errorf("%s: %v, want fault %d at %d", tt.name, wrong, tt.want, tt.at)
		}
	}
}

// An element that is wrong does not take the others with it.
func TestDecodeServesTheRest(t *testing.T) {
	got, wrong := seen([]byte(bundle(pad("/a"), pad("/b")+pad(",x"), pad("/c"))))
	if strings.Join(got, "|") != "/a|/c" || len(wrong) != 1 {
		t.Errorf("%q, %v", got, wrong)
	}
}

// What go-osc encodes, we decode to the same.
func TestAgainstGoOSC(t *testing.T) {
	m := goosc.NewMessage("/x/y", int32(-7), int64(1<<40), float32(0.5), 0.25, "text", []byte{1, 2, 3}, true, false, nil)
	b := goosc.NewBundle(time.Unix(1, 0))
	_ = b.Append(m)
	_ = b.Append(goosc.NewMessage("/z"))
	packet, err := b.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	got, wrong := seen(packet)
	want := `/x/y -7 1099511627776 0.5 0.25 "text" <3 bytes> true false an argument of type N|/z`
	if strings.Join(got, "|") != want || len(wrong) > 0 {
		t.Errorf("%q, %v", got, wrong)
	}
}

func testSpace(t testing.TB) *Space {
	t.Helper()
	s, err := NewSpace([]Entry{
		{Address: "/mod/filter1/cutoff", Kind: Number, Min: 10, Max: 20000, Unit: "Hz"},
		{Address: "/mod/filter1/mode", Kind: Name, Names: []string{"lp", "hp", "bp"}},
		{Address: "/gate/adsr1", Kind: Gate},
		{Address: "/engine/status", Kind: Query},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestResolve(t *testing.T) {
	s := testSpace(t)
	for _, tt := range []struct {
		address string
		args    []any
		entry   int
		value   float64
		err     string
	}{
		{"/mod/filter1/cutoff", []any{int32(440)}, 0, 440, ""},
		{"/mod/filter1/cutoff", []any{float32(440.5)}, 0, 440.5, ""},
		{"/mod/filter1/cutoff", []any{440.25}, 0, 440.25, ""},
		{"/mod/filter1/cutoff", []any{int64(440)}, 0, 440, ""},
		{"/mod/filter1/cutoff", []any{5.0}, 0, 0, "5 is not a number from 10 to 20000 Hz"},
		{"/mod/filter1/cutoff", []any{math.NaN()}, 0, 0, "NaN is not a number from"},
		{"/mod/filter1/cutoff", []any{float32(math.Inf(1))}, 0, 0, "+Inf is not a number from"},
		{"/mod/filter1/cutoff", []any{"high"}, 0, 0, `"high" is not a number from`},
		{"/mod/filter1/cutoff", []any{true}, 0, 0, "true is not a number from"},
		{"/mod/filter1/cutoff", nil, 0, 0, "it takes one argument, a number from 10 to 20000 Hz, not 0"},
		{"/mod/filter1/cutoff", []any{int32(1), int32(2)}, 0, 0, "not 2"},
		{"/mod/filter1/mode", []any{"hp"}, 1, 1, ""},
		{"/mod/filter1/mode", []any{float32(2)}, 1, 2, ""},
		{"/mod/filter1/mode", []any{float32(0.5)}, 1, 0, "0.5 is not lp, hp, bp"},
		{"/mod/filter1/mode", []any{int32(3)}, 1, 0, "3 is not lp, hp, bp"},
		{"/mod/filter1/mode", []any{"notch"}, 1, 0, `"notch" is not lp, hp, bp`},
		{"/gate/adsr1", []any{"on"}, 2, 1, ""},
		{"/gate/adsr1", []any{"off"}, 2, 0, ""},
		{"/gate/adsr1", []any{true}, 2, 1, ""},
		{"/gate/adsr1", []any{false}, 2, 0, ""},
		{"/gate/adsr1", []any{int32(0)}, 2, 0, ""},
		{"/gate/adsr1", []any{float32(0.7)}, 2, float64(float32(0.7)), ""},
		{"/gate/adsr1", []any{int32(-1)}, 2, 0, ""},
		{"/gate/adsr1", []any{"yes"}, 2, 0, `"yes" is not a number, true, false, on or off`},
		{"/gate/adsr1", []any{math.NaN()}, 2, 0, "NaN is not"},
		{"/gate/adsr1", []any{[]byte{1}}, 2, 0, "an argument of type b is not"},
		{"/engine/status", nil, 3, 0, ""},
		{"/engine/status", []any{int32(1)}, 3, 0, "it takes no argument, not 1"},
		{"/mod/filter1/cutof", []any{int32(1)}, 0, 0, "under /mod/filter1/ there are cutoff, mode"},
		{"/gate/x", []any{int32(1)}, 0, 0, "under /gate/ there are adsr1"},
		{"/foo", nil, 0, 0, "unknown; the nearest is /"},
		{"/mod/*/cutoff", []any{int32(1)}, 0, 0, "address patterns are not supported"},
	} {
		packet, err := Encode(tt.address, tt.args...)
		if err != nil {
			t.Fatal(err)
		}
		var d Decoder
		d.Decode(packet, func(m *Message) {
			entry, value, err := s.Resolve(m)
			switch {
			case tt.err == "" && (err != nil || entry != tt.entry || value != tt.value):
				t.Errorf("%s %v: %d, %g, %v", tt.address, tt.args, entry, value, err)
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Errorf("%s %v: %v, want %s", tt.address, tt.args, err, tt.err)
			}
		}, func(e *DecodeError) { t.Errorf("%s: %v", tt.address, e) })
	}
}

func TestNewSpaceRefuses(t *testing.T) {
	for _, e := range [][]Entry{{{Address: "a"}}, {{Address: "/a*"}}, {{Address: "/a"}, {Address: "/a"}}} {
		if _, err := NewSpace(e); err == nil {
			t.Errorf("%v", e)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	for _, tt := range []struct {
		address string
		args    []any
	}{
		{"a", nil}, {"/", nil}, {"/a\x00b", nil}, {"/a", []any{"x\x00y"}}, {"/a", []any{struct{}{}}}, {"/a", []any{make([]byte, MaxPacket)}},
	} {
		if _, err := Encode(tt.address, tt.args...); err == nil {
			t.Errorf("%q %T", tt.address, tt.args)
		}
	}
}

func TestParseArg(t *testing.T) {
	for word, want := range map[string]any{
		"5": int32(5), "-5": int32(-5), "0.5": float32(0.5), "true": true, "false": false, "on": "on", "i:7": int32(7),
		"f:7": float32(7), "d:0.1": 0.1, "s:5": "5", "a:b": "a:b", "": "", "1e3": float32(1000), "99999999999": float32(99999999999),
	} {
		if got, err := ParseArg(word); err != nil || got != want {
			t.Errorf("%q: %v (%T), %v", word, got, got, err)
		}
	}
	for _, word := range []string{"i:x", "i:1.5", "f:x", "d:", "i:99999999999"} {
		if _, err := ParseArg(word); err == nil {
			t.Errorf("%q was taken", word)
		}
	}
}

func TestNoAllocs(t *testing.T) {
	s := testSpace(t)
	packet := []byte(bundle(pad("/mod/filter1/cutoff")+pad(",f")+be32(math.Float32bits(440)), pad("/gate/adsr1")+pad(",s")+pad("on")))
	var d Decoder
	count := 0
	visit := func(m *Message) {
		if _, _, err := s.Resolve(m); err == nil {
			count++
		}
	}
	wrong := func(*DecodeError) {}
	if n := testing.AllocsPerRun(100, func() { d.Decode(packet, visit, wrong) }); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
	if count == 0 {
		t.Error("nothing was resolved")
	}
}

// killers reads testdata/killers.txt: packets that end or mute go-osc, and their like.
func killers(t testing.TB) (packets [][]byte) {
	t.Helper()
	f, err := os.Open("testdata/killers.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		line := in.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		var p string
		for _, part := range strings.Fields(line) {
			times := 1
			if end := strings.LastIndexByte(part, '"'); end < len(part)-1 {
				n, err := strconv.Atoi(part[end+2:])
				if err != nil {
					t.Fatal(err)
				}
				part, times = part[:end+1], n
			}
			s, err := strconv.Unquote(part)
			if err != nil {
				t.Fatalf("%s: %v", part, err)
			}
			p += strings.Repeat(s, times)
		}
		packets = append(packets, []byte(p))
	}
	if len(packets) < 20 {
		t.Fatalf("only %d packets", len(packets))
	}
	return packets
}

func listen(t *testing.T, handle func(s *Server) Handler) (*Server, *net.UDPConn) {
	t.Helper()
	s, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, handle(s)) }()
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(s.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = s.Close()
		_ = c.Close()
	})
	return s, c
}

// After each packet that ends or mutes other servers, ours answers the next request.
func TestServerSurvives(t *testing.T) {
	space := testSpace(t)
	s, c := listen(t, func(s *Server) Handler {
		return func(m *Message, from netip.AddrPort) {
			if _, v, err := space.Resolve(m); err != nil {
				_ = s.Fail(from, string(m.Address), err.Error())
			} else {
				_ = s.Reply(from, "/done", string(m.Address), v)
			}
		}
	})
	good, _ := Encode("/gate/adsr1", "on")
	buf := make([]byte, 1<<16)
	for i, packet := range killers(t) {
		if _, err := c.Write(packet); err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
		if _, err := c.Write(good); err != nil {
			t.Fatal(err)
		}
		for answered := false; !answered; {
			_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
			n, err := c.Read(buf)
			if err != nil {
				t.Fatalf("after packet %d (%.40q): %v", i, packet, err)
			}
			got, _ := seen(buf[:n])
			answered = len(got) == 1 && got[0] == `/done "/gate/adsr1" 1`
			if n > 600 {
				t.Errorf("packet %d is answered with %d bytes", i, n)
			}
		}
	}
	if st := s.Stats(); len(st.Malformed) == 0 || st.Packets == 0 {
		t.Errorf("%+v", st)
	}
}

// Messages are handled in the order of sending: 20,000 of them, paced so that none is dropped.
func TestServerOrder(t *testing.T) {
	const count = 20000
	got := make(chan int32, count)
	_, c := listen(t, func(s *Server) Handler {
		return func(m *Message, _ netip.AddrPort) { got <- int32(m.Args[0].Bits) }
	})
	for i := range int32(count) {
		packet, _ := Encode("/n", i)
		if _, err := c.Write(packet); err != nil {
			t.Fatal(err)
		}
		if n := <-got; n != i {
			t.Fatalf("message %d where %d should be", n, i)
		}
	}
}

// A reply that comes in is not answered: two servers would answer each other for ever.
func TestServerIgnoresReplies(t *testing.T) {
	handled := make(chan string, 10)
	_, c := listen(t, func(s *Server) Handler {
		return func(m *Message, _ netip.AddrPort) { handled <- string(m.Address) }
	})
	for _, a := range []string{"/fail", "/done", "/x"} {
		packet, _ := Encode(a, "y")
		_, _ = c.Write(packet)
	}
	if a := <-handled; a != "/x" {
		t.Errorf("%s was handled", a)
	}
}

func TestServeAgain(t *testing.T) {
	s, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		got := make(chan struct{}, 1)
		go func() { done <- s.Serve(ctx, func(*Message, netip.AddrPort) { got <- struct{}{} }) }()
		c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(s.Addr()))
		if err != nil {
			t.Fatal(err)
		}
		packet, _ := Encode("/x")
		_, _ = c.Write(packet)
		<-got
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	}
}

func TestListenErrors(t *testing.T) {
	s, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for address, want := range map[string]string{
		s.Addr().String(): "in use by another program: choose another with --osc", "nonsense": "host:port", "127.0.0.1:99999": "host:port",
	} {
		if _, err := Listen(address); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// Whatever the packet, every message and every fault is told, and the text of each is short and printable.
func FuzzDecode(f *testing.F) {
	for _, p := range killers(f) {
		if len(p) < 4096 {
			f.Add(p)
		}
	}
	f.Add([]byte(bundle(pad("/mod/filter1/cutoff")+pad(",f")+be32(1), pad("/gate/adsr1")+pad(",s")+pad("on"))))
	space := testSpace(f)
	var d Decoder
	f.Fuzz(func(t *testing.T, packet []byte) {
		before := bytes.Clone(packet)
		d.Decode(packet, func(m *Message) {
			_ = m.String()
			if _, v, err := space.Resolve(m); err == nil {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Fatalf("%s resolved to %g", m.Address, v)
				}
			} else if len(err.Error()) > 700 || !printable([]byte(strings.ReplaceAll(err.Error(), " ", ""))) {
				t.Fatalf("%q", err)
			}
		}, func(e *DecodeError) {
			if e.Offset < 0 || e.Offset > len(packet) || e.Error() == "" {
				t.Fatalf("%+v", e)
			}
		})
		if !bytes.Equal(before, packet) {
			t.Fatal("the packet was written to")
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	s := testSpace(b)
	packet, _ := Encode("/mod/filter1/cutoff", float32(440))
	var d Decoder
	b.ReportAllocs()
	for b.Loop() {
		d.Decode(packet, func(m *Message) { _, _, _ = s.Resolve(m) }, func(e *DecodeError) { b.Fatal(e) })
	}
}

func ExampleEncode() {
	b, _ := Encode("/gate/adsr1", "on")
	fmt.Printf("%q\n", b)
	// Output: "/gate/adsr1\x00,s\x00\x00on\x00\x00"
}
