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
	"github.com/music-chronus/chronus/actors/control"
	"github.com/music-chronus/chronus/actors/tape"
	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/cmd/chronus/internal/chaos"
	"github.com/music-chronus/chronus/dsp/samples"
	"github.com/music-chronus/chronus/dsp/worker"
)

// asCommand in the environment makes the test program act as chronus itself.
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
	code := m.Run()
	_ = os.RemoveAll(examplesDir)
	os.Exit(code)
}

// engineProcess is chronus up as a process of its own.
type engineProcess struct {
	t   testing.TB
	dir string
	cmd *exec.Cmd
	log logFile
	*control.Client
}

// skipIfShort skips a test that starts an engine in a test run with -short.
func skipIfShort(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts an engine")
	}
}

// logFile gets what an engine and its children print. Since it is a file, no Wait waits for the
// children to close it.
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

// String returns what was printed until now.
func (l logFile) String() string {
	b, _ := os.ReadFile(l.Name())
	return string(b)
}

// up starts an engine and waits for its status line.
func up(t testing.TB, flags ...string) *engineProcess {
	t.Helper()
	return upIn(t, t.TempDir(), flags...)
}

// upIn starts an engine in a runtime directory in which an engine may have been before.
func upIn(t testing.TB, dir string, flags ...string) *engineProcess {
	t.Helper()
	skipIfShort(t)
	e := &engineProcess{t: t, dir: dir, log: newLog(t), Client: engineFlag{dir}.client()}
	args := []string{"up", "--runtime-dir", dir, "--osc", "127.0.0.1:0", "--state", filepath.Join(dir, "state")}
	e.start("/proc/self/exe", append(args, flags...)...)
	e.await("chronus plays")
	return e
}

// start starts the engine process by a command line.
func (e *engineProcess) start(name string, args ...string) {
	e.t.Helper()
	e.cmd = exec.Command(name, args...)
	e.cmd.Env = append(os.Environ(), asCommand+"=1")
	e.cmd.Stdout, e.cmd.Stderr = e.log.File, e.log.File
	if err := e.cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
	watchdog(e.t, e.cmd.Process, e.log)
	e.t.Cleanup(e.down)
}

// await waits until the engine has printed a text. await fails at startLimit, or at once if the
// engine has ended.
func (e *engineProcess) await(text string) {
	e.t.Helper()
	for began := time.Now(); !strings.Contains(e.log.String(), text); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > startLimit || !alive(e.cmd.Process.Pid) {
			e.t.Fatalf("the engine has not printed %q within %v: %s", text, time.Since(began), e.log)
		}
	}
}

func (e *engineProcess) down() {
	if e.cmd == nil {
		return
	}
	if err := e.cmd.Process.Signal(os.Interrupt); err == nil {
		if err := exited(e.t, e.cmd, e.log); err != nil {
			e.t.Errorf("chronus up ended with %v: %s", err, e.log)
		}
	}
	e.cmd = nil
}

// gone waits for the end of an engine process that was killed.
func (e *engineProcess) gone() {
	e.t.Helper()
	_ = exited(e.t, e.cmd, e.log)
	e.cmd = nil
}

// murder sends SIGKILL to the engine process and to no other.
func (e *engineProcess) murder() {
	e.t.Helper()
	if err := e.cmd.Process.Kill(); err != nil {
		e.t.Fatal(err)
	}
	e.gone()
}

// must returns the status, which must come within statusLimit.
func (e *engineProcess) must() actors.Status {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), statusLimit)
	defer cancel()
	st, err := e.Status(ctx)
	if err != nil {
		e.t.Fatalf("%v; %s", err, e.log)
	}
	return st
}

// redundancy waits until every worker is ready.
func (e *engineProcess) redundancy() actors.Status {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second+statusLimit)
	defer cancel()
	st, err := chaos.AwaitRedundant(ctx, e.Client)
	if err != nil {
		e.t.Fatalf("%v; %s", err, e.log)
	}
	return st
}

// killHeard sends a signal, from outside, to the process of the active worker.
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

// taping records a tape of the engine until stop. stop returns the tape.
func (e *engineProcess) taping() (stop func() []byte) {
	e.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	body, err := e.Tape(ctx)
	if err != nil {
		e.t.Fatal(err)
	}
	var b bytes.Buffer
	var taped atomic.Uint64
	done := make(chan error, 1)
	go func() {
		_, err := tape.Verify(io.TeeReader(body, &b), tapeOptions(), func(n uint64) { taped.Store(n + 1) })
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

// notes plays notes until stop. Every message must be answered.
func (e *engineProcess) notes() (stop func()) {
	return e.playing(replyWait, func(err error) { e.t.Error(err) })
}

// notesThrough plays notes until stop. Floods of other messages may drown some.
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

// busy keeps every core busy with two loops each until stop.
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

func readWAV(t testing.TB, path string) (channels int, samples []float32) {
	t.Helper()
	_, channels, samples, err := readFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return channels, samples
}

func tapeOptions() tape.Options { return tape.Options{Samples: samples.In(samples.DefaultDir())} }

func openTape(text []byte) (*tape.Reader, error) {
	return tape.NewReader(bytes.NewReader(text), tapeOptions())
}

func verifyBytes(text []byte) (tape.Result, error) {
	return tape.Verify(bytes.NewReader(text), tapeOptions(), nil)
}

// frames gives access to interleaved sound by frame.
type frames struct {
	samples  []float32
	channels int
}

func (f frames) len() int { return len(f.samples) / f.channels }

func (f frames) equal(i int, o frames, j int) bool {
	return slices.Equal(f.samples[i*f.channels:(i+1)*f.channels], o.samples[j*f.channels:(j+1)*f.channels])
}

// tones are played on the default patch: frequency and the filter's cutoff, both in Hz.
var tones = []struct{ freq, cutoff float32 }{
	{220, 800}, {261.63, 1000}, {329.63, 1300}, {440, 1700}, {523.25, 2200}, {659.26, 2900}, {587.33, 3800},
	{493.88, 3000}, {440, 2200}, {329.63, 1500}, {220, 900},
}
