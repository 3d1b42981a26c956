// Package query tells what addresses there are and what values they have, by the OSCQuery proposal: HTTP gives the tree as JSON, a
// WebSocket gives the values of the addresses that are listened to, as OSC, and says when there are other addresses. Beyond this machine
// it announces itself by mDNS. It only tells: what is to be played goes to the OSC server.
// See https://github.com/Vidvox/OSCQueryProposal.
package query

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/music-chronus/chronus/osc/admission"
	"github.com/music-chronus/chronus/osc/feed"
	"github.com/music-chronus/chronus/osc/server"
)

// The limits of a server.
const (
	maxConns    = 128 // open at a time
	maxSockets  = 32  // of these, WebSockets
	httpTimeout = 10 * time.Second
)

// Config is what a Server tells of.
type Config struct {
	Name   string             // shown to people
	OSC    netip.AddrPort     // where the OSC server listens
	Access server.Access      // who may ask
	Feed   *feed.Feed         // gives the values of those who listen
	Values func() feed.Values // that there are now
	ping   time.Duration      // how often a WebSocket must show that it is there; 0: pingEvery
}

// Server answers OSCQuery.
type Server struct {
	cfg     Config
	addr    netip.AddrPort
	http    *http.Server
	names   []string // by which it may be asked for, besides numbers
	ctx     context.Context
	cancel  context.CancelFunc
	sockets *admission.Quota
	running sync.WaitGroup

	mu     sync.Mutex
	closed bool
}

// Listen opens a server at host:port and serves. The caller closes it.
func Listen(address string, cfg Config) (*Server, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("OSCQuery address %s is in use by another program: choose another with --oscquery: %w", address, err)
	}
	if err != nil {
		return nil, fmt.Errorf("OSCQuery address %q: %w: it must be host:port, like 127.0.0.1:5085, or none", address, err)
	}
	bound := l.Addr().(*net.TCPAddr).AddrPort()
	s := &Server{cfg: cfg, addr: netip.AddrPortFrom(bound.Addr().Unmap(), bound.Port()), sockets: admission.NewQuota(maxSockets)}
	if !s.addr.Addr().IsLoopback() && len(cfg.Access.Allow) == 0 {
		_ = l.Close()
		return nil, fmt.Errorf("other machines reach OSCQuery at %v: say which of them may ask, with --osc-allow 192.168.1.0/24 or the like", s.addr.Addr())
	}
	if host, err := os.Hostname(); err == nil {
		s.names = []string{localName(host)}
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.http = &http.Server{
		Handler: http.HandlerFunc(s.serve), ReadTimeout: httpTimeout, IdleTimeout: httpTimeout, WriteTimeout: httpTimeout, MaxHeaderBytes: 16 << 10,
		ErrorLog: log.New(io.Discard, "", 0),
	}
	s.running.Go(func() {
		_ = s.http.Serve(&limited{Listener: l, access: cfg.Access, places: admission.NewQuota(maxConns)})
	})
	return s, nil
}

// Addr is where the server listens.
func (s *Server) Addr() netip.AddrPort { return s.addr }

// Close ends the server and all that it serves.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	_ = s.http.Close()
	s.running.Wait()
}

// beginTask has Close wait for who calls it, until running.Done; it is false if the end has come.
func (s *Server) beginTask() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.running.Add(1)
	}
	return !s.closed
}

// limited is a listener that lets in who may come, and no more than there are places for.
type limited struct {
	net.Listener
	access server.Access
	places *admission.Quota
}

// Accept implements net.Listener.
func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
			if from := a.AddrPort().Addr().Unmap(); l.access.Allows(from) && l.places.Acquire(from) {
				return &placed{Conn: c, leave: sync.OnceFunc(func() { l.places.Release(from) })}, nil
			}
		}
		_ = c.Close()
	}
}

// placed is a connection that has a place.
type placed struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (p *placed) Close() error {
	p.leave()
	return p.Conn.Close()
}

// addrOf is who asks: an address that the listener has let in.
func addrOf(r *http.Request) netip.Addr {
	at, _ := netip.ParseAddrPort(r.RemoteAddr)
	return at.Addr().Unmap()
}

// localName is a machine's name in mDNS.
func localName(host string) string {
	host, _, _ = strings.Cut(host, ".")
	return strings.ToLower(host) + ".local"
}

// isOwnHost tells whether a Host header names this machine and nothing else: a page of a name that was made to mean this machine could read here.
func (s *Server) isOwnHost(host string) bool {
	if server.IsLiteralHost(host) {
		return true
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	for _, n := range s.names {
		if strings.EqualFold(host, n) {
			return true
		}
	}
	return false
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case !s.isOwnHost(r.Host):
		http.Error(w, "ask for it by number, like http://127.0.0.1:5085, or as localhost", http.StatusForbidden)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "it only tells: play by OSC", http.StatusMethodNotAllowed)
	case strings.EqualFold(r.Header.Get("Upgrade"), "websocket"):
		s.socket(w, r)
	default:
		s.answer(w, r)
	}
}

// answer answers with the tree under a path, or one attribute of what is there.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	name := r.URL.RawQuery
	if name == "HOST_INFO" { // of any path
		s.json(w, s.host(r))
		return
	}
	path := r.URL.Path
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	n := tree(s.cfg.Values(), path)
	if n == nil {
		http.Error(w, "no such address", http.StatusNotFound)
		return
	}
	if name == "" {
		s.json(w, n)
		return
	}
	v, known, has := n.attribute(name)
	switch {
	case !known:
		http.Error(w, "unknown attribute; there are FULL_PATH, CONTENTS, DESCRIPTION, ACCESS, TYPE, VALUE, RANGE, UNIT, CLIPMODE, TAGS and HOST_INFO", http.StatusBadRequest)
	case !has:
		w.WriteHeader(http.StatusNoContent)
	default:
		s.json(w, map[string]any{name: v})
	}
}

func (s *Server) json(w http.ResponseWriter, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(b)
}

// host is HOST_INFO for who asks: where a server listens on all addresses, it is at the one that was asked.
func (s *Server) host(r *http.Request) hostInfo {
	asked := s.addr.Addr()
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok {
		asked = a.AddrPort().Addr().Unmap()
	}
	at := func(a netip.Addr) string {
		if a.IsUnspecified() {
			a = asked
		}
		return a.WithZone("").String()
	}
	return hostInfo{
		Name: s.cfg.Name, Extensions: extensions(), OSCIP: at(s.cfg.OSC.Addr()), OSCPort: int(s.cfg.OSC.Port()), Transport: "UDP",
		WSIP: at(s.addr.Addr()), WSPort: int(s.addr.Port()),
	}
}
