package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/tape"
	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/cmd/chronus/internal/chaos"
	"github.com/music-chronus/chronus/dsp/samples"
	"github.com/music-chronus/chronus/dsp/worker"
)

// asCommand makes the test program be chronus itself.
const asCommand = "CHRONUS_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	actors.RunChild(worker.Main, audio.Main(backends...))
	if n := os.Getenv(asEngines); n != "" {
		os.Exit(crowd(n))
	}
	if os.Getenv(asCommand) != "" {
		withPaths(os.Args)
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// chronus runs one verb in this process.
func chronus(args ...string) (out, errOut string, code int) {
	var o, e bytes.Buffer
	code = run(args, &o, &e)
	return o.String(), e.String(), code
}

// engineProcess is chronus up as a process of its own.
type engineProcess struct {
	t   testing.TB
	dir string
	cmd *exec.Cmd
	log logFile
	*client
}

// logFile is what the engine and its children print: a file, so that nobody waits for them to close it.
type logFile struct{ *os.File }

func newLog(t testing.TB) logFile {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return logFile{f}
}

// String is what has been printed.
func (l logFile) String() string {
	b, _ := os.ReadFile(l.Name())
	return string(b)
}

// up starts an engine and waits for its status line.
func up(t testing.TB, flags ...string) *engineProcess {
	t.Helper()
	return upIn(t, t.TempDir(), flags...)
}

// upIn is up in a runtime directory in which an engine may have been before.
func upIn(t testing.TB, dir string, flags ...string) *engineProcess {
	t.Helper()
	e := &engineProcess{t: t, dir: dir, log: newLog(t), client: engineFlag{dir}.client()}
	e.cmd = exec.Command("/proc/self/exe", append([]string{"up", "--runtime-dir", dir, "--osc", "127.0.0.1:0", "--state", filepath.Join(dir, "state")}, flags...)...)
	e.cmd.Env = append(os.Environ(), asCommand+"=1")
	e.cmd.Stdout, e.cmd.Stderr = e.log.File, e.log.File
	if err := e.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.down)
	for began := time.Now(); !strings.Contains(e.log.String(), "chronus plays"); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			t.Fatalf("the engine has not started: %s", e.log)
		}
	}
	return e
}

func (e *engineProcess) down() {
	if e.cmd == nil {
		return
	}
	if err := e.cmd.Process.Signal(os.Interrupt); err == nil {
		done := make(chan error, 1)
		go func() { done <- e.cmd.Wait() }()
		select {
		case err := <-done:
			if err != nil {
				e.t.Errorf("chronus up ended with %v: %s", err, e.log)
			}
		case <-time.After(15 * time.Second):
			e.t.Errorf("chronus up does not end on Ctrl-C: %s", e.log)
			_ = e.cmd.Process.Kill()
		}
	}
	e.cmd = nil
}

// murder ends the engine process, and nothing else, as kill -9 does.
func (e *engineProcess) murder() {
	e.t.Helper()
	if err := e.cmd.Process.Kill(); err != nil {
		e.t.Fatal(err)
	}
	_ = e.cmd.Wait()
	e.cmd = nil
}

func (e *engineProcess) must() actors.Status {
	e.t.Helper()
	st, err := e.status(context.Background())
	if err != nil {
		e.t.Fatal(err)
	}
	return st
}

// underTest is the engine as chaos sees it.
func (e *engineProcess) underTest() chaos.Engine { return chaosEngine{e.client} }

// redundancy waits until every worker is ready.
func (e *engineProcess) redundancy() actors.Status {
	e.t.Helper()
	st, err := chaos.AwaitRedundant(context.Background(), e.underTest())
	if err != nil {
		e.t.Fatalf("%v; %s", err, e.log)
	}
	return st
}

// killHeard sends sig, from outside, to the process of the worker that is heard.
func (e *engineProcess) killHeard(sig syscall.Signal) {
	e.t.Helper()
	st := e.redundancy()
	if err := syscall.Kill(st.Workers[st.Active.Slot].PID, sig); err != nil {
		e.t.Fatal(err)
	}
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		if e.must().Workers[st.Active.Slot].Generation > st.Workers[st.Active.Slot].Generation {
			return
		}
		if time.Since(began) > 10*time.Second {
			e.t.Fatalf("the end of worker %d is not noticed: %+v", st.Active.Slot, e.must().Workers)
		}
	}
}

