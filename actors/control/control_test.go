package control_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/control"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/osc"
)

// standIn is what the server sees of an engine, without one.
type standIn struct {
	killed chan syscall.Signal
	fails  error
}

func (s standIn) Status(context.Context) (report.Status, error) {
	return report.Status{PID: 7, Totals: report.Totals{Played: 42}}, s.fails
}

func (s standIn) Addresses() []osc.Entry               { return []osc.Entry{{Address: "/engine/amp"}} }
func (s standIn) Values() map[string]any               { return map[string]any{"/engine/amp": 0.5} }
func (s standIn) AwaitRedundant(context.Context) error { return s.fails }

func (s standIn) Kill(sig syscall.Signal) (report.Killed, error) {
	s.killed <- sig
	return report.Killed{Slot: 1, PID: 8}, s.fails
}

func (s standIn) Record(ctx context.Context, w io.Writer, _ func()) error {
	for ctx.Err() == nil {
		if _, err := w.Write([]byte("line\n")); err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

func serve(t *testing.T, e control.Engine) (*control.Server, *control.Client) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "engine.sock")
	if err := os.WriteFile(path, nil, 0o600); err != nil { // of an engine that was killed
		t.Fatal(err)
	}
	s, err := control.Serve(e, path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("socket: %v, %v", st.Mode(), err)
	}
	return s, control.NewClient(dir)
}

func TestClientReadsWhatTheServerHas(t *testing.T) {
	e := standIn{killed: make(chan syscall.Signal, 1)}
	_, c := serve(t, e)
	ctx := t.Context()
	if st, err := c.Status(ctx); err != nil || st.PID != 7 || st.Played != 42 {
		t.Errorf("status: %+v, %v", st, err)
	}
	if list, err := c.Addresses(ctx); err != nil || len(list) != 1 || list[0].Address != "/engine/amp" {
		t.Errorf("addresses: %v, %v", list, err)
	}
	if values, err := c.Values(ctx); err != nil || values["/engine/amp"] != 0.5 {
		t.Errorf("values: %v, %v", values, err)
	}
	if err := c.Redundant(ctx); err != nil {
		t.Error(err)
	}
	for name, sig := range map[string]syscall.Signal{"kill": syscall.SIGKILL, "STOP": syscall.SIGSTOP, "segv": syscall.SIGSEGV, "term": syscall.SIGTERM} {
		if k, err := c.Kill(ctx, name); err != nil || k.PID != 8 || <-e.killed != sig {
			t.Errorf("%s: %+v, %v", name, k, err)
		}
	}
	if _, err := c.Kill(ctx, "hup"); err == nil || !strings.Contains(err.Error(), `signal "hup": want kill, stop, segv or term`) {
		t.Errorf("another signal: %v", err)
	}
}

func TestDownIsTold(t *testing.T) {
	s, c := serve(t, standIn{})
	select {
	case <-s.Down():
		t.Fatal("nobody asked for the end")
	default:
	}
	for range 2 {
		if err := c.Down(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	<-s.Down()
}

// A tape ends with io.EOF when the client cancels it.
func TestTapeEndsWithItsContext(t *testing.T) {
	_, c := serve(t, standIn{})
	ctx, cancel := context.WithCancel(t.Context())
	body, err := c.Tape(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	line := make([]byte, 5)
	if _, err := io.ReadFull(body, line); err != nil || string(line) != "line\n" {
		t.Fatalf("%q, %v", line, err)
	}
	cancel()
	if rest, err := io.ReadAll(body); err != nil || len(bytes.Trim(rest, "line\n")) > 0 {
		t.Errorf("%q, %v", rest, err)
	}
}

func TestErrorsOfTheEngineReachTheClient(t *testing.T) {
	_, c := serve(t, standIn{killed: make(chan syscall.Signal, 1), fails: errors.New("wait for the others")})
	_, status := c.Status(t.Context())
	_, kill := c.Kill(t.Context(), "kill")
	for _, err := range []error{status, kill, c.Redundant(t.Context())} {
		if err == nil || !strings.HasSuffix(err.Error(), ": wait for the others") {
			t.Error(err)
		}
	}
}

func TestNoEngine(t *testing.T) {
	dir := t.TempDir()
	_, err := control.NewClient(dir).Status(t.Context())
	if !errors.Is(err, control.ErrNoEngine) || err.Error() != "no engine runs in "+dir {
		t.Error(err)
	}
}
