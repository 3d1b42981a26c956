package server

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/internal/osctest"
)

// serveWith is serve with limits of the test.
func serveWith(t *testing.T, address string, access Access, l limits, take func(*osc.Message, Peer)) *Server {
	t.Helper()
	s, err := listenWith(address, access, l)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.serveEach(ctx, take) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = s.Close()
	})
	return s
}

// echo answers /engine/status, and nothing else.
func echo(m *osc.Message, from Peer) {
	if string(m.Address) == "/engine/status" {
		_ = from.Reply("/done", string(m.Address), from.String())
	}
}

// Each transport answers in its own framing, over IPv4 and IPv6, from a peer that names the
// transport and stays equal.
func TestTransports(t *testing.T) {
	hosts := []string{"127.0.0.1:0"}
	if c, err := net.ListenPacket("udp6", "[::1]:0"); err == nil { // not without IPv6
		_ = c.Close()
		hosts = append(hosts, "[::1]:0", "[::]:0")
	}
	for _, host := range hosts {
		peers := make(chan Peer, 100)
		s := serveWith(t, host, Access{Allow: anywhere}, standard(), func(m *osc.Message, from Peer) { peers <- from; echo(m, from) })
		for _, transport := range transports {
			c := connect(t, s, transport)
			var before Peer
			for range 3 {
				c.send(osctest.Encode(t, "/engine/status"))
				got := c.read(patience)
				kind, _, _ := strings.Cut(transport, " ")
				p := <-peers
				if want := `/done "/engine/status" "` + p.String() + `"`; got != want || !strings.HasPrefix(p.String(), kind+" ") {
					t.Fatalf("%s %s: %s, want %s", host, transport, got, want)
				}
				if before != (Peer{}) && p != before || !p.Local() || !p.Trusted() || p.Stream() != (kind != "udp") {
					t.Errorf("%s %s: %v after %v, local %t, trusted %t, stream %t", host, transport, p, before, p.Local(), p.Trusted(), p.Stream())
				}
				before = p
			}
			c.close()
			if kind := strings.HasPrefix(transport, "udp"); !kind {
				select {
				case <-before.Closed():
				case <-time.After(patience):
					t.Errorf("%s %s is not gone", host, transport)
				}
				if err := before.Reply("/x"); err == nil {
					t.Errorf("%s %s: a reply to who is gone", host, transport)
				}
			}
		}
	}
}

// The messages of one connection are handled in order, while other connections send.
func TestStreamOrder(t *testing.T) {
	const count = 5000
	var wrong, done atomic.Int64
	s, err := Listen("127.0.0.1:0", Access{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- s.Serve(ctx, func() Handler { // each connection has its own: no lock
			next := int32(0)
			return each(func(m *osc.Message, _ Peer) {
				if n := int32(m.Args[0].Bits); n != next {
					wrong.Add(1)
				}
				next++
				done.Add(1)
			})
		})
	}()
	for _, transport := range transports[1:] {
		go func() {
			c := connect(t, s, transport)
			for i := range int32(count) {
				if err := c.write(osctest.Encode(t, "/n", i)); err != nil {
					t.Error(err)
					return
				}
			}
		}()
	}
	for end := time.Now().Add(20 * time.Second); done.Load() < 3*count; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d of %d have come", done.Load(), 3*count)
		}
	}
	if wrong.Load() != 0 {
		t.Errorf("%d out of order", wrong.Load())
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Connections outlive the end of Serve, and a panic, which loses one message. Packets wait in
// between.
func TestStreamsOutliveServe(t *testing.T) {
	s := listen(t, "127.0.0.1:0")
	var clients []*client
	for _, transport := range transports[1:] {
		clients = append(clients, connect(t, s, transport))
	}
	for range 5 {
		for _, c := range clients {
			ctx, cancel := context.WithCancel(t.Context())
			c.send(osctest.Encode(t, "/panic"))
			func() {
				defer func() {
					if r := recover(); r != "/panic" {
						t.Errorf("recovered %v", r)
					}
				}()
				_ = s.serveEach(ctx, func(m *osc.Message, from Peer) {
					if string(m.Address) == "/panic" {
						panic("/panic")
					}
					echo(m, from)
				})
			}()
			cancel()
		}
		for _, c := range clients {
			c.send(osctest.Encode(t, "/engine/status"))
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.serveEach(ctx, echo) }()
		for i, c := range clients {
			if got := c.read(patience); !strings.HasPrefix(got, "/done") {
				t.Errorf("connection %d: %q", i, got)
			}
		}
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
}

// A connection ends without a packet, with an unfinished or an unknown one. Between packets it may
// wait.
func TestStreamPatience(t *testing.T) {
	l := limits{conns: 10, idle: time.Minute, first: 100 * time.Millisecond, now: time.Now}
	s := serveWith(t, "127.0.0.1:0", Access{}, l, echo)
	idle := connect(t, s, "tcp counted")
	idle.send(osctest.Encode(t, "/engine/status"))
	if idle.read(patience) == "" {
		t.Fatal("no answer")
	}
	for _, begun := range []string{"", "\x00\x00", "\x00\x00\x00\x10/abc", "\xc0/abc", "\xc0\xdb", "GET / HTTP/1.1\r\n", "hello", "\x00\x10\x00\x04"} {
		c := dialTCP(t, s)
		if _, err := c.Write([]byte(begun)); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(patience))
		buf := make([]byte, 1000)
		for err := error(nil); err == nil; {
			if _, err = c.Read(buf); err != nil && !strings.Contains(err.Error(), "EOF") && !strings.Contains(err.Error(), "reset") {
				t.Errorf("%q: %v", begun, err)
			}
		}
	}
	idle.send(osctest.Encode(t, "/engine/status"))
	if idle.read(patience) == "" {
		t.Error("who had sent whole packets was not waited for")
	}
	if n := sum(s.Stats().Malformed); n != 2 {
		t.Errorf("%d of no framing", n)
	}
}

// Above the limit the newest connection is rejected, unless another one was idle for long.
func TestStreamCount(t *testing.T) {
	var c0 clock
	l := limits{conns: 3, idle: time.Minute, first: time.Minute, now: c0.now}
	s := serveWith(t, "127.0.0.1:0", Access{}, l, echo)
	var in []*client
	for _, transport := range transports[1:] {
		c := connect(t, s, transport)
		c.send(osctest.Encode(t, "/engine/status"))
		if c.read(patience) == "" {
			t.Fatal("no answer")
		}
		in = append(in, c)
	}
	c := dialTCP(t, s)
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if _, err := c.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "EOF") && !strings.Contains(err.Error(), "reset") {
		t.Errorf("a fourth: %v", err)
	}
	for _, c := range in {
		c.send(osctest.Encode(t, "/engine/status"))
		if c.read(patience) == "" {
			t.Error("one that was in is out")
		}
	}
	if st := s.Stats(); st.Rejected != 1 || st.Connections != 3 {
		t.Errorf("%+v", st)
	}
	c0.advance(2 * l.idle)
	late := connect(t, s, "tcp slip")
	late.send(osctest.Encode(t, "/engine/status"))
	if late.read(patience) == "" {
		t.Error("nobody made room")
	}
	if n := s.Stats().Connections; n != 3 {
		t.Errorf("%d connections", n)
	}
}

