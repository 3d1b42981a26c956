package module

import "github.com/music-chronus/chronus/dsp"

// The coefficients are those of a half-band low-pass of two branches of all-passes (R. A. Valenzuela and A. G. Constantinides, "Digital signal
// processing schemes for efficient interpolation and decimation", 1983), alternately of the one and the other: elliptic, flat to 0.22 of
// the higher rate, 80 dB down from 0.275 of it.
const (
	halfTap0 = 0.06029739095712437
	halfTap1 = 0.21597144456092948
	halfTap2 = 0.4125907203610563
	halfTap3 = 0.6043586264658363
	halfTap4 = 0.7727156537429234
	halfTap5 = 0.9238861386532906
)

// half is one such filter, which doubles a rate or halves one. Its delay at low frequencies is under two frames.
type half struct {
	a, b [4]float64 // of each branch the last input, and the last output of each all-pass
}

// pass runs x through the one branch, y through the other.
func (h *half) pass(x, y float64) (float64, float64) {
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

// double makes two values of one.
func (h *half) double(x float64) (first, second float64) { return h.pass(x, x) }

// halve makes one value of two.
func (h *half) halve(first, second float64) float64 {
	a, b := h.pass(second, first)
	return float64(0.5 * (a + b))
}

// silent tells whether nothing more is to come of it.
func (h *half) silent() bool {
	for i := range h.a {
		if !silent(h.a[i]) || !silent(h.b[i]) {
			return false
		}
	}
	return true
}

func (h *half) save(e *dsp.Encoder) {
	for i := range h.a {
		e.Float64(h.a[i])
		e.Float64(h.b[i])
	}
}

func (h *half) restore(d *dsp.Decoder) {
	for i := range h.a {
		h.a[i], h.b[i] = d.Float64(), d.Float64()
	}
}
