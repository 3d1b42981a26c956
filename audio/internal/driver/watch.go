package driver

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// How long a device may not call before it counts as lost. PortAudio does not report an unplugged
// device or the end of a JACK server: the callbacks just stop.
const (
	watchTick = 100 * time.Millisecond
	firstCall = 5 * time.Second // a device may start slowly
	lostAfter = time.Second     // or four periods, if that is longer
)

// Watch detects a device that has stopped calling: Err then returns an error. The callback calls
// Called. One goroutine calls the other methods.
type Watch struct {
	What string // names the device in the error: `portaudio: device "system"`
	Rate int    // Hz

	calls  atomic.Uint64
	frames atomic.Int64 // of the last call
	quit   chan struct{}
	ended  sync.WaitGroup
	err    atomic.Pointer[error]
}

// Called counts a call for this many frames, and returns the number of calls.
func (w *Watch) Called(frames int) uint64 {
	w.frames.Store(int64(frames))
	return w.calls.Add(1)
}

// Calls returns the number of calls.
func (w *Watch) Calls() uint64 { return w.calls.Load() }

// Start starts the watch.
func (w *Watch) Start() {
	w.quit = make(chan struct{})
	w.ended.Go(w.run)
}

// Stop ends the watch, if it runs.
func (w *Watch) Stop() {
	if w.quit == nil {
		return
	}
	close(w.quit)
	w.ended.Wait()
	w.quit = nil
}

// Err returns why the stream has ended, or nil.
func (w *Watch) Err() error {
	if e := w.err.Load(); e != nil {
		return *e
	}
	return nil
}

// run counts its own ticks, not time, so that a suspended process does not take its device for
// lost.
func (w *Watch) run() {
	tick := time.NewTicker(watchTick)
	defer tick.Stop()
	var calls uint64
	var silent time.Duration
	for {
		select {
		case <-w.quit:
			return
		case <-tick.C:
		}
		if n := w.Calls(); n != calls {
			calls, silent = n, 0
			continue
		}
		silent += watchTick
		if silent > w.silence(calls) {
			err := fmt.Errorf("%s is lost: it asked for no sound in %v", w.What, silent)
			w.err.Store(&err)
			return
		}
	}
}

// silence returns how long the device may not call after this many calls.
func (w *Watch) silence(calls uint64) time.Duration {
	if calls == 0 {
		return firstCall
	}
	period := time.Duration(w.frames.Load()) * time.Second / time.Duration(w.Rate)
	return max(lostAfter, 4*period)
}
