package actors

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

// controlServer is HTTP on the runtime directory's socket: for the command line, and only for
// the user whose directory it is.
//
//	GET  /status           a Status
//	GET  /addresses        the []osc.Entry that the engine takes now
//	GET  /values           what each address that has a value was last set to
//	GET  /redundant        answers once every replica is ready
//	POST /down             ends the engine
//	POST /kill?signal=NAME a Killed: kill, stop, segv or term to the active worker
//	GET  /tape             a tape, until the client hangs up
type controlServer struct {
	http *http.Server
	done chan struct{}
	Down chan struct{} // closed when somebody asked for the end
}

// Signals are those that chaos may send, by name.
var Signals = map[string]syscall.Signal{
	"kill": syscall.SIGKILL, "stop": syscall.SIGSTOP, "segv": syscall.SIGSEGV, "term": syscall.SIGTERM,
}

func serveControl(e *Engine, path string) (*controlServer, error) {
	_ = os.Remove(path) // of a dead engine: the directory's lock is ours
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("control socket %s: %w", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("control socket %s: %w", path, err)
	}
	c := &controlServer{done: make(chan struct{}), Down: make(chan struct{})}
	c.http = &http.Server{Handler: c.routes(e), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		defer close(c.done)
		if err := c.http.Serve(l); err != http.ErrServerClosed {
			e.cfg.Logger.Error("control socket", "error", err)
		}
	}()
	return c, nil
}

// close ends the server and what it serves.
func (c *controlServer) close() {
	_ = c.http.Close()
	<-c.done
}

func (c *controlServer) routes(e *Engine) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		st, err := e.Status(ctx)
		answer(w, st, err)
	})
	mux.HandleFunc("GET /addresses", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, e.Addresses(), nil)
	})
	mux.HandleFunc("GET /values", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, e.Values(), nil)
	})
	mux.HandleFunc("GET /redundant", func(w http.ResponseWriter, r *http.Request) {
		answer(w, struct{}{}, e.AwaitRedundant(r.Context()))
	})
	down := make(chan struct{}, 1)
	down <- struct{}{}
	mux.HandleFunc("POST /down", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, struct{}{}, nil)
		select {
		case <-down:
			close(c.Down)
		default:
		}
	})
	mux.HandleFunc("POST /kill", func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Query().Get("signal")
		sig, ok := Signals[strings.ToLower(name)]
		if !ok {
			answer(w, nil, fmt.Errorf("signal %q: it is kill, stop, segv or term", name))
			return
		}
		k, err := e.Kill(sig)
		answer(w, k, err)
	})
	mux.HandleFunc("GET /tape", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/jsonl")
		out := &patientWriter{w: w, rc: http.NewResponseController(w)}
		if err := e.Record(r.Context(), out, nil); err != nil && r.Context().Err() == nil {
			e.cfg.Logger.Warn("tape", "error", err)
		}
	})
	return mux
}

// answer writes v, or the error as the whole body with status 409.
func answer(w http.ResponseWriter, v any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// patientWriter flushes what it writes, and gives a reader that has stopped reading up.
type patientWriter struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func (p *patientWriter) Write(b []byte) (int, error) {
	_ = p.rc.SetWriteDeadline(time.Now().Add(5 * time.Second))
	n, err := p.w.Write(b)
	if err == nil {
		err = p.rc.Flush()
	}
	return n, err
}

// Down is closed when somebody asked over the control socket for the engine's end.
func (e *Engine) Down() <-chan struct{} { return e.control.Down }