// taping records a tape of the engine until stop, which returns it.
func (e *engineProcess) taping() (stop func() []byte) {
	e.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	body, err := e.tape(ctx)
	if err != nil {
		e.t.Fatal(err)
	}
	var b bytes.Buffer
	var taped atomic.Uint64
	done := make(chan error, 1)
	go func() {
		_, err := tape.Verify(io.TeeReader(endless{body}, &b), tapeOptions(), func(n uint64) { taped.Store(n + 1) })
		done <- err
	}()
	return func() []byte {
		clock := e.must().Clock
		for began := time.Now(); taped.Load() < clock && time.Since(began) < replyWait; time.Sleep(time.Millisecond) {
		}
		cancel()
		if err := <-done; err != nil {
			e.t.Errorf("tape: %v", err)
		}
		_ = body.Close()
		return b.Bytes()
	}
}

// notes plays for as long as the test goes on, until the returned function is called. Every message must be answered.
func (e *engineProcess) notes() (stop func()) {
	return e.playing(replyWait, func(err error) { e.t.Error(err) })
}

// notesThrough is notes where floods of other messages may drown some.
func (e *engineProcess) notesThrough() (stop func()) {
	return e.playing(replyWait/10, func(error) {})
}

func (e *engineProcess) playing(wait time.Duration, failed func(error)) (stop func()) {
	osc := e.must().OSC
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			n := tones[i%len(tones)]
			for _, m := range []struct {
				address string
				arg     any
			}{{"/engine/freq", n.freq}, {"/mod/filter1/cutoff", n.cutoff}, {"/gate/adsr1", "on"}, {"/gate/adsr1", "off"}} {
				if _, _, err := sendOSC(osc, wait, m.address, m.arg); err != nil {
					failed(err)
				}
				select {
				case <-quit:
					return
				case <-time.After(15 * time.Millisecond):
				}
			}
		}
	}()
	return sync.OnceFunc(func() { close(quit); <-done })
}

// busy keeps every core busy with two loops each until the returned function is called.
func busy() (stop func()) {
	var quit atomic.Bool
	var loops sync.WaitGroup
	for range 2 * runtime.NumCPU() {
		loops.Go(func() {
			for n := 0; !quit.Load(); n++ {
			}
		})
	}
	return func() { quit.Store(true); loops.Wait() }
}

// A tape whose sound was changed, or that lacks a block or a command, does not pass.

func readWAV(t testing.TB, path string) (channels int, samples []float32) {
	t.Helper()
	_, channels, samples, err := readFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return channels, samples
}

// Without a sound server, auto takes the device that is only a clock, and says so in its one line.

func tapeOptions() tape.Options { return tape.Options{Samples: samples.In(samples.DefaultDir())} }

func openTape(text []byte) (*tape.Reader, error) {
	return tape.NewReader(bytes.NewReader(text), tapeOptions())
}

func verifyBytes(text []byte) (tape.Result, error) {
	return tape.Verify(bytes.NewReader(text), tapeOptions(), nil)
}

// frames is interleaved sound by frame.
type frames struct {
	samples  []float32
	channels int
}

func (f frames) len() int { return len(f.samples) / f.channels }

func (f frames) equal(i int, o frames, j int) bool {
	return slices.Equal(f.samples[i*f.channels:(i+1)*f.channels], o.samples[j*f.channels:(j+1)*f.channels])
}

// tones are played on the default patch: Hz, and the filter's cutoff.
var tones = []struct{ freq, cutoff float32 }{
	{220, 800}, {261.63, 1000}, {329.63, 1300}, {440, 1700}, {523.25, 2200}, {659.26, 2900}, {587.33, 3800}, {493.88, 3000}, {440, 2200}, {329.63, 1500}, {220, 900},
}
