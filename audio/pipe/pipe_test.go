package pipe

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/audio/backendtest"
)

// sink makes a Sink in a directory of its own.
func sink(t *testing.T, o Options) *Sink {
	t.Helper()
	s, err := Listen(filepath.Join(t.TempDir(), "sink"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// The backend fulfils the contract of backends, with and without a Sink.
func TestBackend(t *testing.T) {
	s := sink(t, Options{Period: 96})
	go func() { _ = s.Pace(func([]float32) {}) }()
	r := audio.Request{Device: s.Path(), Rate: 48000, Channels: 2}
	if period := backendtest.Run(t, Backend{}, r); period != 96 {
		t.Errorf("it asked for %d frames at a time, not 96", period)
	}
	r.Device, r.Again = filepath.Join(t.TempDir(), "nobody"), true
	if period := backendtest.Run(t, Backend{}, r); period != 64 {
		t.Errorf("it asked for %d frames at a time, not 64", period)
	}
}

// counting is a stream that plays the numbers from 0 on, one per sample.
func counting(t *testing.T, s *Sink, again bool) (audio.Stream, *atomic.Int64) {
	t.Helper()
	var n atomic.Int64
	st, err := Backend{}.Open(audio.Request{Device: s.Path(), Rate: 48000, Channels: 2, Again: again}, func(out []float32) {
		for i := range out {
			out[i] = float32(n.Add(1) - 1)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st, &n
}

// Every sample arrives once, in order, in reads of all sizes. Nothing is rendered without a
// request.
func TestInOrder(t *testing.T) {
	s := sink(t, Options{Period: 100})
	_, made := counting(t, s, false)
	next := float32(0)
	for _, frames := range []int{1, 100, 7, 250, 64, 1000} {
		out := make([]float32, 2*frames)
		if err := s.Read(out); err != nil {
			t.Fatal(err)
		}
		for _, v := range out {
			if v != next {
				t.Fatalf("sample %g came where %g should be", v, next)
			}
			next++
		}
	}
	if made.Load() != int64(next) {
		t.Errorf("%d samples were made, %g taken", made.Load(), next)
	}
	if err := s.Read(make([]float32, 3)); err == nil {
		t.Error("one frame and a half was read")
	}
}

// When the Sink has ended, the sound goes on by the clock, and the stream reports a problem. A new
// Sink gets the sound from there.
func TestSinkGone(t *testing.T) {
	dir := t.TempDir()
	first, err := Listen(filepath.Join(dir, "sink"), Options{Period: 64})
	if err != nil {
		t.Fatal(err)
	}
	st, made := counting(t, first, false)
	if err := first.Read(make([]float32, 128)); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); made.Load() < 128+10*128; time.Sleep(time.Millisecond) {
		if time.Since(began) > 5*time.Second {
			t.Fatal("it does not go on")
		}
	}
	if what := st.(audio.ProblemReporter).Problem(); !strings.Contains(what, "no pipe.Sink at") {
		t.Errorf("it says %q", what)
	}
	second, err := Listen(filepath.Join(dir, "sink"), Options{Period: 64})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	out := make([]float32, 512)
	if err := second.Read(out); err != nil {
		t.Fatal(err)
	}
	for i, v := range out {
		if v < 128 || v != out[0]+float32(i) {
			t.Fatalf("sample %d is %g after %g", i, v, out[0])
		}
	}
	if what := st.(audio.ProblemReporter).Problem(); what != "" {
		t.Errorf("it still says %q", what)
	}
}

// The stream waits for the workers, but no longer than the Sink's patience.
func TestPatience(t *testing.T) {
	s := sink(t, Options{Period: 64, Patience: 20 * time.Millisecond})
	var asked, filled atomic.Int64
	st, err := Backend{}.Open(audio.Request{Device: s.Path(), Rate: 48000, Channels: 2, Ready: func(int) bool { asked.Add(1); return false }},
		func([]float32) { filled.Add(1) })
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if err := st.Start(); err != nil {
		t.Fatal(err)
	}
	if err := s.Read(make([]float32, 128)); err != nil || asked.Load() < 2 || filled.Load() != 1 {
		t.Errorf("%v; it was asked %d times and filled %d", err, asked.Load(), filled.Load())
	}
}

// Open and Listen refuse invalid paths and peers with a reason.
func TestRefused(t *testing.T) {
	dir := t.TempDir()
	s := sink(t, Options{Rate: 44100})
	ordinary := filepath.Join(dir, "file")
	if err := os.WriteFile(ordinary, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	stranger, err := net.Listen("unix", filepath.Join(dir, "stranger"))
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	go func() {
		if c, err := stranger.Accept(); err == nil {
			_, _ = c.Write([]byte("HTTP/1.1 400 Bad"))
		}
	}()
	for device, want := range map[string]string{
		"": "path", filepath.Join(dir, "none"): "pipe.Sink", ordinary: "pipe.Sink", stranger.Addr().String(): "not a Chronus pipe", s.Path(): "44100 Hz",
	} {
		if _, err := (Backend{}).Open(audio.Request{Device: device, Rate: 48000, Channels: 2}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", device, err, want)
		}
	}
	if _, err := Listen(s.Path(), Options{}); err == nil || !strings.Contains(err.Error(), "another program") {
		t.Errorf("a second Sink at one path: %v", err)
	}
	if _, err := Listen(filepath.Join(dir, "x"), Options{Period: 1 << 20}); err == nil {
		t.Error("a period of a million frames")
	}
	if _, err := Listen(filepath.Join(dir, "no", "such"), Options{}); err == nil {
		t.Error("a Sink in no directory")
	}
}

// A waiting Read ends when the Sink is closed.
func TestCloseWhileReading(t *testing.T) {
	s := sink(t, Options{})
	done := make(chan error)
	go func() { done <- s.Read(make([]float32, 2)) }()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// A Sink that could not accept connections for a while accepts the next one.
func TestAcceptRetry(t *testing.T) {
	s := sink(t, Options{Period: 64})
	if err := s.listener.SetDeadline(time.Now().Add(-time.Second)); err != nil { // as if too many files were open
		t.Fatal(err)
	}
	for began := time.Now(); s.acceptErrors.Load() < 2; time.Sleep(time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatalf("it has failed %d times, and not again", s.acceptErrors.Load())
		}
	}
	if err := s.listener.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	counting(t, s, false)
	if err := s.Read(make([]float32, 128)); err != nil {
		t.Error(err)
	}
}
