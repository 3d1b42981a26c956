// Package client sends OSC to a server and receives its answers, over UDP, TCP or WebSocket.
package client

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/coder/websocket"

	"github.com/music-chronus/chronus/osc"
)

// The networks of Dial.
const (
	UDP       = "udp"
	TCP       = "tcp" // each packet after its size, the framing of OSC 1.0
	WebSocket = "websocket"
)

// Client is a connection to an OSC server. One goroutine may receive while others send.
type Client struct {
	to    string
	wire  wire
	dec   osc.Decoder
	ready []*osc.Message // received in one packet with earlier messages
}

// wire sends and receives packets. read may reuse its memory; a zero deadline is none.
type wire interface {
	write(packet []byte) error
	read(deadline time.Time) ([]byte, error)
	close() error
}

// Dial connects to a server at host:port. A UDP client only sets the address to send to: a missing
// server is an error of Receive.
func Dial(network, address string, timeout time.Duration) (*Client, error) {
	c := &Client{to: address, dec: osc.Decoder{Most: osc.MaxStream}}
	var err error
	switch network {
	case UDP:
		var conn net.Conn
		if conn, err = net.DialTimeout("udp", address, timeout); err == nil {
			c.wire = &datagrams{conn, make([]byte, osc.MaxPacket)}
		}
	case TCP:
		var conn net.Conn
		if conn, err = net.DialTimeout("tcp", address, timeout); err == nil {
			c.wire = &stream{conn}
		}
	case WebSocket:
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		var conn *websocket.Conn
		if conn, _, err = websocket.Dial(ctx, "ws://"+address+"/", nil); err == nil {
			conn.SetReadLimit(osc.MaxStream)
			c.wire = &socket{conn}
		}
	default:
		err = fmt.Errorf("network %q: want %s, %s or %s", network, UDP, TCP, WebSocket)
	}
	if err != nil {
		return nil, fmt.Errorf("OSC address %q: %w", address, err)
	}
	return c, nil
}

// To is the server's address, as it was given to Dial.
func (c *Client) To() string { return c.to }

// Close ends the connection. A Receive that waits returns an error that wraps net.ErrClosed.
func (c *Client) Close() error { return c.wire.close() }

// Send sends one message, with arguments as osc.Encode takes them.
func (c *Client) Send(address string, args ...any) error {
	packet, err := osc.Encode(address, args...)
	if err != nil {
		return err
	}
	return c.Write(packet)
}

// Write sends one packet.
func (c *Client) Write(packet []byte) error {
	if err := c.wire.write(packet); err != nil {
		return fmt.Errorf("send to %s: %w", c.to, err)
	}
	return nil
}

// Receive returns the next message from the server. It waits for at most wait, or without limit if
// wait is 0. After a wait that ended, the error wraps os.ErrDeadlineExceeded; a WebSocket is closed
// then. If the server has closed the connection, the error wraps io.EOF. If no program has the UDP
// port, it wraps syscall.ECONNREFUSED.
func (c *Client) Receive(wait time.Duration) (*osc.Message, error) {
	for len(c.ready) == 0 {
		var deadline time.Time
		if wait > 0 {
			deadline = time.Now().Add(wait)
		}
		packet, err := c.wire.read(deadline)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
			return nil, endError{fmt.Sprintf("no reply from %s within %v", c.to, wait), os.ErrDeadlineExceeded}
		case errors.Is(err, io.EOF):
			return nil, endError{c.to + " closed the connection", io.EOF}
		case errors.Is(err, syscall.ECONNREFUSED):
			return nil, fmt.Errorf("nothing answers at %s: %w", c.to, err)
		case err != nil:
			return nil, fmt.Errorf("OSC from %s: %w", c.to, err)
		}
		c.dec.Decode(packet, func(m *osc.Message) { c.ready = append(c.ready, m.Clone()) },
			func(e *osc.DecodeError) { fault := *e; err = &fault })
		if err != nil {
			return nil, fmt.Errorf("OSC from %s: %w", c.to, err)
		}
	}
	m := c.ready[0]
	c.ready = c.ready[1:]
	return m, nil
}

// endError is an error of Receive that says more than the error it wraps.
type endError struct {
	text string
	err  error
}

func (e endError) Error() string { return e.text }
func (e endError) Unwrap() error { return e.err }

// Authenticate shows the server a token by /auth, and waits for the answer. It returns a
// *osc.Refusal if the server refuses the token.
func (c *Client) Authenticate(token string, wait time.Duration) error {
	if err := c.Send("/auth", token); err != nil {
		return err
	}
	m, err := c.Receive(wait)
	if err != nil {
		return err
	}
	if r := Refused(m); r != nil {
		return r
	}
	return nil
}

// Refused returns the refusal in a /fail message, or nil for any other message. /fail has no code,
// so the code of the refusal is osc.CodeRejected.
func Refused(m *osc.Message) *osc.Refusal {
	if string(m.Address) != "/fail" {
		return nil
	}
	r := &osc.Refusal{}
	for i, text := range []*string{&r.Address, &r.Reason} {
		if i < len(m.Args) && m.Args[i].Tag == 's' {
			*text = string(m.Args[i].Bytes)
		}
	}
	return r
}

// datagrams is UDP.
type datagrams struct {
	net.Conn
	buf []byte
}

func (d *datagrams) write(packet []byte) error {
	_, err := d.Write(packet)
	return err
}

func (d *datagrams) read(deadline time.Time) ([]byte, error) {
	_ = d.SetReadDeadline(deadline)
	n, err := d.Read(d.buf)
	return d.buf[:n], err
}

func (d *datagrams) close() error { return d.Close() }

// stream is TCP.
type stream struct{ net.Conn }

func (s *stream) write(packet []byte) error {
	_, err := s.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(packet))), packet...))
	return err
}

func (s *stream) read(deadline time.Time) ([]byte, error) {
	_ = s.SetReadDeadline(deadline)
	var size [4]byte
	if _, err := io.ReadFull(s, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > osc.MaxStream {
		return nil, fmt.Errorf("packet of %d bytes; the most are %d", n, osc.MaxStream)
	}
	packet := make([]byte, n)
	_, err := io.ReadFull(s, packet)
	return packet, err
}

func (s *stream) close() error { return s.Close() }

// socket is a WebSocket.
type socket struct{ *websocket.Conn }

func (s *socket) write(packet []byte) error {
	return s.Write(context.Background(), websocket.MessageBinary, packet)
}

func (s *socket) read(deadline time.Time) ([]byte, error) {
	ctx := context.Background()
	if !deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	_, packet, err := s.Read(ctx)
	if websocket.CloseStatus(err) != -1 {
		err = io.EOF
	}
	return packet, err
}

func (s *socket) close() error { return s.CloseNow() }
