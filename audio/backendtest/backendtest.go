// Package backendtest tests what every audio backend must do. It runs JACK and PipeWire servers for
// tests, and compares captured sound with a sine.
package backendtest

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/music-chronus/chronus/audio"
)

// wait bounds how long a device may take to call.
const wait = 10 * time.Second

// Run opens the backend and checks its contract. Fill gets whole frames, and only between Start and
// Stop. Info is true, and Close may come twice. Run returns the largest period seen, in frames.
func Run(t *testing.T, b audio.Backend, r audio.Request) (period int) {
	t.Helper()
	var calls, inside atomic.Int64
	var most atomic.Int64
	channels := atomic.Int64{}
	channels.Store(int64(r.Channels))
	s, err := b.Open(r, func(out []float32) {
		inside.Add(1)
		defer inside.Add(-1)
		calls.Add(1)
		if c := int(channels.Load()); len(out) == 0 || len(out)%c != 0 {
			t.Errorf("asked for %d samples in %d channels", len(out), c)
		} else {
			most.Store(max(most.Load(), int64(len(out)/c)))
		}
		clear(out)
	})
	if err != nil {
		t.Fatal(err)
	}
	info := s.Info()
	channels.Store(int64(info.Channels))
	if info.Backend != b.Name() || info.Rate != r.Rate || info.Channels < 1 || info.Device == "" {
		t.Errorf("info %+v", info)
	}
	if calls.Load() != 0 {
		t.Error("it called before Start")
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); calls.Load() < 20; time.Sleep(time.Millisecond) {
		if time.Since(began) > wait {
			t.Fatalf("%d calls in %v", calls.Load(), wait)
		}
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	after := calls.Load()
	if inside.Load() != 0 {
		t.Error("Stop returned while a call was under way")
	}
	time.Sleep(20 * time.Millisecond)
	if calls.Load() != after {
		t.Error("it called after Stop")
	}
	if s.Err() != nil {
		t.Error(s.Err())
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if info.Period != 0 && int64(info.Period) != most.Load() {
		t.Errorf("period %d, it asked for up to %d", info.Period, most.Load())
	}
	return int(most.Load())
}
