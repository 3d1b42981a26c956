package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/tape"
	"github.com/music-chronus/chronus/audio/backendtest"
	"github.com/music-chronus/chronus/audio/file"
)

var readFile = file.Read

// e2eKills is the number of kills by each signal.
const e2eKills = 20

// oscsend plays notes, PortAudio plays on JACK, jack_rec captures the sound, and each signal kills
// the active worker twenty times. Every captured frame is that of the uninterrupted render. A
// machine that stalls can break a capture, so a broken one repeats.
func TestE2EJack(t *testing.T) {
	backendtest.JACK(t, 48000, 128)
	// After a kill the flip may take the whole lead, after a hang only the guard. Both are long
	// enough for a shared machine.
	e := up(t, "--backend", "portaudio", "--lead", "64", "--guard", "32")
	if st := e.must(); st.Backend != "portaudio" || st.Period != 128 {
		t.Fatalf("plays on %s with period %d", st.Backend, st.Period)
	}
	for _, tt := range []struct {
		name    string
		signal  syscall.Signal
		seconds int
	}{{"kill", syscall.SIGKILL, 4}, {"term", syscall.SIGTERM, 4}, {"segv", syscall.SIGSEGV, 4}, {"stop", syscall.SIGSTOP, 9}} {
		t.Run(tt.name, func(t *testing.T) {
			unbroken(t, func() (broken deviations) {
				before := e.must()
				stopTape := e.taping()
				recorded := capture(t, tt.seconds)
				stopNotes := oscsendNotes(t, e.must().OSC)
				for range e2eKills {
					e.killHeard(tt.signal)
				}
				path := recorded()
				stopNotes()
				after := e.redundancy()
				want := rendered(t, stopTape())
				n := after.FailoversTotal - before.FailoversTotal
				if n < e2eKills {
					t.Errorf("%d failovers, want %d", n, e2eKills)
				}
				d := compareCaptured(t, path, want)
				t.Logf("%d kills by %s: %d frames compared, %d lost, %d doubled, %d changed", n, tt.name, d.Compared, d.Lost, d.Doubled, d.Changed)
				if c := after.Concealed - before.Concealed; c != 0 || !d.Equal() || d.Compared < tt.seconds*48000/2 {
					broken.add("%d blocks concealed, %d xruns, %+v", c, after.Xruns-before.Xruns, d)
				}
				return broken
			})
		})
	}
}

// capture records PortAudio's ports of the JACK graph with jack_rec. recorded waits for its end.
func capture(t *testing.T, seconds int) (recorded func() string) {
	t.Helper()
	return capturePorts(t, seconds, "PortAudio:out_0", "PortAudio:out_1")
}

// capturePorts records any two ports.
func capturePorts(t *testing.T, seconds int, left, right string) (recorded func() string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "captured.wav")
	limit := time.Duration(seconds)*time.Second + toolLimit
	cmd := command(t, limit, "jack_rec", "-f", path, "-d", fmt.Sprint(seconds), "-b", "32", "-B", "262144", left, right)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	connected := regexp.MustCompile(`(?m)` + regexp.QuoteMeta(right) + `\n(?:   .*\n)*   jackrec`)
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		ports, _ := command(t, toolLimit, "jack_lsp", "-c").Output()
		if connected.Match(ports) || bytes.Contains(ports, []byte("input2")) {
			break
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("jack_rec is not connected: %s\n%s", out.String(), ports)
		}
	}
	return func() string {
		if err := cmd.Wait(); err != nil {
			t.Fatalf("jack_rec: %v: %s", err, out.String())
		}
		if strings.Contains(out.String(), "overruns") {
			t.Fatalf("jack_rec itself lost frames: %s", out.String())
		}
		return path
	}
}

// oscsendNotes plays tones with liblo's oscsend until stop.
func oscsendNotes(t *testing.T, address string) (stop func()) {
	host, port, _ := strings.Cut(address, ":")
	quit, done := make(chan struct{}), make(chan struct{})
	send := func(args ...string) {
		if b, err := command(t, toolLimit, "oscsend", append([]string{host, port}, args...)...).CombinedOutput(); err != nil {
			t.Errorf("oscsend %v: %v: %s", args, err, b)
		}
	}
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			n := tones[i%len(tones)]
			send("/engine/freq", "f", fmt.Sprint(n.freq))
			send("/gate/adsr1", "s", "on")
			send("/mod/filter1/cutoff", "i", fmt.Sprint(int(n.cutoff)))
			select {
			case <-quit:
				return
			case <-time.After(60 * time.Millisecond):
			}
			send("/gate/adsr1", "F")
		}
	}()
	return func() { close(quit); <-done }
}

