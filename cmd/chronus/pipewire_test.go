package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/audio/backendtest"
	"github.com/music-chronus/chronus/audio/soundserver"
)

// steadyPatch plays a sine of steadyFrequency Hz.
const (
	steadyPatch     = "testdata/sound/sine.yaml"
	steadyFrequency = 443.37
)

// soakEnv gives the seconds of sound of each path in TestE2EPipeWire. Then soakKills workers are
// killed and not shortKills.
const (
	soakEnv      = "CHRONUS_SOAK"
	shortSeconds = 3
	shortKills   = 5
	soakKills    = 100
)

// sineTries bounds the repetitions of a test whose sine broke. A stall of the machine breaks some
// tries, a fault of the engine breaks all.
const sineTries = 5

// sinePath is a way by which an engine plays on PipeWire.
type sinePath struct {
	name  string
	flags []string
	path  string // part of the status's path
}

var sinePaths = []sinePath{
	{"auto", nil, "PipeWire by its JACK library"},
	{"JACK", []string{"--backend", "jack"}, "PipeWire by its JACK library"},
	{"ALSA", []string{"--backend", "portaudio", "--device", "ALSA/default"}, "PipeWire by its ALSA plugin"},
}

// TestE2EPipeWire captures a steady sine from PipeWire's sink at its default quantum, by each path,
// with and without kills of the active worker. The sine must be unbroken. A client in plain C, the
// control, plays on another sink meanwhile. A machine that stalls breaks both sounds. The engine's
// sound must have no more breaks than the control's. A short run plays a broken path again. A soak
// does so only if the control broke too.
func TestE2EPipeWire(t *testing.T) {
	server := backendtest.StartPipeWire(t)
	server.Sink(t, "nullsink")
	server.Sink(t, "controlsink")
	server.Default(t, "nullsink")
	control := backendtest.StartControl(t, soundserver.Look().Library, "controlsink:playback_FL", "controlsink:playback_FR")
	seconds, kills := shortSeconds, shortKills
	n, err := strconv.Atoi(os.Getenv(soakEnv))
	soak := err == nil
	if soak {
		seconds, kills = n, soakKills
	}
	for i, tt := range sinePaths {
		for k, kills := range []int{0, kills} {
			if !soak && (i+k)%2 == 0 {
				continue // auto and ALSA with kills, JACK without
			}
			t.Run(fmt.Sprintf("%s with %d kills", tt.name, kills), func(t *testing.T) {
				for try := 1; ; try++ {
					s := tt.play(t, server, seconds, kills)
					t.Log(s)
					if !s.broken() {
						return
					}
					if soak && len(s.control.Breaks) == 0 || try == sineTries {
						t.Fatalf("broken at try %d", try)
					}
				}
			})
		}
	}
	t.Log("control:", control.Stop())
}

// soaked is the outcome of playing by a path.
type soaked struct {
	before, after   actors.Status
	engine, control backendtest.Sine
}

// broken says whether the engine's sound was broken more often than the control's.
func (s soaked) broken() bool {
	machine := len(s.control.Breaks)
	return len(s.engine.Breaks) > machine || machine == 0 && s.after.Concealed > s.before.Concealed
}

func (s soaked) String() string {
	a, b := s.after, s.before
	return fmt.Sprintf("%s %q (%s): period %d, lead %d; %d workers lost, %d concealed, %d xruns, %d flips by the callback; %v; control: %v",
		a.Backend, a.Device, a.Path, a.Period, a.Lead, a.FailoversTotal-b.FailoversTotal, a.Concealed-b.Concealed, a.Xruns-b.Xruns, a.CallbackFlips-b.CallbackFlips, s.engine, s.control)
}

// play plays for so many seconds, and kills the active worker that often, at even intervals.
func (p sinePath) play(t *testing.T, server *backendtest.PipeWire, seconds, kills int) (s soaked) {
	e := up(t, append(p.flags, "--patch", steadyPatch)...)
	defer e.down()
	if st := e.redundancy(); !strings.Contains(st.Path, p.path) {
		t.Fatalf("it plays on %s %q by %q, want %s; %s", st.Backend, st.Device, st.Path, p.path, e.log)
	}
	heard, other := server.Capture(t, "nullsink"), server.Capture(t, "controlsink")
	s.before = e.must()
	blocks := uint64(seconds * s.before.Rate / s.before.Block)
	for n := range uint64(kills) {
		e.playedTo(s.before.Clock + n*blocks/uint64(kills))
		e.killHeard(syscall.SIGKILL)
	}
	e.playedTo(s.before.Clock + blocks)
	s.after = e.redundancy()
	path, otherPath := heard.Stop(t), other.Stop(t)
	s.engine = backendtest.FitSine(left(t, path), s.before.Rate, steadyFrequency)
	s.control = backendtest.FitSine(left(t, otherPath), s.before.Rate, backendtest.ControlFrequency)
	if least := (seconds - 1) * s.before.Rate; s.engine.Frames < least && len(s.engine.Breaks) == 0 {
		t.Errorf("%d frames captured, want %d", s.engine.Frames, least)
	}
	return s
}

