package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/server"
)

// receiver stands in for an engine: it answers messages and remembers them.
type receiver struct {
	*server.Server
	mu  sync.Mutex
	got []string
}

func listen(t *testing.T, address string) *receiver {
	t.Helper()
	s, err := server.Listen(address, server.Access{})
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{Server: s}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(context.Background(), server.HandlerFunc(func(m *osc.Message, from server.Peer) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.got = append(r.got, m.String())
			if bytes.HasPrefix(m.Address, []byte("/bad")) {
				_ = from.Fail(string(m.Address), errors.New("it is bad"))
				return
			}
			_ = from.Reply("/done", string(m.Address))
		}))
	}()
	t.Cleanup(func() { s.Close(); <-done })
	return r
}

// await waits until the messages since the last await contain all of want in this order, and
// forgets them.
func (r *receiver) await(t *testing.T, want ...string) (got []string) {
	t.Helper()
	eventually(t, func() string {
		r.mu.Lock()
		defer r.mu.Unlock()
		missing := want
		for _, s := range r.got {
			if len(missing) > 0 && s == missing[0] {
				missing = missing[1:]
			}
		}
		if len(missing) > 0 {
			return fmt.Sprintf("%q did not come; %q did", missing, r.got[max(0, len(r.got)-20):])
		}
		got, r.got = r.got, nil
		return ""
	})
	return got
}

// eventually waits until missing returns nothing.
func eventually(t *testing.T, missing func() string) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		what := missing()
		if what == "" {
			return
		}
		if time.Since(began) > 20*time.Second {
			t.Fatal(what)
		}
	}
}

// keyboard is a FIFO that a test plays into.
type keyboard struct {
	t    *testing.T
	path string
	*os.File
}

func newKeyboard(t *testing.T) *keyboard {
	t.Helper()
	k := &keyboard{t: t, path: filepath.Join(t.TempDir(), "keys")}
	if err := syscall.Mkfifo(k.path, 0o600); err != nil {
		t.Fatal(err)
	}
	k.plug()
	t.Cleanup(func() { k.Close() })
	return k
}

// plug opens the FIFO without waiting for a reader.
func (k *keyboard) plug() {
	k.t.Helper()
	f, err := os.OpenFile(k.path, os.O_RDWR, 0)
	if err != nil {
		k.t.Fatal(err)
	}
	k.File = f
}

func (k *keyboard) play(b ...byte) {
	k.t.Helper()
	if _, err := k.Write(b); err != nil {
		k.t.Fatal(err)
	}
}

// midiProcess is chronus midi as a process of its own.
type midiProcess struct {
	t   *testing.T
	cmd *exec.Cmd
	log logFile
}

func startMIDI(t *testing.T, args ...string) *midiProcess {
	t.Helper()
	m := &midiProcess{t: t, log: newLog(t)}
	m.cmd = exec.Command("/proc/self/exe", append([]string{"midi"}, args...)...)
	m.cmd.Env = append(os.Environ(), asCommand+"=1")
	m.cmd.Stdout, m.cmd.Stderr = m.log.File, m.log.File
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if m.cmd.ProcessState == nil {
			_ = m.cmd.Process.Kill()
			_ = m.cmd.Wait()
		}
	})
	return m
}

// says waits until the process has printed a text n times.
func (m *midiProcess) says(what string, n int) {
	m.t.Helper()
	said(m.t, m.log, what, n)
}

func said(t *testing.T, log logFile, what string, n int) {
	t.Helper()
	eventually(t, func() string {
		if c := strings.Count(log.String(), what); c < n {
			return fmt.Sprintf("%q was printed %d times, not %d: %s", what, c, n, log)
		}
		return ""
	})
}

func (m *midiProcess) interrupt() {
	m.t.Helper()
	if err := m.cmd.Process.Signal(os.Interrupt); err != nil {
		m.t.Fatal(err)
	}
	if err := exited(m.t, m.cmd, m.log); err != nil {
		m.t.Errorf("%v: %s", err, m.log)
	}
}

