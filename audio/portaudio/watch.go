package portaudio

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

// watch ends a stream, by its Err, when the device has stopped calling.
type watch struct {
	quit  chan struct{}
	ended sync.WaitGroup
	err   atomic.Pointer[error]
}

func (w *watch) start(s *stream) {
	w.quit = make(chan struct{})
	w.ended.Go(func() { w.run(s) })
}

func (w *watch) stop() {
	close(w.quit)
	w.ended.Wait()
}

// lost is why the stream has ended, nil while it has not.
func (w *watch) lost() error {
	if e := w.err.Load(); e != nil {
		return *e
	}
	return nil
}

// run counts its own ticks, not the time, so that a process that was suspended does not take
// itself for a lost device.
func (w *watch) run(s *stream) {
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
		if n := s.calls.Load(); n != calls {
			calls, silent = n, 0
			continue
		}
		silent += watchTick
		if silent > s.silence(calls) {
			err := fmt.Errorf("portaudio: device %q is lost: it asked for no sound in %v", s.info.Device, silent)
			w.err.Store(&err)
			return
		}
	}
}

// silence is how long the device may be silent after so many calls.
func (s *stream) silence(calls uint64) time.Duration {
	if calls == 0 {
		return firstCall
	}
	period := time.Duration(s.frames.Load()) * time.Second / time.Duration(s.info.Rate)
	return max(lostAfter, 4*period)
}
