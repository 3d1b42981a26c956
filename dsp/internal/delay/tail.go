package delay

import "github.com/music-chronus/chronus/dsp"

const (
	tailHold = 20.0 // s of silent input before the fade
	tailFade = 4.0  // s of the fade
)

// TailGuard fades out a tail that would ring for minutes. Its level is a factor in the feedback
// loop: 1 until the input has been silent for 20 s, then falling to 0 within 4 s. Sound at the
// input raises the level to 1 within 5 ms.
type TailGuard struct {
	hold       uint32  // frames
	fall, rise float64 // of the level, a frame

	quiet uint32 // frames that the input has been silent, at most hold
	level float64
}

// NewTailGuard returns a guard for a rate in Hz, its level at 1.
func NewTailGuard(rate float64) TailGuard {
	return TailGuard{
		hold: uint32(tailHold * rate), fall: 1 / (tailFade * rate), rise: 1 / (dsp.RampSeconds * rate), level: 1,
	}
}

// Next takes an input frame and returns the level. Inputs below 1e-9 count as silence.
func (g *TailGuard) Next(l, r float64) float64 {
	const silence = 1e-9
	switch {
	case l > silence || l < -silence || r > silence || r < -silence:
		g.quiet = 0
	case g.quiet < g.hold:
		g.quiet++
	default:
		g.level = max(0, g.level-g.fall)
		return g.level
	}
	if g.level < 1 {
		g.level = min(1, g.level+g.rise)
	}
	return g.level
}

// Reset sets the level to 1.
func (g *TailGuard) Reset() { g.quiet, g.level = 0, 1 }

// Save appends the state to e.
func (g *TailGuard) Save(e *dsp.Encoder) {
	e.Uint32(g.quiet)
	e.Float64(g.level)
}

// Restore reads what Save wrote. A count or level out of range fails d.
func (g *TailGuard) Restore(d *dsp.Decoder) {
	g.quiet, g.level = d.Uint32(), d.Float64()
	if g.quiet > g.hold || !(g.level >= 0 && g.level <= 1) {
		d.Fail()
	}
}
