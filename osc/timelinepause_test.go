package osc_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/music-chronus/chronus/osc"
)

// The player stops for a while, and continues on the same device or another, while time tags
// arrive. Each tag maps to its frame within a period and heldUp, or Lag knows by how much it is
// late. While the player stands, that is at least the time since it stopped.
func TestTimelineKnowsWhatIsBehind(t *testing.T) {
	for _, pause := range []float64{0, 3e6, 8e6, 15e6, 30e6, 100e6, 300e6, 900e6, 3e9} {
		for _, periods := range [][2]int{{64, 64}, {64, 512}, {1024, 64}, {256, 256}} {
			for seed := range uint64(3) {
				d := &simDevice{rng: rand.New(rand.NewPCG(seed, 7)), rate: 48000 * 1.0002, period: periods[0], callLag: 20e3, lookLag: 200e3}
				l := osc.NewTimeline(48000)
				d.run(l, 20e9)
				stood := d.now
				last := d.clock(stood)
				d.base, d.from, d.rate, d.period = last, stood+pause, 48000*0.9999, periods[1]
				near := float64(max(periods[0], periods[1])) + 0.011*48000
				for d.now < stood+pause+4e9 {
					d.run(l, d.now+7e6)
					now := osc.Moment{int64(d.now), steady(d.now)}
					frame, ahead, ok := l.Frame(osc.Tag(now.Wall+50e6), now)
					if !ok {
						continue // it is refused
					}
					off := float64(frame) - d.ideal(d.now+float64(ahead))
					if d.now < d.from { // and it goes on at this moment
						off = float64(frame) - d.ideal(d.from+float64(ahead))
					}
					if behind := float64(l.Lag(now.Mono, d.clock(d.now))); math.Abs(off-behind) > near {
						t.Fatalf("%v after the beginning of a pause of %v, periods %v: off by %.0f frames, known %.0f", time.Duration(d.now-stood), time.Duration(pause), periods, off, behind)
					}
				}
			}
		}
	}
}
