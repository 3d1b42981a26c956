package module

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// What the effects share: delay lines, fades, the end of a tail.
const (
	// fxFaint is where what goes into a delay line counts as nothing: -300 dB, far below what a float32
	// output of any level resolves. It brings tails to exactly 0.
	fxFaint = 1e-15
	// fxGlide is the time, in s, over which depths, sizes and the like move: delays that follow them in 5 ms would chirp.
	fxGlide = 0.05

	fxGuardHold = 20.0 // s of silent input before a loop begins to fade
	fxGuardFall = 4.0  // s of that fade
)

// fxGuard ends a tail that would ring on for minutes. Its level, a factor in the loop, is 1 until the input has been
// silent for 20 s, and goes to 0 in the next 4 s. Sound at the input takes it back to 1 in 5 ms.
type fxGuard struct {
	hold       uint32
	fall, rise float64 // a frame

	quiet uint32 // frames that the input has been silent, at most hold
	level float64
}

func newFxGuard(rate float64) fxGuard {
	return fxGuard{hold: uint32(fxGuardHold * rate), fall: 1 / (fxGuardFall * rate), rise: 1 / (dsp.RampSeconds * rate), level: 1}
}

// next hears a frame.
func (g *fxGuard) next(l, r float64) float64 {
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

func (g *fxGuard) reset() { g.quiet, g.level = 0, 1 }

func (g *fxGuard) save(e *dsp.Encoder) {
	e.Uint32(g.quiet)
	e.Float64(g.level)
}

func (g *fxGuard) restore(d *dsp.Decoder) {
	g.quiet, g.level = d.Uint32(), d.Float64()
	if g.quiet > g.hold || !(g.level >= 0 && g.level <= 1) {
		d.Fail()
	}
}

// fxTap is a delay in whole frames. It fades from one length to the next: no click and no change of pitch. A length that is
// asked for during a fade waits for its end.
type fxTap struct {
	low, high uint32 // least and most frames
	fade      uint32 // frames of a fade

	now, next, want uint32
	left            uint32 // frames of the fade to come
}

func newFxTap(rate float64, low, high uint32) fxTap {
	return fxTap{low: low, high: high, fade: max(1, uint32(fxGlide*rate))}
}

// to asks for a delay of this many frames, rounded.
func (t *fxTap) to(frames float64) {
	t.want = uint32(fxClamp(frames+0.5, float64(t.low), float64(t.high)))
}

// part moves by a frame; it is how much of next is heard.
func (t *fxTap) part() float64 {
	if t.left == 0 {
		if t.want == t.now {
			return 0
		}
		t.next, t.left = t.want, t.fade
	}
	t.left--
	if t.left == 0 {
		t.now = t.next
		return 0
	}
	return 1 - float64(t.left)/float64(t.fade)
}

// read takes part of next from a ring whose newest frame, or the place for it, is pos.
func (t *fxTap) read(ring []float32, pos uint32, part float64) float64 {
	v := float64(fxBefore(ring, pos, t.now))
	if part > 0 {
		v += float64(part * (float64(fxBefore(ring, pos, t.next)) - v))
	}
	return v
}

func fxBefore(ring []float32, pos, n uint32) float32 {
	i := int(pos) - int(n)
	if i < 0 {
		i += len(ring)
	}
	return ring[i]
}

func (t *fxTap) jump() { t.now, t.next, t.left = t.want, t.want, 0 }

func (t *fxTap) save(e *dsp.Encoder) {
	for _, v := range [...]uint32{t.now, t.next, t.want, t.left} {
		e.Uint32(v)
	}
}

func (t *fxTap) restore(d *dsp.Decoder) {
	for _, v := range [...]*uint32{&t.now, &t.next, &t.want} {
		if *v = d.Uint32(); *v < t.low || *v > t.high {
			*v = t.low
			d.Fail()
		}
	}
	if t.left = d.Uint32(); t.left >= t.fade {
		t.left = 0
		d.Fail()
	}
}

// fxPole is a first-order low-pass by the trapezoidal rule; what it takes away is the high-pass.
type fxPole struct{ s float64 }

// fxOpen is the pole's coefficient for a cutoff.
func fxOpen(cutoff, rate float64) float64 {
	g := approx.TanPi(fxClamp(cutoff/rate, 0, 0.49))
	return g / (1 + g)
}

func (p *fxPole) low(x, open float64) float64 {
	v := float64((x - p.s) * open)
	y := v + p.s
	p.s = y + v
	if silent(p.s) {
		p.s = 0
	}
	return y
}

// fxHermite reads frames (at least 2, at most three less than there are) before pos, from a ring whose length is a power of two:
// Catmull and Rom's cubic through the four nearest. Its gain is 1 or less at every frequency, so it is safe in a loop.
func fxHermite(ring []float32, pos uint32, frames float64) float64 {
	n := uint32(frames)
	t := frames - float64(n)
	mask := uint32(len(ring) - 1)
	a, b := float64(ring[(pos-n+1)&mask]), float64(ring[(pos-n)&mask])
	c, d := float64(ring[(pos-n-1)&mask]), float64(ring[(pos-n-2)&mask])
	c1 := float64(0.5 * (c - a))
	c3 := float64(1.5*(b-c)) + float64(0.5*(d-a))
	c2 := a - b + c1 - c3
	v := c2 + float64(c3*t)
	v = c1 + float64(v*t)
	return b + float64(v*t)
}

// fxRoom is the power of two that holds this many seconds and some frames more.
func fxRoom(seconds, rate float64) int {
	n := 16
	for float64(n) < float64(seconds*rate)+8 {
		n *= 2
	}
	return n
}

// fxClamp is v in [lo, hi], and lo for what is not a number.
func fxClamp(v, lo, hi float64) float64 {
	if !(v >= lo) {
		return lo
	}
	return min(v, hi)
}

// fxFlush makes v what a delay line holds.
func fxFlush(v float64) float32 {
	if v < fxFaint && v > -fxFaint {
		return 0
	}
	return float32(v)
}

// fxSoft is v up to 1, and bends to 2 beyond it. It bounds what feedback can build up.
func fxSoft(v float64) float64 {
	switch {
	case v > 1:
		return 2 - 1/v
	case v < -1:
		return -2 - 1/v
	}
	return v
}

// fxBlend is the output: dry, bit for bit, where mix is 0.
func fxBlend(dry float32, wet, mix float64) float32 {
	if mix == 0 {
		return dry
	}
	v := float64((1-mix)*float64(dry)) + float64(mix*wet)
	if silent(v) {
		return 0
	}
	return float32(v)
}

// fxStep is what a 64-bit phase moves by in a frame.
func fxStep(freq, rate float64) uint64 { return uint64(fxClamp(freq/rate, 0, 0.5) * (1 << 64)) }

// fxDefaults puts ramps at the defaults.
func fxDefaults(ramps []dsp.Ramp, params []dsp.Param) {
	for i := range ramps {
		ramps[i].Jump(params[i].Default)
	}
}

// fxSettle ends all ramps.
func fxSettle(ramps []dsp.Ramp) {
	for i := range ramps {
		ramps[i].Jump(ramps[i].Target())
	}
}

func fxSaveRamps(e *dsp.Encoder, ramps []dsp.Ramp) {
	for i := range ramps {
		ramps[i].Save(e)
	}
}

func fxRestoreRamps(d *dsp.Decoder, ramps []dsp.Ramp) {
	for i := range ramps {
		ramps[i].Restore(d)
	}
}

// fxRestorePos takes a place in a ring of n frames.
func fxRestorePos(d *dsp.Decoder, n int) uint32 {
	pos := d.Uint32()
	if pos >= uint32(n) {
		d.Fail()
		return 0
	}
	return pos
}