// chronus midi, as a process, handles notes, a map that changes, a flood, and a device that goes
// and comes.
func TestMIDI(t *testing.T) {
	k, r := newKeyboard(t), listen(t, "127.0.0.1:0")
	path := filepath.Join(t.TempDir(), "map.yaml")
	m := startMIDI(t, "--port", k.path, "--to", r.Addr().String(), "--map", path, "--runtime-dir", t.TempDir())
	m.says("listening to "+k.path, 1)
	k.play(0x90, 60, 127, 64, 0xF8, 127, 60, 0, 0x80, 64, 0)
	r.await(t, "/note/on 60 1", "/note/on 64 1", "/note/off 60", "/note/off 64")

	k.play(0x90, 60, 127, 48, 127, 0xB0, 64, 127, 0xE0, 0, 0x60)
	r.await(t, "/note/on 60 1", "/note/on 48 1", "/engine/sustain 1", "/engine/bend 1")
	k.Close()
	r.await(t, "/note/off 48", "/note/off 60", "/engine/bend 0", "/engine/sustain 0")
	m.says("end of file", 1)
	time.Sleep(1100 * time.Millisecond) // the process looks for the device once more, and prints nothing new
	k.plug()
	m.says("listening to "+k.path, 2)
	k.play(60, 127, 0x90, 62, 127, 62, 0) // the running status of before is forgotten
	if got := r.await(t, "/note/on 62 1", "/note/off 62"); len(got) != 2 {
		t.Errorf("%q", got)
	}
	if n := strings.Count(m.log.String(), "end of file"); n != 1 {
		t.Errorf("the end of the device was printed %d times: %s", n, m.log)
	}

	if err := os.WriteFile(path, []byte("version: 1\ncontrollers:\n  - {controller: 74, address: /bad/x, min: 0, max: 1}\n  - {controller: 75, address: /y}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.says("2 controllers, 0 programs", 1)
	m.says(path+":4:18: /y: no min and max", 1)
	k.play(0xB0, 74, 127)
	r.await(t, "/bad/x 1")
	m.says("the engine refuses /bad/x: it is bad", 1)
	if err := os.WriteFile(path, []byte("version: 1\ncontrollers: no\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.says(path+":2:14: controllers must be a list", 1)

	const notes = 200
	began := time.Now()
	for i := range notes {
		b := []byte{0x90, byte(i % 128), 127, 0xB0}
		for v := range 50 {
			b = append(b, 74, byte(v*2+i%2))
		}
		k.play(b...)
	}
	k.play(0xB0, 64, 127)
	got := r.await(t, "/engine/sustain 1")
	most := int(time.Since(began).Seconds()*100) + 2
	on := len(slices.DeleteFunc(slices.Clone(got), func(s string) bool { return !strings.HasPrefix(s, "/note/on") }))
	if dense := len(got) - on - 1; on != notes || dense < 1 || dense > most {
		t.Errorf("%d notes of %d, %d of %d values, of which at most %d", on, notes, dense, 50*notes, most)
	}
	if final := fmt.Sprintf("/bad/x %.8g", float32(99)/127); got[len(got)-1] != final && got[len(got)-2] != final {
		r.await(t, final) // the value came after the pedal
	}
	m.interrupt()
	r.await(t, "/note/off 0", "/note/off 127")
}

// The tempo and transport of a MIDI clock reach the sequencer.
func TestMIDIClock(t *testing.T) {
	k, r := newKeyboard(t), listen(t, "127.0.0.1:0")
	m := startMIDI(t, "--port", k.path, "--to", r.Addr().String(), "--map", "none", "--runtime-dir", t.TempDir())
	m.says("listening to", 1)
	const bpm = 250
	at := time.Now()
	tick := func() {
		time.Sleep(time.Until(at))
		k.play(0xF8)
		at = at.Add(time.Minute / 24 / bpm)
	}
	told := 0.0
	eventually(t, func() string {
		for range 24 {
			tick()
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, s := range r.got {
			_, _ = fmt.Sscanf(s, "/seq/bpm %g", &told)
		}
		if math.Abs(told-bpm) > 0.03*bpm {
			return fmt.Sprintf("%g bpm", told)
		}
		return ""
	})
	k.play(0xFA)
	tick()
	r.await(t, `/seq/play "start"`)
	k.play(0xFC, 0xFB)
	tick()
	r.await(t, `/seq/play "stop"`, `/seq/play "continue"`)
	m.interrupt()
}

// chronus midi says once that the engine does not answer, and once that it answers again. The
// process goes on.
func TestMIDIWithoutEngine(t *testing.T) {
	r := listen(t, "127.0.0.1:0")
	to := r.Addr().String()
	k := newKeyboard(t)
	m := startMIDI(t, "--port", k.path, "--to", to, "--map", "none", "--runtime-dir", t.TempDir())
	m.says("listening to", 1)
	k.play(0x90, 60, 127)
	r.await(t, "/note/on 60 1")
	r.Close()
	eventually(t, func() string { // an answer may still have been on its way; then the next note shows it
		k.play(0x90, 61, 127)
		if !strings.Contains(m.log.String(), "the engine at "+to+" does not answer") {
			return m.log.String()
		}
		return ""
	})
	for range 20 {
		k.play(0x90, 62, 127)
		time.Sleep(time.Millisecond)
	}
	r = listen(t, to)
	eventually(t, func() string {
		k.play(0x90, 63, 127)
		if !strings.Contains(m.log.String(), "the engine at "+to+" answers again") {
			return m.log.String()
		}
		return ""
	})
	r.await(t, "/note/on 63 1")
	if n := strings.Count(m.log.String(), "does not answer"); n != 1 {
		t.Errorf("the missing answers were printed %d times: %s", n, m.log)
	}
	m.interrupt()
}

// chronus midi learn writes the next controller that moves into the map, and refuses incomplete
// bindings.
func TestMIDILearn(t *testing.T) {
	k, dir := newKeyboard(t), t.TempDir()
	path := filepath.Join(dir, "map.yaml")
	m := startMIDI(t, "learn", "/mod/filter1/cutoff", "--min", "20", "--max=2000", "--port", k.path, "--map", path, "--runtime-dir", dir)
	m.says("listening to", 1)
	k.play(0x90, 60, 127, 0xB2, 7, 100, 74, 10, 0xF8, 74, 11)
	if err := exited(t, m.cmd, m.log); err != nil {
		t.Fatalf("%v: %s", err, m.log)
	}
	want := "# What the controllers of a MIDI input move.\nversion: 1\ncontrollers:\n  - {channel: 3, controller: 74, address: /mod/filter1/cutoff, min: 20, max: 2000}\n"
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%v: %s", err, got)
	}
	for _, tt := range []struct{ args, want string }{
		{"/x", "/x: no min and max, and no engine to ask for them"},
		{"x", `address "x": must begin with /`},
		{"/x --min 1", "--min and --max: give both or neither"},
		{"/x --curve log --min 1 --max 2", `--curve "log": must be lin or exp`},
		{"/x --min 1 --max 2 --channel 17", "--channel 17: must be 1 to 16"},
	} {
		args := append([]string{"midi", "learn", "--port", k.path, "--map", path, "--runtime-dir", dir}, strings.Fields(tt.args)...)
		if _, errOut, code := chronus(args...); code != 1 || !strings.Contains(errOut, tt.want) {
			t.Errorf("%s: %d: %s", tt.args, code, errOut)
		}
	}
	if _, errOut, code := chronus("midi", "ports"); code != 0 {
		t.Errorf("ports: %d: %s", code, errOut)
	}
}
