package midi

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/server"
)

// log collects lines from any goroutine.
type log struct {
	mu    sync.Mutex
	lines []string
}

func (l *log) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

// await waits for a line that contains a text.
func (l *log) await(t *testing.T, text string) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		all := strings.Join(l.lines, "\n")
		l.mu.Unlock()
		if strings.Contains(all, text) {
			return
		}
		if time.Since(began) > 20*time.Second {
			t.Fatalf("%s did not come:\n%s", text, all)
		}
	}
}

// engine is a server that answers /done, or /fail to the addresses that bad selects.
func engine(t *testing.T, bad func(address string) bool) (to string, got *log) {
	t.Helper()
	s, err := server.Listen("127.0.0.1:0", server.Access{})
	if err != nil {
		t.Fatal(err)
	}
	got = &log{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(context.Background(), server.HandlerFunc(func(m *osc.Message, from server.Peer) {
			got.add(m.String())
			if bad(string(m.Address)) {
				_ = from.Fail(string(m.Address), errors.New("unknown"))
				return
			}
			_ = from.Reply("/done", string(m.Address))
		}))
	}()
	t.Cleanup(func() { s.Close(); <-done })
	return s.Addr().String(), got
}

func fifo(t *testing.T) (path string, write func(b ...byte)) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "keys")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return path, func(b ...byte) {
		if _, err := f.Write(b); err != nil {
			t.Error(err)
		}
	}
}

// Run asks an engine for its addresses until it answers, and again after a refusal, since its patch
// may have changed.
func TestRunAsks(t *testing.T) {
	path, write := fifo(t)
	to, got := engine(t, func(a string) bool { return a == "/note/old/on" })
	file := filepath.Join(t.TempDir(), "map")
	if err := os.WriteFile(file, []byte("version: 1\ncontrollers: [{controller: 5, address: /x}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	asked := 0
	said := &log{}
	cfg := Config{Port: path, To: to, Map: file, Say: said.add, Ask: func(context.Context) ([]osc.Entry, error) {
		asked++ // one request at a time
		switch asked {
		case 1:
			return nil, errors.New("no engine")
		case 2:
			return []osc.Entry{{Address: "/x", Max: 2}, {Address: "/note/old/on", Kind: osc.Key}}, nil
		}
		return []osc.Entry{{Address: "/x", Max: 4}, {Address: "/note/new/on", Kind: osc.Key}}, nil
	}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, cfg) }()
	said.await(t, "listening to "+path)
	said.await(t, "no engine; asking for the addresses again")
	said.await(t, file+":2:28: /x: no min and max, and no engine to ask for them; left out")
	heard := func(text string) func() bool {
		return func() bool {
			got.mu.Lock()
			defer got.mu.Unlock()
			return strings.Contains(strings.Join(got.lines, "|"), text)
		}
	}
	until := func(ok func() bool, b ...byte) {
		t.Helper()
		for began := time.Now(); !ok(); time.Sleep(20 * time.Millisecond) {
			write(b...)
			if time.Since(began) > 20*time.Second {
				t.Fatal(got.lines)
			}
		}
	}
	until(heard("/x 2"), 0xB0, 5, 127) // before the second answer the controller has no effect
	write(0x90, 60, 127)
	got.await(t, "/note/old/on 60 1")
	said.await(t, "the engine refuses /note/old/on: unknown")
	until(heard("/note/old/off 61|/note/new/on 61 1"), 0x90, 61, 127)
	write(0xB0, 5, 127)
	got.await(t, "/x 4")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	got.await(t, "/note/new/off 61")
	got.await(t, "/note/old/off 60")
}

// An invalid map or OSC address is an error at once. Run and Learn wait for a missing device.
func TestRunRefuses(t *testing.T) {
	dir := t.TempDir()
	wrong := filepath.Join(dir, "wrong")
	if err := os.WriteFile(wrong, []byte("version: 2"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, tt := range []struct {
		cfg  Config
		want string
	}{
		{Config{Map: wrong, To: "127.0.0.1:1"}, "version must be 1"},
		{Config{To: "127.0.0.1"}, `OSC address "127.0.0.1"`},
	} {
		if err := Run(ctx, tt.cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
	said := &log{}
	done := make(chan error, 1)
	path := filepath.Join(dir, "later")
	go func() {
		ch, number, err := Learn(ctx, Config{Port: path, Say: said.add})
		if ch != 1 || number != 7 {
			err = errors.Join(err, errors.New("another controller was learnt"))
		}
		done <- err
	}()
	said.await(t, "later: no such file or directory; trying again every second")
	other, write := fifo(t)
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	said.await(t, "listening to "+path)
	write(0xB0, 7, 1, 7, 2)
	if err := <-done; err != nil {
		t.Error(err)
	}
	cancel()
	if _, _, err := Learn(ctx, Config{Port: path}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
