package jack_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/audio/backendtest"
	"github.com/music-chronus/chronus/audio/file"
)

// client runs a JACK client until end is called, or until the test ends.
func client(t *testing.T, name string, args ...string) (end func()) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}
	t.Cleanup(end)
	return end
}

func awaitWiring(t *testing.T, s audio.Stream, want [][]string) {
	t.Helper()
	var got [][]string
	for began := time.Now(); ; <-time.After(5 * time.Millisecond) {
		if got = s.(audio.Wired).Wiring(); slices.EqualFunc(got, want, slices.Equal) {
			return
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("wiring %q, want %q", got, want)
		}
	}
}

// By default the stream plays on the device. The user's changes of the graph become the wiring of
// the next stream, also for a port that appears later.
func TestWiring(t *testing.T) {
	backendtest.JACK(t, 48000, 128)
	s := started(t, both, silent)
	awaitConnected(t, "chronus:out_1", "system:playback_1")
	awaitConnected(t, "chronus:out_2", "system:playback_2")
	awaitWiring(t, s, [][]string{{"system:playback_1"}, {"system:playback_2"}})
	end := client(t, "jack_thru")
	awaitConnected(t, "jack_thru:input_1", "system:capture_1")
	tool(t, "jack_connect", "chronus:out_1", "jack_thru:input_1")
	tool(t, "jack_connect", "chronus:out_1", "system:playback_2")
	tool(t, "jack_disconnect", "chronus:out_2", "system:playback_2")
	want := [][]string{{"system:playback_1", "jack_thru:input_1", "system:playback_2"}, {}}
	awaitWiring(t, s, want)
	end()
	awaitConnected(t, "chronus:out_1", "system:playback_1", "system:playback_2")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if got := s.(audio.Wired).Wiring(); !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("wiring %q once jack_thru has ended, want %q", got, want)
	}

	again := with(func(r *audio.Request) { r.Wiring, r.WiringOf, r.Again = want, s.Info().Path(), true })
	s = started(t, again, silent)
	awaitConnected(t, "chronus:out_1", "system:playback_1", "system:playback_2")
	awaitConnected(t, "chronus:out_2")
	client(t, "jack_thru")
	await(t, "the connection with jack_thru", func() bool { return slices.Contains(connections(t)["chronus:out_1"], "jack_thru:input_1") })
	awaitConnected(t, "chronus:out_2")
	if err := s.Close(); err != nil {
		t.Error(err)
	}

	again.WiringOf = "jack/JACK/another server"
	started(t, again, silent)
	awaitConnected(t, "chronus:out_1", "system:playback_1")
	awaitConnected(t, "chronus:out_2", "system:playback_2")
}

// A mono stream plays on the first two ports. A stream with an empty wiring plays on none.
func TestFirstWiring(t *testing.T) {
	backendtest.JACK(t, 48000, 128)
	started(t, with(func(r *audio.Request) { r.Channels = 1 }), silent)
	awaitConnected(t, "chronus:out_1", "system:playback_1", "system:playback_2")
	s := started(t, with(func(r *audio.Request) { r.ClientName, r.Wiring = "none", [][]string{} }), silent)
	awaitWiring(t, s, [][]string{{}, {}})
	awaitConnected(t, "none:out_1")
	if problem := s.(audio.ProblemReporter).Problem(); problem != "" {
		t.Errorf("problem %q", problem)
	}
}

// A server without playback ports can be opened. The stream reports a problem until something is
// connected.
func TestNoPlaybackPort(t *testing.T) {
	backendtest.StartJACK(t, backendtest.JACKOptions{Rate: 48000, Period: 128, Playback: -1})
	s := open(t, both, silent)
	problem := s.(audio.ProblemReporter).Problem
	if now := problem(); now != "" {
		t.Errorf("problem before the start: %q", now)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "problem", func() bool { return problem() != "" })
	if now, want := problem(), "JACK: no playback port: connect chronus:out_1 by hand, or start a device with playback ports"; now != want {
		t.Errorf("problem %q, want %q", now, want)
	}
	recorded := record(t, 2)
	await(t, "the end of the problem", func() bool { return problem() == "" })
	if w := s.(audio.Wired).Wiring(); len(w) != 2 || len(w[0]) != 1 || !strings.HasPrefix(w[0][0], "jackrec") || len(w[1]) != 0 {
		t.Errorf("wiring %q", w)
	}
	recorded()
}

