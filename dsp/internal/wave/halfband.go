package wave

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/signal"
)

// The coefficients of a half-band low-pass with two branches of all-passes, in turn those of the
// first and the second branch (R. A. Valenzuela and A. G. Constantinides, "Digital signal
// processing schemes for efficient interpolation and decimation", 1983). The filter is elliptic:
// flat up to 0.22 of the higher rate, and 80 dB down from 0.275 of it.
const (
	halfTap0 = 0.06029739095712437
	halfTap1 = 0.21597144456092948
	halfTap2 = 0.4125907203610563
	halfTap3 = 0.6043586264658363
	halfTap4 = 0.7727156537429234
	halfTap5 = 0.9238861386532906
)

// HalfBand is a filter that doubles a rate or halves it. One HalfBand serves one direction. Its
// delay at low frequencies is below two frames of the lower rate. The zero HalfBand is silent.
type HalfBand struct {
	a, b [4]float64 // of each branch the last input, and the last output of each all-pass
}

// pass filters x by the first branch and y by the second.
func (h *HalfBand) pass(x, y float64) (float64, float64) {
	a, b := &h.a, &h.b
	x1 := a[0] + float64(halfTap0*(x-a[1]))
	y1 := b[0] + float64(halfTap1*(y-b[1]))
	x2 := a[1] + float64(halfTap2*(x1-a[2]))
	y2 := b[1] + float64(halfTap3*(y1-b[2]))
	x3 := a[2] + float64(halfTap4*(x2-a[3]))
	y3 := b[2] + float64(halfTap5*(y2-b[3]))
	a[0], a[1], a[2], a[3] = x, x1, x2, x3
	b[0], b[1], b[2], b[3] = y, y1, y2, y3
	return x3, y3
}

// Double returns the two values at twice the rate for one.
func (h *HalfBand) Double(x float64) (first, second float64) { return h.pass(x, x) }

// Halve returns the value at half the rate for two.
func (h *HalfBand) Halve(first, second float64) float64 {
	a, b := h.pass(second, first)
	return float64(0.5 * (a + b))
}

// Silent reports whether all state is below signal.Floor.
func (h *HalfBand) Silent() bool {
	for i := range h.a {
		if !signal.Silent(h.a[i]) || !signal.Silent(h.b[i]) {
			return false
		}
	}
	return true
}

// Save appends the state to e.
func (h *HalfBand) Save(e *dsp.Encoder) {
	for i := range h.a {
		e.Float64(h.a[i])
		e.Float64(h.b[i])
	}
}

// Restore reads what Save wrote.
func (h *HalfBand) Restore(d *dsp.Decoder) {
	for i := range h.a {
		h.a[i], h.b[i] = d.Float64(), d.Float64()
	}
}
