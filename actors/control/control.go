// Package control lets programs of the same user watch and end an engine from another process, by
// HTTP on a Unix socket in the engine's runtime directory. The engine starts the [Server]. The
// command line uses the [Client], as other programs can:
//
//	st, err := control.NewClient(actors.DefaultRuntimeDir()).Status(ctx)
//
// The server has these resources:
//
//	GET  /status           report.Status
//	GET  /addresses        []osc.Entry: the OSC addresses that the engine has now
//	GET  /values           what each address with a value was last set to
//	GET  /redundant        answers once every worker is ready
//	POST /down             ends the engine
//	POST /kill?signal=NAME report.Killed: sends kill, stop, segv or term to the active worker
//	GET  /tape             a tape, until the client closes the connection
//
// An error is the whole body of an answer with status 409.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/osc"
)

// Engine is what the server needs of an engine. *actors.Engine implements it.
type Engine interface {
	// Status returns the engine's status.
	Status(ctx context.Context) (report.Status, error)
	// Addresses lists the OSC addresses that the engine has now.
	Addresses() []osc.Entry
	// Values returns what each address with a value was last set to.
	Values() map[string]any
	// AwaitRedundant returns once every worker is ready.
	AwaitRedundant(ctx context.Context) error
	// Kill sends a signal to the active worker.
	Kill(sig syscall.Signal) (report.Killed, error)
	// Record writes a tape until ctx ends. It calls begun, if not nil, once the tape has started.
	Record(ctx context.Context, w io.Writer, begun func()) error
}

// signals are the signals that /kill sends.
var signals = map[string]syscall.Signal{
	"kill": syscall.SIGKILL, "stop": syscall.SIGSTOP, "segv": syscall.SIGSEGV, "term": syscall.SIGTERM,
}

// Signal returns the signal of a name that Client.Kill takes: kill, stop, segv or term.
func Signal(name string) (syscall.Signal, error) {
	sig, ok := signals[strings.ToLower(name)]
	if !ok {
		return 0, fmt.Errorf("signal %q: want kill, stop, segv or term", name)
	}
	return sig, nil
}

const (
	statusWait = 2 * time.Second // for the engine's status
	headerWait = 5 * time.Second // for the header of a request
	tapeWait   = 5 * time.Second // for a client to read a piece of a tape
)

// Server serves an engine's control socket.
type Server struct {
	http *http.Server
	log  *slog.Logger
	done chan struct{}
	down chan struct{}
}

// Serve starts a server at the path of a socket. The socket replaces one that exists, so the caller
// must hold the lock of the runtime directory. Only the owner can connect.
func Serve(e Engine, path string, log *slog.Logger) (*Server, error) {
	_ = os.Remove(path) // of a dead engine
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("control socket %s: %w", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("control socket %s: %w", path, err)
	}
	s := &Server{log: log, done: make(chan struct{}), down: make(chan struct{})}
	s.http = &http.Server{Handler: s.routes(e), ReadHeaderTimeout: headerWait}
	go func() {
		defer close(s.done)
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("control socket", "error", err)
		}
	}()
	return s, nil
}

// Down is closed when a client has asked for the engine's end.
func (s *Server) Down() <-chan struct{} { return s.down }

// Close ends the server and its connections.
func (s *Server) Close() {
	_ = s.http.Close()
	<-s.done
}

func (s *Server) routes(e Engine) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), statusWait)
		defer cancel()
		st, err := e.Status(ctx)
		answer(w, st, err)
	})
	mux.HandleFunc("GET /addresses", func(w http.ResponseWriter, _ *http.Request) { answer(w, e.Addresses(), nil) })
	mux.HandleFunc("GET /values", func(w http.ResponseWriter, _ *http.Request) { answer(w, e.Values(), nil) })
	mux.HandleFunc("GET /redundant", func(w http.ResponseWriter, r *http.Request) {
		answer(w, struct{}{}, e.AwaitRedundant(r.Context()))
	})
	down := sync.OnceFunc(func() { close(s.down) })
	mux.HandleFunc("POST /down", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, struct{}{}, nil)
		down()
	})
	mux.HandleFunc("POST /kill", func(w http.ResponseWriter, r *http.Request) {
		sig, err := Signal(r.URL.Query().Get("signal"))
		if err != nil {
			answer(w, nil, err)
			return
		}
		k, err := e.Kill(sig)
		answer(w, k, err)
	})
	mux.HandleFunc("GET /tape", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/jsonl")
		out := &tapeWriter{w: w, rc: http.NewResponseController(w)}
		if err := e.Record(r.Context(), out, nil); err != nil && r.Context().Err() == nil {
			s.log.Warn("tape", "error", err)
		}
	})
	return mux
}

func answer(w http.ResponseWriter, v any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// tapeWriter flushes each write. It fails if the client reads nothing for tapeWait.
type tapeWriter struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func (t *tapeWriter) Write(b []byte) (int, error) {
	_ = t.rc.SetWriteDeadline(time.Now().Add(tapeWait))
	n, err := t.w.Write(b)
	if err == nil {
		err = t.rc.Flush()
	}
	return n, err
}