// ramp is the period of a ramp with a unique, exact number in every frame.
const ramp = 1 << 23

// record captures chronus:out_1 with jack_rec. recorded waits for its end.
func record(t *testing.T, seconds int) (recorded func() []float32) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "captured.wav")
	cmd := exec.Command("jack_rec", "-f", path, "-d", fmt.Sprint(seconds), "-b", "32", "-B", "262144", "chronus:out_1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "jack_rec", func() bool {
		return slices.ContainsFunc(connections(t)["chronus:out_1"], func(p string) bool { return strings.HasPrefix(p, "jackrec") })
	})
	return func() []float32 {
		if err := cmd.Wait(); err != nil {
			t.Fatalf("jack_rec: %v: %s", err, out.String())
		}
		if strings.Contains(out.String(), "overruns") {
			t.Fatalf("jack_rec itself lost frames: %s", out.String())
		}
		_, _, samples, err := file.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		return samples
	}
}

// breaks counts the places where a captured ramp does not go on with the next frame.
func breaks(captured []float32) (n int) {
	for i := 1; i < len(captured); i++ {
		if want := (uint32(captured[i-1]*ramp) + 1) % ramp; uint32(captured[i]*ramp) != want {
			n++
		}
	}
	return n
}

// The period changes twenty times while the stream plays, and every frame is in its place. On an
// asynchronous server a machine that stalls loses frames; each loss is an xrun.
func TestPeriodChanges(t *testing.T) {
	for _, async := range []bool{false, true} {
		t.Run(fmt.Sprintf("async=%t", async), func(t *testing.T) {
			backendtest.StartJACK(t, backendtest.JACKOptions{Rate: 48000, Period: 256, Async: async})
			var period atomic.Int64
			frame := uint32(0)
			s := started(t, with(func(r *audio.Request) { r.Channels = 1 }), func(out []float32) {
				for i := range out {
					out[i] = float32(frame%ramp) / ramp
					frame++
				}
				period.Store(int64(len(out)))
			})
			recorded := record(t, 5)
			for i := range 20 {
				frames := []int{32, 64, 2048, 512, 128, 1024, 256}[i%7]
				tool(t, "jack_bufsize", fmt.Sprint(frames))
				await(t, fmt.Sprintf("period %d", frames), func() bool { return period.Load() == int64(frames) })
			}
			captured := recorded()
			n, xruns := breaks(captured), s.Xruns()
			t.Logf("%d frames captured, %d breaks, %d xruns", len(captured), n, xruns)
			if n > int(xruns) || !async && (n > 0 || xruns > 0) || len(captured) < 2*48000 {
				t.Errorf("%d frames captured, with %d breaks; %d xruns", len(captured), n, xruns)
			}
			if err := s.Err(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Each time the server goes on without a client that is held up, there is one xrun.
func TestLossIsAnXrun(t *testing.T) {
	backendtest.StartJACK(t, backendtest.JACKOptions{Rate: 48000, Period: 256, Async: true})
	var calls atomic.Int64
	var held atomic.Bool
	s := started(t, both, func(out []float32) {
		clear(out)
		calls.Add(1)
		if held.Swap(false) {
			<-time.After(100 * time.Millisecond)
		}
	})
	await(t, "calls", func() bool { return calls.Load() > 10 }) // the first calls are not checked
	for range 3 {
		before := s.Xruns()
		held.Store(true)
		await(t, "an xrun", func() bool { return s.Xruns() > before })
	}
}

// A stream that plays allocates nothing, neither in the callback nor elsewhere.
func TestStreamAllocatesNothing(t *testing.T) {
	backendtest.JACK(t, 48000, 64)
	var calls atomic.Int64
	s := started(t, both, func(out []float32) { clear(out); calls.Add(1) })
	awaitWiring(t, s, [][]string{{"system:playback_1"}, {"system:playback_2"}})
	wired, reporter := s.(audio.Wired), s.(audio.ProblemReporter)
	n := testing.AllocsPerRun(1, func() {
		for end := calls.Load() + 300; calls.Load() < end; {
			if s.Err() != nil || reporter.Problem() != "" || wired.Wiring() == nil {
				t.Error("the stream has ended")
				return
			}
		}
	})
	if n != 0 {
		t.Errorf("%v allocations in 300 calls", n)
	}
}
