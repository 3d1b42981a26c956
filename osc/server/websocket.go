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
	"github.com/music-chronus/chronus/osc/internal/framing"
)

// httpListener is a net.Listener of connections that the server has accepted and that speak HTTP.
type httpListener struct {
	ready  chan net.Conn
	closed chan struct{}
	addr   net.Addr
}

// deliver passes a connection to Accept, or closes it if the server is closed.
func (w httpListener) deliver(c net.Conn) {
	select {
	case w.ready <- c:
	case <-w.closed:
		_ = c.Close()
	}
}

// Accept implements net.Listener.
func (w httpListener) Accept() (net.Conn, error) {
	select {
	case c := <-w.ready:
		return c, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. It does nothing: Server.Close ends Accept.
func (w httpListener) Close() error { return nil }

// Addr implements net.Listener.
func (w httpListener) Addr() net.Addr { return w.addr }

// newWeb makes the HTTP server, which serves only WebSockets.
func (s *Server) newWeb() *http.Server {
	return &http.Server{
		Handler: http.HandlerFunc(s.serveWeb), ReadTimeout: s.limits.first,
		IdleTimeout: s.limits.first, WriteTimeout: s.limits.first,
		MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
	}
}

// connKey is the key of a request's tcpConn in its context.
type connKey struct{}

// serveWeb upgrades a request to a WebSocket. Any page in a browser of this machine can ask for
// one. So the page must come from the host that it asks, and the host must be an address or
// localhost: a name may be made to resolve to this machine.
func (s *Server) serveWeb(w http.ResponseWriter, r *http.Request) {
	if !s.running.begin() {
		return
	}
	defer s.running.Done()
	g := r.Context().Value(connKey{}).(*tcpConn)
	g.charge()
	switch {
	case !IsLiteralHost(r.Host):
		http.Error(w, "unknown host: use an IP address, like ws://127.0.0.1:5005, or localhost", http.StatusForbidden)
		return
	case !strings.EqualFold(r.Header.Get("Upgrade"), "websocket"):
		w.Header().Set("Upgrade", "websocket")
		http.Error(w, "this port speaks OSC over WebSocket, in binary frames", http.StatusUpgradeRequired)
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		OnPingReceived: func(context.Context, []byte) bool { g.charge(); return true },
		OnPongReceived: func(context.Context, []byte) { g.charge() },
	})
	if err != nil {
		return // Accept has answered
	}
	ws.SetReadLimit(osc.MaxStream)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	in := &wsConn{ws: ws, ctx: ctx, cancel: cancel, wait: s.limits.first}
	s.newConn(g.from, "websocket", in).run(in.next)
}

// IsLiteralHost reports whether a Host header is an IP address or localhost, with or without a
// port. It guards against DNS rebinding: the owner of a name can make it resolve to this machine,
// and a page of that name could then use the server through a browser here.
func IsLiteralHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil || host == "localhost"
}

// wsConn reads packets from a WebSocket, and writes them.
type wsConn struct {
	ws     *websocket.Conn
	ctx    context.Context
	cancel context.CancelFunc
	wait   time.Duration // for the rest of a packet
	buf    []byte
}

var errText = errors.New("text frame: OSC needs binary frames")

// next waits for a binary frame.
func (w *wsConn) next() ([]byte, error) {
	kind, in, err := w.ws.Reader(w.ctx)
	if err != nil {
		return nil, err
	}
	if kind != websocket.MessageBinary {
		_ = w.ws.Close(websocket.StatusUnsupportedData, "OSC needs binary frames")
		return nil, errText
	}
	if cap(w.buf) > framing.KeepBuffer {
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

func (w *wsConn) write(packet []byte) error {
	ctx, cancel := context.WithTimeout(w.ctx, writeWait)
	defer cancel()
	return w.ws.Write(ctx, websocket.MessageBinary, packet)
}

func (w *wsConn) flush() error { return nil }

func (w *wsConn) close() {
	w.cancel()
	_ = w.ws.CloseNow()
}
