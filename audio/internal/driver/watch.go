package driver

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// How long a device may be silent before it is taken for lost: PortAudio tells nobody when a device is
// unplugged or a JACK server ends, it just does not call any more.
const (
	watchTick = 100 * time.Millisecond
	firstCall = 5 * time.Second // a device may wake slowly
	lostAfter = time.Second     // or four periods, if that is longer
)

// Watch ends a stream, by its Err, when the device has stopped calling. The callback calls Called;
// one goroutine calls the other methods.
type Watch struct {
	What string // names the device in the error: `portaudio: device "system"`
	Rate int    // Hz

	calls  atomic.Uint64
	frames atomic.Int64 // of the last call
	quit   chan struct{}
	ended  sync.WaitGroup
	err    atomic.Pointer[error]
}

// Called notes a call for some frames, and returns how many calls there were.
func (w *Watch) Called(frames int) uint64 {
	w.frames.Store(int64(frames))
	return w.calls.Add(1)
}

// Calls counts the calls so far.
func (w *Watch) Calls() uint64 { return w.calls.Load() }

// Start begins to watch.
func (w *Watch) Start() {
	w.quit = make(chan struct{})
	w.ended.Go(w.run)
}

// Stop ends the watching, if it goes on.
func (w *Watch) Stop() {
	if w.quit == nil {
		return
	}
	close(w.quit)
	w.ended.Wait()
	w.quit = nil
}

// Err is why the stream has ended, nil while it has not.
func (w *Watch) Err() error {
	if e := w.err.Load(); e != nil {
		return *e
	}
	return nil
}

// run counts its own ticks, not the time, so that a process that was suspended does not take
// itself for a lost device.
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

// silence is how long the device may be silent after so many calls.
func (w *Watch) silence(calls uint64) time.Duration {
	if calls == 0 {
		return firstCall
	}
	period := time.Duration(w.frames.Load()) * time.Second / time.Duration(w.Rate)
	return max(lostAfter, 4*period)
}
