package portaudio

import (
	"time"

	"github.com/music-chronus/chronus/audio"
)

// throttle slows down an ALSA plugin without a clock, such as a null or file PCM, which takes sound
// as fast as it is rendered. It delays a plugin with a clock at most while that fills its buffer at
// the start.
type throttle struct {
	rate, most float64 // frames per second with throttleMargin; limit of credit
	credit     float64 // frames that may be taken at once
	last       time.Time
}

// throttleMargin is how much faster than its nominal rate a device's clock may be.
const throttleMargin = 1.01

// throttleSlack is how many frames beyond its buffer a device may take at once.
const throttleSlack = 4096

// newThrottle makes a throttle for a device that fills a buffer of this length at once.
func newThrottle(rate int, buffer time.Duration) throttle {
	frames := buffer.Seconds() * float64(rate)
	return throttle{rate: float64(rate) * throttleMargin, most: frames + throttleSlack, credit: frames}
}

// wait waits until the frames can have been played. The zero throttle never waits.
func (b *throttle) wait(frames int) {
	if b.rate == 0 {
		return
	}
	if wait := b.due(frames, time.Now()); wait > 0 {
		audio.Pause(wait)
	}
}

// due counts frames that are taken, and returns how much too early that is.
func (b *throttle) due(frames int, now time.Time) time.Duration {
	if !b.last.IsZero() {
		b.credit = min(b.most, b.credit+now.Sub(b.last).Seconds()*b.rate)
	}
	b.last = now
	b.credit -= float64(frames)
	if b.credit >= 0 {
		return 0
	}
	return time.Duration(-b.credit / b.rate * float64(time.Second))
}