// rendered returns the uninterrupted sound of a tape.
func rendered(t *testing.T, tape []byte) (samples []float32) {
	t.Helper()
	r, err := openTape(tape)
	if err == nil {
		err = r.Compare(func(_ uint64, block []float32, _ bool) { samples = append(samples, block...) })
	}
	if err != nil {
		t.Fatal(err)
	}
	return samples
}

// compareCaptured compares a recording that began somewhere in the sound of want. The recorder
// keeps 32-bit integers, so want is rounded in the same way.
func compareCaptured(t *testing.T, path string, want []float32) tape.Difference {
	t.Helper()
	channels, got := readWAV(t, path)
	if channels != 2 {
		t.Fatalf("%d channels", channels)
	}
	rounded := make([]float32, len(want))
	for i, v := range want {
		rounded[i] = float32(math.RoundToEven(float64(v)*(1<<31)) / (1 << 31))
	}
	start := 0
	for start < len(got)/2 && got[2*start] == 0 {
		start++
	}
	// A held note repeats itself. The recording begins at the place from which the two agree for
	// longest.
	g, w := frames{got, 2}, frames{rounded, 2}
	const sure = 2048
	at, longest := -1, sure
	for j := start; j < w.len(); j++ {
		n := 0
		for start+n < g.len() && j+n < w.len() && g.equal(start+n, w, j+n) {
			n++
		}
		if n > longest {
			at, longest = j, n
		}
	}
	if at < 0 {
		t.Logf("the captured sound, from frame %d of %d, is nowhere in the %d frames rendered", start, g.len(), w.len())
		return tape.Difference{}
	}
	return tape.Diff(got, rounded[2*(at-start):], 2)
}

// After the engine process was killed, its sound goes on until the grace time is over. Then all
// processes end.
func TestEngineKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "heard.wav")
	e := up(t, "--backend", "file", "--device", path, "--grace", "2s")
	if _, failed, err := sendOSC(e.must().OSC, replyWait, "/gate/adsr1", "on"); err != nil || failed {
		t.Fatal(failed, err)
	}
	e.killHeard(syscall.SIGKILL)
	st := e.redundancy()
	pids := []int{st.AudioPID}
	for _, w := range st.Workers {
		pids = append(pids, w.PID)
	}
	e.murder()
	// Half a second more of sound is written twice, before and after the death of the active
	// worker.
	grown := func(frames int64) {
		before := size(t, path)
		for began := time.Now(); size(t, path) < before+frames*8; time.Sleep(5 * time.Millisecond) {
			if time.Since(began) > 10*time.Second {
				t.Fatal("no more sound without an engine")
			}
		}
	}
	grown(12000)
	for _, pid := range pids {
		if !alive(pid) {
			t.Errorf("process %d ended with the engine", pid)
		}
	}
	if err := syscall.Kill(st.Workers[st.Active.Slot].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	grown(12000)
	channels, samples := readWAV(t, path)
	if n := longestSilence(samples[len(samples)-24000*channels:], channels); n > 64 {
		t.Errorf("%d frames of silence in the last half second", n)
	}
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		left := 0
		for _, pid := range pids {
			if alive(pid) {
				left++
			}
		}
		if left == 0 {
			return
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("%d processes are left after the grace time", left)
		}
	}
}

// longestSilence returns the most frames in a row that are 0.
func longestSilence(samples []float32, channels int) (most int) {
	run := 0
	for i := 0; i < len(samples); i += channels {
		if run++; samples[i] != 0 {
			run = 0
		}
		most = max(most, run)
	}
	return most
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return st.Size()
}

// alive says whether a process runs. A zombie does not.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	return !bytes.HasPrefix(b[bytes.LastIndexByte(b, ')')+1:], []byte(" Z")) && syscall.Kill(pid, 0) == nil
}
