package server

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/internal/framing"
	"github.com/music-chronus/chronus/osc/internal/osctest"
)

// transports are all ways to reach a server.
var transports = []string{"udp", "tcp counted", "tcp slip", "websocket"}

// client is a client of a server, over any transport.
type client struct {
	t       testing.TB
	write   func(packet []byte) error
	receive func(wait time.Duration) []byte // nil: nothing came
	close   func()
}

func connect(t testing.TB, s *Server, transport string) *client {
	t.Helper()
	c := &client{t: t}
	switch kind, framed, _ := strings.Cut(transport, " "); kind {
	case "udp":
		c.overUDP(s)
	case "tcp":
		c.overTCP(s, map[string]framing.Kind{"counted": framing.Counted, "slip": framing.SLIP}[framed])
	default:
		c.overWebSocket(s)
	}
	t.Cleanup(c.close)
	return c
}

func (c *client) overUDP(s *Server) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(s.Addr()))
	if err != nil {
		c.t.Fatal(err)
	}
	buf := make([]byte, 1<<16)
	c.write = func(p []byte) error { _, err := conn.Write(p); return err }
	c.receive = func(wait time.Duration) []byte {
		_ = conn.SetReadDeadline(time.Now().Add(wait))
		n, err := conn.Read(buf)
		if err != nil {
			return nil
		}
		return buf[:n]
	}
	c.close = func() { _ = conn.Close() }
}

func (c *client) overTCP(s *Server, kind framing.Kind) {
	conn := dialTCP(c.t, s)
	var u framing.Unframer
	c.write = func(p []byte) error { _, err := conn.Write(framing.Append(nil, kind, p)); return err }
	c.receive = func(wait time.Duration) []byte {
		_ = conn.SetReadDeadline(time.Now().Add(wait))
		for {
			p, err := u.Next()
			if err != nil {
				c.t.Fatal(err)
			}
			if p != nil {
				if u.Kind != kind {
					c.t.Fatalf("answered in framing %d, not %d", u.Kind, kind)
				}
				return p
			}
			n, err := conn.Read(u.Space())
			if err != nil {
				return nil
			}
			u.Advance(n)
		}
	}
	c.close = func() { _ = conn.Close() }
}

func dialTCP(t testing.TB, s *Server) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (c *client) overWebSocket(s *Server) {
	ws, _, err := websocket.Dial(c.t.Context(), "ws://"+s.Addr().String()+"/", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	ws.SetReadLimit(osc.MaxStream)
	c.write = func(p []byte) error { return ws.Write(context.Background(), websocket.MessageBinary, p) }
	c.receive = func(wait time.Duration) []byte {
		ctx, cancel := context.WithTimeout(context.Background(), wait)
		defer cancel()
		_, p, err := ws.Read(ctx)
		if err != nil {
			return nil
		}
		return p
	}
	c.close = func() { _ = ws.CloseNow() }
}

func (c *client) send(packet []byte) {
	c.t.Helper()
	if err := c.write(packet); err != nil {
		c.t.Fatal(err)
	}
}

// read returns the next packet as text, or "" after wait.
func (c *client) read(wait time.Duration) string {
	p := c.receive(wait)
	if p == nil {
		return ""
	}
	got, _ := osctest.Seen(p)
	return strings.Join(got, "|")
}
