package server

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/music-chronus/chronus/osc"
)

// webConns hands connections that speak HTTP to the HTTP server: a listener whose connections were accepted elsewhere.
type webConns struct {
	ready  chan net.Conn
	closed chan struct{}
	addr   net.Addr
}

// hand gives a connection over, or closes it if the end has come.
func (w webConns) hand(c net.Conn) {
	select {
	case w.ready <- c:
	case <-w.closed:
		_ = c.Close()
	}
}

// Accept implements net.Listener.
func (w webConns) Accept() (net.Conn, error) {
	select {
	case c := <-w.ready:
		return c, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. The server's own end is what closes it.
func (w webConns) Close() error { return nil }

// Addr implements net.Listener.
func (w webConns) Addr() net.Addr { return w.addr }

// newWeb is the HTTP server, which knows nothing but WebSockets.
func (s *Server) newWeb() *http.Server {
	return &http.Server{
		Handler: http.HandlerFunc(s.serveWeb), ReadTimeout: s.limits.first, IdleTimeout: s.limits.first, WriteTimeout: s.limits.first,
		MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
	}
}

// connKey is what a request's context has its connection under.
type connKey struct{}

// serveWeb makes a WebSocket of a request. Any page that a browser on this machine has open can ask for one, so the page must
// come from the host that it asks, and that host must be named by its number or be localhost: a name may be made to mean this machine.
func (s *Server) serveWeb(w http.ResponseWriter, r *http.Request) {
	if !s.running.begin() {
		return
	}
	defer s.running.Done()
	g := r.Context().Value(connKey{}).(*tcpConn)
	g.charge()
	switch {
	case !IsLiteralHost(r.Host):
		http.Error(w, "ask for it by number, like ws://127.0.0.1:5005, or as localhost", http.StatusForbidden)
		return
	case !strings.EqualFold(r.Header.Get("Upgrade"), "websocket"):
		w.Header().Set("Upgrade", "websocket")
		http.Error(w, "OSC over WebSocket, in binary frames", http.StatusUpgradeRequired)
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		OnPingReceived: func(context.Context, []byte) bool { g.charge(); return true },
		OnPongReceived: func(context.Context, []byte) { g.charge() },
	})
	if err != nil {
		return // it was answered
	}
	ws.SetReadLimit(osc.MaxStream)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	in := &sockets{ws: ws, ctx: ctx, cancel: cancel, wait: s.limits.first}
	s.newConn(g.from, "websocket", in).run(in.next)
}

// IsLiteralHost tells whether a Host header is an address or localhost, with a port or without. A name may be made to mean this machine by
// whoever gives it out, so that a page in a browser here could ask in our name.
func IsLiteralHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil || host == "localhost"
}

// sockets reads packets from a WebSocket, and writes them.
type sockets struct {
	ws     *websocket.Conn
	ctx    context.Context
	cancel context.CancelFunc
	wait   time.Duration // for the end of a packet
	buf    []byte
}

var errText = errors.New("a text frame is no OSC")

// next waits for a binary frame.
func (w *sockets) next() ([]byte, error) {
	kind, in, err := w.ws.Reader(w.ctx)
	if err != nil {
		return nil, err
	}
	if kind != websocket.MessageBinary {
		_ = w.ws.Close(websocket.StatusUnsupportedData, "OSC comes in binary frames")
		return nil, errText
	}
	if cap(w.buf) > keepBuffer {
		w.buf = nil
	}
	w.buf = w.buf[:0]
	late := time.AfterFunc(w.wait, w.cancel)
	defer late.Stop()
	for {
		if len(w.buf) == cap(w.buf) {
			grown := make([]byte, len(w.buf), max(4096, 2*cap(w.buf)))
			copy(grown, w.buf)
			w.buf = grown
		}
		n, err := in.Read(w.buf[len(w.buf):cap(w.buf)])
		w.buf = w.buf[:len(w.buf)+n]
		if err == io.EOF {
			return w.buf, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (w *sockets) write(packet []byte) error {
	ctx, cancel := context.WithTimeout(w.ctx, writeWait)
	defer cancel()
	return w.ws.Write(ctx, websocket.MessageBinary, packet)
}

func (w *sockets) flush() error { return nil }

func (w *sockets) close() {
	w.cancel()
	_ = w.ws.CloseNow()
}
