package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/dsp/worker"
)

// asCommand makes the test program be chronus itself.
const asCommand = "CHRONUS_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	actors.RunChild(worker.Main, audio.Main(backends...))
	if os.Getenv(asCommand) != "" {
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
	dir := t.TempDir()
	e := &engineProcess{t: t, dir: dir, log: newLog(t), client: engineFlag{dir}.client()}
	e.cmd = exec.Command("/proc/self/exe", append([]string{"up", "--runtime-dir", dir, "--osc", "127.0.0.1:0"}, flags...)...)
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

func (e *engineProcess) must() actors.Status {
	e.t.Helper()
	st, err := e.status(context.Background())
	if err != nil {
		e.t.Fatal(err)
	}
	return st
}

// redundancy waits until every worker is ready.
func (e *engineProcess) redundancy() actors.Status {
	e.t.Helper()
	st, err := awaitRedundant(context.Background(), e.client)
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
	done := make(chan error, 1)
	go func() {
		_, err := io.Copy(&b, endless{body})
		done <- err
	}()
	return func() []byte {
		time.Sleep(5 * tapeDelay)
		cancel()
		if err := <-done; err != nil {
			e.t.Errorf("tape: %v", err)
		}
		_ = body.Close()
		return b.Bytes()
	}
}

// notes plays for as long as the test goes on, until the returned function is called.
func (e *engineProcess) notes() (stop func()) {
	osc := e.must().OSC
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			n := phrase[i%len(phrase)]
			for _, m := range []struct {
				address string
				arg     any
			}{{"/engine/freq", n.freq}, {"/mod/filter1/cutoff", n.cutoff}, {"/gate/adsr1", "on"}, {"/gate/adsr1", "off"}} {
				if _, _, err := sendOSC(osc, replyWait, m.address, m.arg); err != nil {
					e.t.Error(err)
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

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(bad, []byte("version: 1\nnodes:\n  - {id: a, type: sin}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	start := []string{"up", "--runtime-dir", dir, "--osc", "127.0.0.1:0", "--backend", "null"}
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"fly"}, 2, "unexpected argument fly"},
		{[]string{"up", "--rte", "1"}, 2, "unknown flag --rte"},
		{[]string{"status", "--runtime-dir", dir}, 1, "no engine runs in"},
		{[]string{"down", "--runtime-dir", dir}, 1, "no engine runs in"},
		{append(start, "--patch", bad), 1, `no module of type "sin"; did you mean sine?`},
		{append(start, "--patch", filepath.Join(dir, "none.yaml")), 1, "no such file"},
		{append(start, "--rate", "100"), 1, "rate 100 is outside 8000 to 384000"},
		{append(start, "--block", "8"), 1, "block 8 is outside 16 to 4096"},
		{append(start, "--replicas", "9"), 1, "replicas 9 is outside 1 to 8"},
		{append(start, "--lead", "2"), 1, "lead 2 must be above guard 2"},
		{append(start, "--lead", "3", "--block", "16"), 1, "which needs --lead 10"},
		{append(start, "--guard", "0"), 1, "--guard 0: it is 1 or more"},
		{append(start, "--log", "loud"), 1, "it is debug, info, warn or error"},
		{append(start, "--device", "hw:7"), 1, `backend null has no device "hw:7"`},
		{append(start, "--backend", "asio"), 1, `backend "asio" is unknown; there are auto, portaudio, null, file`},
		{[]string{"up", "--runtime-dir", dir, "--osc", "127.0.0.1:0", "--backend", "file"}, 1, "--device out.wav"},
		{[]string{"up", "--runtime-dir", dir, "--osc", "nowhere", "--backend", "null"}, 1, "host:port"},
		{[]string{"up", "--runtime-dir", filepath.Join(bad, "x"), "--backend", "null"}, 1, "choose another with --runtime-dir"},
		{[]string{"render", "--seconds=-1"}, 1, "--seconds -1"},
		{[]string{"render", "-o", filepath.Join(dir, "x.wav"), "--at", "0 /gate/nobody 1"}, 1, "under /gate/ there are adsr1"},
		{[]string{"render", "-o", filepath.Join(dir, "x.wav"), "--at", "soon /gate/adsr1 1"}, 1, `"soon" is no time`},
		{[]string{"render", "--tape", bad}, 1, "tape line 1"},
		{[]string{"chaos", "--runtime-dir", dir, "--kills", "0"}, 1, "--kills 0: it is 1 or more"},
		{[]string{"chaos", "--runtime-dir", dir, "--signal", "hup"}, 2, "must be one of"},
		{[]string{"send", "--osc", "127.0.0.1:1", "x"}, 1, "must begin with /"},
	} {
		out, errOut, code := chronus(tt.args...)
		if code != tt.code || !strings.Contains(errOut, tt.want) {
			t.Errorf("%v: code %d, want %d\n%s%s\nwant %s", tt.args, code, tt.code, out, errOut, tt.want)
		}
	}
}

func TestRender(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.wav")
	_, errOut, code := chronus("render", "-o", path, "--seconds", "1", "--at", "0.25 /gate/adsr1 on", "--at", "0.1 /engine/freq 221")
	if code != 0 {
		t.Fatal(errOut)
	}
	_, samples := readWAV(t, path)
	if len(samples) != 2*48000 {
		t.Fatalf("%d samples", len(samples))
	}
	for i, v := range samples {
		if frame := i / 2; (v != 0) != (frame >= 12000) && frame <= 12000 {
			t.Fatalf("frame %d is %g", frame, v)
		}
	}
}

func TestCompare(t *testing.T) {
	want := make([]float32, 20000)
	for i := range want {
		want[i] = float32(i*i%7919) / 7919
	}
	cut := func(edit func([]float32) []float32) []float32 { return edit(append([]float32(nil), want...)) }
	for _, tt := range []struct {
		name string
		got  []float32
		d    difference
	}{
		{"equal", want, difference{First: -1}},
		{"lost", cut(func(x []float32) []float32 { return append(x[:1000], x[1256:]...) }), difference{Lost: 128, First: 500}},
		{"doubled", cut(func(x []float32) []float32 {
			return append(append(append([]float32{}, x[:1000]...), x[900:1000]...), x[1000:]...)
		}),
			difference{Doubled: 50, First: 500}},
		{"changed", cut(func(x []float32) []float32 { x[1001]++; return x }), difference{Changed: 1, First: 500}},
	} {
		got := compare(tt.got, want, 2)
		if got.Lost != tt.d.Lost || got.Doubled != tt.d.Doubled || got.Changed != tt.d.Changed || got.First != tt.d.First {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

// A tape whose sound was changed, or that lacks a block or a command, does not pass.
func TestVerifyFindsChange(t *testing.T) {
	e := up(t, "--backend", "null", "--lead", "32")
	stop := e.taping()
	stopNotes := e.notes()
	time.Sleep(300 * time.Millisecond)
	stopNotes()
	tape := stop()
	good, err := verify(bytes.NewReader(tape))
	if err != nil || good.Changed != 0 || good.Blocks < 100 {
		t.Fatalf("%+v, %v", good, err)
	}
	lines := bytes.SplitAfter(tape, []byte("\n"))
	block := regexp.MustCompile(`"heard":"(\d)`)
	for i, l := range lines {
		if i < 20 || !block.Match(l) {
			continue
		}
		changed := bytes.Join(append(append(append([][]byte{}, lines[:i]...), block.ReplaceAll(l, []byte(`"heard":"1$1`))), lines[i+1:]...), nil)
		if v, err := verify(bytes.NewReader(changed)); err == nil && v.Changed != 1 {
			t.Errorf("a changed block passes: %+v", v)
		}
		missing := bytes.Join(append(append([][]byte{}, lines[:i]...), lines[i+1:]...), nil)
		if _, err := verify(bytes.NewReader(missing)); err == nil || !strings.Contains(err.Error(), "missing or there twice") {
			t.Errorf("a missing block passes: %v", err)
		}
		break
	}
	for i, l := range lines[1:] {
		if bytes.Contains(l, []byte(`"command"`)) {
			missing := bytes.Join(append(append([][]byte{}, lines[:i+1]...), lines[i+2:]...), nil)
			if _, err := verify(bytes.NewReader(missing)); err == nil || !strings.Contains(err.Error(), "not on the tape") {
				t.Errorf("a missing command passes: %v", err)
			}
			break
		}
	}
}

func TestDemo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "demo.wav")
	out, errOut, code := chronus("demo", "-o", path)
	t.Log("\n" + out)
	// What the machine itself stalls for is told as concealed, and is not ours to fail for; the sound is.
	if !regexp.MustCompile(`: 0 lost, \d+ doubled, \d+ changed, \d+ concealed`).MatchString(out) || strings.Count(out, " ms  ") < 5 {
		t.Errorf("code %d: %s", code, errOut)
	}
	if strings.Contains(out, " 0 concealed") && code != 0 {
		t.Errorf("nothing was concealed, and yet: code %d, %s", code, errOut)
	}
}

func readWAV(t testing.TB, path string) (channels int, samples []float32) {
	t.Helper()
	_, channels, samples, err := readFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return channels, samples
}

func TestSecondEngine(t *testing.T) {
	e := up(t, "--backend", "null")
	_, errOut, code := chronus("up", "--runtime-dir", e.dir, "--backend", "null", "--osc", "127.0.0.1:0")
	if want := fmt.Sprintf("an engine already runs in %s (process %d)", e.dir, e.cmd.Process.Pid); code != 1 || !strings.Contains(errOut, want) {
		t.Errorf("code %d: %s\nwant %s", code, errOut, want)
	}
	_, errOut, code = chronus("up", "--runtime-dir", t.TempDir(), "--backend", "null", "--osc", e.must().OSC)
	if code != 1 || !strings.Contains(errOut, "in use by another program: choose another with --osc") {
		t.Errorf("code %d: %s", code, errOut)
	}
}

func TestVerbs(t *testing.T) {
	e := up(t, "--backend", "null")
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"status"}, 0, "heard"},
		{[]string{"status", "--json"}, 0, `"hash_mismatches": 0`},
		{[]string{"send", "/gate/adsr1", "on"}, 0, `/done "/gate/adsr1"`},
		{[]string{"send", "/mod/filter1/mode", "hp"}, 0, "/done"},
		{[]string{"send", "/engine/amp", "2"}, 1, `/fail "/engine/amp" "2 is not a number from 0 to 1"`},
		{[]string{"send", "/mod/filter1/cut", "2"}, 1, "under /mod/filter1/ there are mode, cutoff, q"},
		{[]string{"send", "/engine/status"}, 0, "/engine/status.reply 0 "},
		{[]string{"chaos", "--kills", "3"}, 0, "changed  0"},
		{[]string{"chaos", "--kills", "2", "--signal", "segv", "--json"}, 0, `"changed": 0`},
		{[]string{"down"}, 0, ""},
	} {
		out, errOut, code := chronus(append(tt.args, "--runtime-dir", e.dir)...)
		if code != tt.code || !strings.Contains(strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(tt.want), " ")) {
			t.Errorf("%v: code %d\n%s%s\nwant %s", tt.args, code, out, errOut, tt.want)
		}
	}
	if err := e.cmd.Wait(); err != nil {
		t.Errorf("after down, chronus up ended with %v", err)
	}
	e.cmd = nil
}

func verifyBytes(tape []byte) (verdict, error) { return verify(bytes.NewReader(tape)) }
