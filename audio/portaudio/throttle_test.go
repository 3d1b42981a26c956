package portaudio

import (
	"testing"
	"time"
)

// A device with a clock is never slowed down, for any pattern of calls. A device without one is
// slowed down to the rate of the sound.
func TestThrottle(t *testing.T) {
	const rate, period, buffer = 48000, 1024, 4096
	start := time.Now()
	for _, tt := range []struct {
		name  string
		speed float64 // of the device's clock
		burst int     // periods at once
	}{{"even", 1, 1}, {"in bursts", 1, 4}, {"fast clock", 1.001, 1}, {"slow clock", 0.999, 2}} {
		b := newThrottle(rate, buffer*time.Second/rate)
		for n := range 100_000 { // more than half an hour
			played := max(0, (n/tt.burst+1)*tt.burst*period-buffer)
			now := start.Add(time.Duration(float64(played) / rate / tt.speed * float64(time.Second)))
			if wait := b.due(period, now); wait > 0 {
				t.Errorf("%s: it waits %v at period %d", tt.name, wait, n)
				break
			}
		}
	}
	b, now := newThrottle(rate, buffer*time.Second/rate), start
	const periods = 10_000
	for range periods {
		now = now.Add(b.due(period, now))
	}
	took := now.Sub(start).Seconds()
	if want := float64(periods*period) / rate / throttleMargin; took < want*0.99 || took > want*1.01 {
		t.Errorf("without a clock %d periods took %.1f s, want %.1f s", periods, took, want)
	}
}
