package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/server"
)

// linkFlag is what verbs take that speak OSC by TCP: they are told more than they ask.
type linkFlag struct {
	oscFlag
	Token string `name:"osc-token-file" help:"File with the token of an engine on another machine." placeholder:"FILE"`
}

// link is a connection to an engine, by TCP, each packet behind its size.
type link struct {
	conn  net.Conn
	to    string
	ready []message // of a bundle, to be told next
}

// message is one that came.
type message struct {
	address, line string
	text          string // of its first argument, if that is one
	second        string
}

// reason is why something failed, if it is /fail address reason.
func (m message) reason() string { return m.text + ": " + m.second }

// dial connects to the engine, and shows the token if there is one.
func (f linkFlag) dial() (*link, error) {
	to, err := f.where()
	if err != nil {
		return nil, err
	}
	conn, err := net.DialTimeout("tcp", to, replyWait)
	if err != nil {
		return nil, fmt.Errorf("OSC address %q: %w", to, err)
	}
	l := &link{conn: conn, to: to}
	if f.Token == "" {
		return l, nil
	}
	token, err := server.ReadToken(f.Token)
	if err == nil {
		err = l.send("/auth", token)
	}
	var m message
	if err == nil {
		m, err = l.next(replyWait)
	}
	if err == nil && m.address == "/fail" {
		err = errors.New(m.reason())
	}
	if err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *link) close() { _ = l.conn.Close() }

func (l *link) send(address string, args ...any) error {
	packet, err := osc.Encode(address, args...)
	if err != nil {
		return err
	}
	return l.write(packet)
}

func (l *link) write(packet []byte) error {
	if _, err := l.conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(packet))), packet...)); err != nil {
		return fmt.Errorf("send to %s: %w", l.to, err)
	}
	return nil
}

// next is the next message; wait is how long that may take, 0: for ever.
func (l *link) next(wait time.Duration) (message, error) {
	for len(l.ready) == 0 {
		_ = l.conn.SetReadDeadline(time.Time{})
		if wait > 0 {
			_ = l.conn.SetReadDeadline(time.Now().Add(wait))
		}
		packet, err := l.read()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return message{}, fmt.Errorf("no reply from %s within %v", l.to, wait)
		case errors.Is(err, io.EOF):
			return message{}, fmt.Errorf("%s has ended the connection", l.to)
		case err != nil:
			return message{}, fmt.Errorf("OSC from %s: %w", l.to, err)
		}
		d := osc.Decoder{Most: osc.MaxStream}
		d.Decode(packet, func(m *osc.Message) {
			got := message{address: string(m.Address), line: m.String()}
			for i, to := range []*string{&got.text, &got.second} {
				if i < len(m.Args) && m.Args[i].Tag == 's' {
					*to = string(m.Args[i].Bytes)
				}
			}
			l.ready = append(l.ready, got)
		}, func(e *osc.DecodeError) { err = e })
		if err != nil {
			return message{}, fmt.Errorf("OSC from %s: %w", l.to, err)
		}
	}
	m := l.ready[0]
	l.ready = l.ready[1:]
	return m, nil
}

func (l *link) read() ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(l.conn, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > osc.MaxStream {
		return nil, fmt.Errorf("a packet of %d bytes; the most are %d", n, osc.MaxStream)
	}
	packet := make([]byte, n)
	_, err := io.ReadFull(l.conn, packet)
	return packet, err
}