// playedTo waits until a block has been played.
func (e *engineProcess) playedTo(block uint64) {
	e.t.Helper()
	left := max(0, int64(block)-int64(e.must().Clock))
	e.until(fmt.Sprintf("plays block %d", block), time.Minute+2*time.Duration(left)*time.Millisecond, func(st actors.Status) bool { return st.Clock >= block })
}

// left returns the first channel of a stereo file.
func left(t *testing.T, path string) (left []float32) {
	t.Helper()
	_, samples := readWAV(t, path)
	for i := 0; i < len(samples); i += 2 {
		left = append(left, samples[i])
	}
	return left
}

// TestE2EPipeWireRestart ends the daemon while an engine plays. The engine plays on unheard, and is
// heard again by the same path once the daemon is back.
func TestE2EPipeWireRestart(t *testing.T) {
	server := backendtest.StartPipeWire(t)
	server.Sink(t, "nullsink")
	e := up(t, "--patch", steadyPatch)
	before := e.redundancy()
	if before.Unheard || before.OnFallback || before.Advice != "" {
		t.Fatalf("blank %t, second %t, advice %q", before.Unheard, before.OnFallback, before.Advice)
	}
	server.Kill()
	lost := e.until("on the clock", 15*time.Second, func(st actors.Status) bool {
		return st.Backend == "null" && st.Unheard && st.OnFallback && st.Clock > before.Clock+1000
	})
	out, _, _ := chronus("status", "--runtime-dir", e.dir)
	if want := "Nobody hears this: " + before.Backend + " is not there"; !strings.Contains(out, want) || lost.Preferred != before.Backend {
		t.Errorf("preferred %q, no %q in %s", lost.Preferred, want, out)
	}
	if log := e.log.String(); !strings.Contains(log, "nobody hears this: "+before.Backend+" is not there") {
		t.Errorf("the log does not say that nobody hears it: %s", log)
	}
	server.Start(t)
	server.Sink(t, "nullsink")
	after := e.until("on PipeWire again", 20*time.Second, func(st actors.Status) bool { return st.Backend == before.Backend && !st.Unheard && !st.OnFallback })
	if after.Path != before.Path {
		t.Errorf("by %q, before by %q", after.Path, before.Path)
	}
}

// TestE2EPipeWireAdvice checks what up and devices say about the path, its reason, and a better
// one.
func TestE2EPipeWireAdvice(t *testing.T) {
	server := backendtest.StartPipeWire(t)
	server.Sink(t, "nullsink")
	e := up(t, "--backend", "portaudio")
	want := []string{"PipeWire by its ALSA plugin", "leave --backend and --device out for less latency"}
	for _, text := range want {
		if !strings.Contains(e.log.String(), text) {
			t.Errorf("up does not say %q: %s", text, e.log)
		}
	}
	if st := e.must(); st.Path != want[0] || !strings.Contains(st.Advice, want[1]) {
		t.Errorf("path %q, advice %q", st.Path, st.Advice)
	}
	cmd := command(t, toolLimit, "/proc/self/exe", "devices")
	cmd.Env = append(os.Environ(), asCommand+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, text := range []string{`PipeWire by its JACK library: PipeWire is running, no jackd is`, "ALSA/default"} {
		if !strings.Contains(string(out), text) {
			t.Errorf("devices does not say %q: %s", text, out)
		}
	}
}

// TestE2EPipeWireNoSink has a server without a sink. An engine with --backend auto does not start
// there without --fallback.
func TestE2EPipeWireNoSink(t *testing.T) {
	backendtest.StartPipeWire(t)
	cmd := command(t, toolLimit, "/proc/self/exe", "up", "--runtime-dir", t.TempDir(), "--osc", "none", "--state", noState)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 || strings.Count(string(out), "\n") != 1 ||
		!strings.Contains(string(out), "was opened but asked for no sound (0 times in 2s): choose another") {
		t.Errorf("%v: %s", err, out)
	}
	e := up(t, "--fallback", "null")
	if st := e.must(); st.Backend != "null" || !st.Unheard || !st.OnFallback || !strings.Contains(st.Note, "asked for no sound") {
		t.Errorf("plays on %s, blank %t, second %t, note %q", st.Backend, st.Unheard, st.OnFallback, st.Note)
	}
}