// A client that does not read answers loses its connection. Reply never blocks, and other clients
// are served.
func TestSlowReaders(t *testing.T) {
	peers := make(chan Peer, 1)
	s := serveWith(t, "127.0.0.1:0", Access{}, standard(), func(m *osc.Message, from Peer) {
		if string(m.Address) == "/slow" {
			peers <- from
			return
		}
		echo(m, from)
	})
	for i, transport := range transports[1:] {
		slow, other := connect(t, s, transport), connect(t, s, transport)
		slow.send(osctest.Encode(t, "/slow"))
		p := <-peers
		blob, sent := make([]byte, 60000), 0
		for ; sent < 2000; sent++ { // the kernel buffers some megabytes
			if err := p.Reply("/x", blob); err != nil {
				break
			}
		}
		if sent == 2000 {
			t.Errorf("%s: 120 MB have gone nowhere", transport)
		}
		<-p.Closed()
		other.send(osctest.Encode(t, "/engine/status"))
		if other.read(patience) == "" {
			t.Errorf("%s: another is not served", transport)
		}
		if n := s.Stats().SlowClients; n != uint64(i+1) {
			t.Errorf("%s: %d were slow", transport, n)
		}
	}
}

// Pages of other sites, unknown host names and text frames are refused.
func TestWebSocketRefuses(t *testing.T) {
	s := serveWith(t, "127.0.0.1:0", Access{}, standard(), echo)
	url := "http://" + s.Addr().String() + "/"
	for _, tt := range []struct {
		host, origin string
		status       int
	}{
		{"", "", 101},
		{"", "http://" + s.Addr().String(), 101},
		{"localhost:1", "http://localhost:1", 101},
		{"", "http://evil.example", 403},
		{"evil.example", "http://evil.example", 403},
		{"evil.example", "", 403},
	} {
		header := http.Header{}
		if tt.origin != "" {
			header.Set("Origin", tt.origin)
		}
		ws, answer, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{Host: tt.host, HTTPHeader: header})
		if err == nil {
			_ = ws.CloseNow()
		}
		if answer == nil || answer.StatusCode != tt.status {
			t.Errorf("host %q, origin %q: %v, %v", tt.host, tt.origin, answer, err)
		}
	}
	answer, err := http.Get(url)
	if err != nil || answer.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("GET: %v, %v", answer, err)
	}
	_ = answer.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	ws, _, err := websocket.Dial(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := ws.Write(t.Context(), websocket.MessageText, []byte("/engine/status")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ws.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusUnsupportedData {
		t.Errorf("a text frame: %v", err)
	}
}

// Close ends connections in every state, and leaves nothing behind.
func TestCloseEndsConnections(t *testing.T) {
	s, err := Listen("127.0.0.1:0", Access{})
	if err != nil {
		t.Fatal(err)
	}
	var peers []*client
	for _, transport := range transports[1:] {
		peers = append(peers, connect(t, s, transport))
		peers[len(peers)-1].send(osctest.Encode(t, "/waits")) // no Serve runs
	}
	dialTCP(t, s)
	half := dialTCP(t, s)
	_, _ = half.Write([]byte("GET / HT"))
	for end := time.Now().Add(patience); s.Stats().Connections < 5 && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("Close waits")
	}
	for i, c := range peers {
		if got := c.read(patience); got != "" {
			t.Errorf("connection %d: %s", i, got)
		}
	}
	if n := s.Stats().Connections; n != 0 {
		t.Errorf("%d connections", n)
	}
	if c, err := net.Dial("tcp", s.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("it still takes connections")
	}
}
