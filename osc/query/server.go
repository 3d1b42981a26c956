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
	maxConns    = 128 // connections open at a time
	maxSockets  = 32  // of these, WebSockets
	httpTimeout = 10 * time.Second
)

// Config is the configuration of a Server.
type Config struct {
	Name   string             // for people
	OSC    netip.AddrPort     // address of the OSC server
	Access server.Access      // machines that may ask
	Feed   *feed.Feed         // sends the values to WebSockets
	Values func() feed.Values // the current values
	ping   time.Duration      // period of pings; 0: pingEvery
}

// Server answers OSCQuery.
type Server struct {
	cfg     Config
	addr    netip.AddrPort
	http    *http.Server
	names   []string // host names that requests may use
	ctx     context.Context
	cancel  context.CancelFunc
	sockets *admission.Quota
	running sync.WaitGroup

	mu     sync.Mutex
	closed bool
}

// Listen opens a server at host:port, and serves. The caller closes it.
func Listen(address string, cfg Config) (*Server, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("OSCQuery address %s: in use by another program; choose another with --oscquery: %w",
			address, err)
	}
	if err != nil {
		return nil, fmt.Errorf("OSCQuery address %q: %w; want host:port, like 127.0.0.1:5085, or none", address, err)
	}
	bound := l.Addr().(*net.TCPAddr).AddrPort()
	s := &Server{cfg: cfg, sockets: admission.NewQuota(maxSockets)}
	s.addr = netip.AddrPortFrom(bound.Addr().Unmap(), bound.Port())
	if !s.addr.Addr().IsLoopback() && len(cfg.Access.Allow) == 0 {
		_ = l.Close()
		return nil, fmt.Errorf("other machines reach OSCQuery at %v: list those that may ask with --osc-allow, "+
			"like --osc-allow 192.168.1.0/24", s.addr.Addr())
	}
	if host, err := os.Hostname(); err == nil {
		s.names = []string{localName(host)}
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.http = &http.Server{
		Handler: http.HandlerFunc(s.serve), MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0),
		ReadTimeout: httpTimeout, IdleTimeout: httpTimeout, WriteTimeout: httpTimeout,
	}
	s.running.Go(func() {
		_ = s.http.Serve(&limited{Listener: l, access: cfg.Access, places: admission.NewQuota(maxConns)})
	})
	return s, nil
}

// Addr is the address that the server listens on.
func (s *Server) Addr() netip.AddrPort { return s.addr }

// Close closes the server and its connections, and waits for their goroutines.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	_ = s.http.Close()
	s.running.Wait()
}

// beginTask makes Close wait until running.Done. It returns false if the server is closing.
func (s *Server) beginTask() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.running.Add(1)
	}
	return !s.closed
}

// limited is a listener that accepts allowed machines only, up to a quota.
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

// placed is a connection that holds a place of the quota.
type placed struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (p *placed) Close() error {
	p.leave()
	return p.Conn.Close()
}

// addrOf is the address that a request comes from.
func addrOf(r *http.Request) netip.Addr {
	at, _ := netip.ParseAddrPort(r.RemoteAddr)
	return at.Addr().Unmap()
}

// localName is a machine's name in mDNS.
func localName(host string) string {
	host, _, _ = strings.Cut(host, ".")
	return strings.ToLower(host) + ".local"
}

// isOwnHost reports whether a Host header surely names this machine. The owner of another name
// could make it resolve to this machine, and a page of that name could then read from this server.
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
		http.Error(w, "unknown host: use an IP address, like http://127.0.0.1:5085, or localhost", http.StatusForbidden)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "OSCQuery is read-only: play by OSC", http.StatusMethodNotAllowed)
	case strings.EqualFold(r.Header.Get("Upgrade"), "websocket"):
		s.socket(w, r)
	default:
		s.answer(w, r)
	}
}

// answer sends the tree below a path, or one attribute of the node at the path.
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
		http.Error(w, "unknown address", http.StatusNotFound)
		return
	}
	if name == "" {
		s.json(w, n)
		return
	}
	v, known, has := n.attribute(name)
	switch {
	case !known:
		http.Error(w, "unknown attribute; the attributes are FULL_PATH, CONTENTS, DESCRIPTION, "+
			"ACCESS, TYPE, VALUE, RANGE, UNIT, CLIPMODE, TAGS and HOST_INFO", http.StatusBadRequest)
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

// host is HOST_INFO for a request. A server on all addresses reports the address that was asked.
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
		Name: s.cfg.Name, Extensions: extensions(),
		OSCIP: at(s.cfg.OSC.Addr()), OSCPort: int(s.cfg.OSC.Port()), Transport: "UDP",
		WSIP: at(s.addr.Addr()), WSPort: int(s.addr.Port()),
	}
}
