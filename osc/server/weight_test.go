package server

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/admission"
	"github.com/music-chronus/chronus/osc/internal/osctest"
)

// A source may send as many bytes as its rate allows messages of admission.MessageBytes: large
// packets are shed, small ones are not.
func TestBytesCount(t *testing.T) {
	s, r := mute(t, Access{Allow: anywhere})
	r.handler = each(func(*osc.Message, Peer) {})
	large := osctest.Encode(t, "/a", make([]byte, 60_000))
	for _, from := range []netip.AddrPort{near, far} {
		rate, burst := admission.RateOf(from)
		for _, tt := range []struct {
			packet []byte
			most   float64 // in a burst
		}{
			{osctest.Encode(t, "/mod/filter1/cutoff", float32(1)), burst},
			{osctest.Encode(t, "/pattern/0/steps", strings.Repeat("x.", 40)), burst},
			{large, burst*admission.MessageBytes/float64(len(large)) + 1},
			{nil, burst},
		} {
			now := time.Now()
			s.datagrams, s.now = admission.NewRateLimiter(), func() time.Time { return now } // no refill after the burst
			before := s.counters.total[packets].Load()
			for range int(burst) + 10 {
				s.handleDatagram(r, tt.packet, from)
			}
			if n := float64(s.counters.total[packets].Load() - before); n > tt.most || n < tt.most-1 {
				t.Errorf("%v, %.0f a second: %.0f packets of %d bytes are taken at once, want %.1f", from, rate, n, len(tt.packet), tt.most)
			}
		}
	}
}

// paced returns a connection from another machine that may send so many messages while the clock
// stands.
func paced(t *testing.T, messages float64) (theirs net.Conn, s *Server, c *clock) {
	t.Helper()
	c = &clock{}
	c.stop()
	l := standard()
	l.now = c.now
	s, err := listenWith("127.0.0.1:0", Access{Allow: anywhere}, l)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.serveEach(ctx, func(*osc.Message, Peer) {}) }()
	s.streams.Admit(far, 0, c.now())
	s.streams.Charge(far, admission.RemoteBurst-messages)
	ours, theirs := net.Pipe()
	t.Cleanup(func() {
		cancel()
		_ = theirs.Close()
		if err := errors.Join(<-done, s.Close()); err != nil {
			t.Error(err)
		}
	})
	s.admit(pipe{ours, net.TCPAddrFromAddrPort(far)})
	return theirs, s, c
}

// Endless data of any kind is read no faster than packets, even if it holds no packet.
func TestNothingIsFree(t *testing.T) {
	if testing.Short() {
		t.Skip("floods for 2 s")
	}
	const allowed = 100
	ping := []byte{0x89, 0x80, 0, 0, 0, 0}
	request := "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
	greet := "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
	for _, tt := range []struct {
		name, first string
		again       []byte
		most        int // bytes: what the messages allow, and one more read
	}{
		{"SLIP's ends", "\xc0", bytes.Repeat([]byte{0xc0}, 64), allowed*admission.MessageBytes + 4096},
		{"frames that hold nothing", "\xc0", []byte{0xdb, 0}, allowed*admission.MessageBytes + 4096},
		{"packets of no bytes", "\x00", []byte{0, 0, 0, 0}, 4*allowed + 4096},
		{"a packet that does not end", "\x00\x0f\xff\xf0", bytes.Repeat([]byte{'/'}, 64), allowed*admission.MessageBytes*2 + 4096},
		{"pings", greet, ping, 6*allowed + 4096},
		{"fragments that hold nothing", greet + "\x02\x80\x00\x00\x00\x00", []byte{0, 0x80, 0, 0, 0, 0}, allowed*admission.MessageBytes + 4096},
		{"pongs", greet, []byte{0x8a, 0x80, 0, 0, 0, 0}, 6*allowed + 4096},
		{"requests by HTTP", request, []byte(request), len(request)*allowed + 4096},
	} {
		c, _, at := paced(t, allowed)
		go func() { _, _ = io.Copy(io.Discard, c) }()
		sent := 0
		write := func(b []byte, wait time.Duration) error {
			_ = c.SetWriteDeadline(time.Now().Add(wait))
			n, err := c.Write(b)
			sent += n
			return err
		}
		err := write([]byte(tt.first), patience)
		for err == nil && sent < 1<<20 {
			err = write(tt.again, 200*time.Millisecond)
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) || sent > tt.most {
			t.Errorf("%s: %d bytes are read, at most %d are paid for: %v", tt.name, sent, tt.most, err)
		}
		at.advance(time.Minute)
		if err := write(tt.again, patience); err != nil {
			t.Errorf("%s: when it may send again: %v", tt.name, err)
		}
	}
}

// Forged UDP packets in a machine's name do not delay its connections.
func TestForgedFloodAndConnection(t *testing.T) {
	c, s, at := paced(t, 10)
	s.datagrams.Admit(far, 0, at.now())
	s.datagrams.Charge(far, 2*admission.RemoteBurst)
	if ok, _, _ := s.datagrams.Admit(far, 0, at.now()); ok {
		t.Fatal("the flood is not shed")
	}
	packet := osctest.Encode(t, "/engine/status")
	_ = c.SetWriteDeadline(time.Now().Add(patience))
	for range 2 {
		if _, err := c.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(packet))), packet...)); err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(patience); s.Stats().Messages < 2; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d messages came", s.Stats().Messages)
		}
	}
}
