package driver

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestSilence(t *testing.T) {
	w := Watch{Rate: 48000}
	w.frames.Store(12000)
	for calls, want := range map[uint64]time.Duration{0: 5 * time.Second, 1: time.Second} {
		if got := w.silence(calls); got != want {
			t.Errorf("after %d calls: %v, want %v", calls, got, want)
		}
	}
	w.frames.Store(48000)
	if got := w.silence(1); got != 4*time.Second {
		t.Errorf("with a period of 1 s: %v, want 4 s", got)
	}
}

// A device that calls once and never again is lost after 1 second, and no sooner.
func TestWatchFindsSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := Watch{What: `x: device "y"`, Rate: 48000}
		w.Start()
		defer w.Stop()
		time.Sleep(4 * time.Second)
		w.Called(64)
		time.Sleep(time.Second)
		synctest.Wait()
		if err := w.Err(); err != nil {
			t.Errorf("lost too soon: %v", err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if err := w.Err(); err == nil || !strings.HasPrefix(err.Error(), `x: device "y" is lost: it asked for no sound in 1.1s`) {
			t.Errorf("error %v", err)
		}
	})
}

// Within returns a driver's answer, and waits for a driver that hangs no longer than the limit.
func TestWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := errors.New("said")
		if err := Within(time.Second, func() error { return said }); err != said {
			t.Errorf("%v, want %v", err, said)
		}
		hang := make(chan struct{})
		err := Within(time.Second, func() error { <-hang; return nil })
		if want := "the driver has not answered for 1s"; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		close(hang)
	})
}
