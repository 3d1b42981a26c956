package osc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"
)

// failsPerSecond bounds the answers to packets that are no OSC at all: they may have a forged
// sender, who should not be flooded by us.
const failsPerSecond = 200

// Server is a UDP socket with its decoder. Replies leave from the socket that the request came
// in on, so that they pass where it passed.
type Server struct {
	conn    *net.UDPConn
	self    netip.AddrPort
	buf     []byte
	dec     Decoder
	fails   int
	second  time.Time
	counted [faults]atomic.Uint64
	packets atomic.Uint64
	served  atomic.Uint64
	refused atomic.Uint64
}

// Stats counts what a Server has seen.
type Stats struct {
	Packets   uint64            `json:"packets"`
	Messages  uint64            `json:"messages"`
	Failed    uint64            `json:"failed"`    // messages answered with /fail
	Malformed map[string]uint64 `json:"malformed"` // elements that are no OSC, by what is wrong
}

// Listen opens the socket. address is host:port.
func Listen(address string) (*Server, error) {
	a, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, fmt.Errorf("OSC address %q: %w: it must be host:port, like 127.0.0.1:5005", address, err)
	}
	conn, err := net.ListenUDP("udp", a)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("OSC address %s is in use by another program: choose another with --osc", address)
	}
	if err != nil {
		return nil, fmt.Errorf("OSC address %s: %w: choose another with --osc", address, err)
	}
	_ = conn.SetReadBuffer(1 << 20) // a burst outlives a short stall; less is bearable
	return &Server{conn: conn, self: conn.LocalAddr().(*net.UDPAddr).AddrPort(), buf: make([]byte, 1<<16)}, nil
}

// Addr is where the server listens.
func (s *Server) Addr() netip.AddrPort { return s.self }

// Handler is given each message with its sender, in the order of arrival; both are good until it returns.
type Handler func(m *Message, from netip.AddrPort)

// Serve hands over what arrives until ctx ends (then it returns nil) or the socket fails. It can
// be called again, but not twice at a time. Malformed packets are counted, answered with /fail, and forgotten.
func (s *Server) Serve(ctx context.Context, handle Handler) error {
	_ = s.conn.SetReadDeadline(time.Time{})
	stop := context.AfterFunc(ctx, func() { _ = s.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	var from netip.AddrPort
	visit := func(m *Message) {
		if a := string(m.Address); a == "/fail" || a == "/done" {
			return // an answer: two that answered each other's would never end
		}
		s.served.Add(1)
		handle(m, from)
	}
	wrong := func(e *DecodeError) {
		s.counted[e.Fault].Add(1)
		s.failMalformed(from, e)
	}
	for {
		n, sender, err := s.conn.ReadFromUDPAddrPort(s.buf)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("OSC socket: %w", err)
		case err != nil:
			continue // an ICMP message about some reply: not this socket's business
		}
		from = netip.AddrPortFrom(sender.Addr().Unmap(), sender.Port())
		if from == s.self {
			continue // our own reply, sent back: answering would never end
		}
		s.packets.Add(1)
		s.dec.Decode(s.buf[:n], visit, wrong)
	}
}

func (s *Server) failMalformed(to netip.AddrPort, e *DecodeError) {
	if now := time.Now(); now.Sub(s.second) >= time.Second {
		s.second, s.fails = now, 0
	}
	if s.fails++; s.fails <= failsPerSecond {
		_ = s.Reply(to, "/fail", "", e.Error())
	}
}

// Reply sends one message from the server's socket.
func (s *Server) Reply(to netip.AddrPort, address string, args ...any) error {
	b, err := Encode(address, args...)
	if err != nil {
		return err
	}
	if _, err := s.conn.WriteToUDPAddrPort(b, to); err != nil {
		return fmt.Errorf("reply to %v: %w", to, err)
	}
	return nil
}

// Fail answers a message with /fail address reason.
func (s *Server) Fail(to netip.AddrPort, address, reason string) error {
	s.refused.Add(1)
	return s.Reply(to, "/fail", address, reason)
}

// Stats are the counts so far.
func (s *Server) Stats() Stats {
	st := Stats{Packets: s.packets.Load(), Messages: s.served.Load(), Failed: s.refused.Load(), Malformed: map[string]uint64{}}
	for f := range s.counted {
		if n := s.counted[f].Load(); n > 0 {
			st.Malformed[Fault(f).String()] = n
		}
	}
	return st
}

// Close closes the socket. Serve returns.
func (s *Server) Close() error { return s.conn.Close() }
