// Package ramped has the parameters of modules that need only their present values.
package ramped

import "github.com/music-chronus/chronus/dsp"

// Params are the parameters of a module, each with a ramp. A module embeds Params and adds Render.
// If it has more state it also overrides Reset, Save and Restore, which then call those of Params.
type Params struct {
	Rate  float64   // frames a second
	Value []float64 // present values, in the order of the descriptions

	ramps []dsp.Ramp
	jumps uint32 // bit p: parameter p has named values, and jumps
	left  uint32 // frames until all ramps have ended
}

// New returns parameters at their defaults, for a rate in Hz. There are at most 32.
func New(rate float64, params []dsp.Param) Params {
	k := Params{Rate: rate, ramps: make([]dsp.Ramp, len(params)), Value: make([]float64, len(params))}
	for p := range params {
		k.ramps[p].Jump(params[p].Default)
		k.Value[p] = params[p].Default
		if len(params[p].Names) > 0 {
			k.jumps |= 1 << p
		}
	}
	return k
}

// RampNamed makes parameter p, which has named values, move on a ramp instead of jumping.
func (k *Params) RampNamed(p int) { k.jumps &^= 1 << p }

// Set moves parameter p to v: at once if its values have names, else on a ramp of dsp.RampSeconds.
func (k *Params) Set(p int, v float64) {
	if p < 0 || p >= len(k.ramps) {
		return
	}
	if k.jumps>>p&1 != 0 {
		k.ramps[p].Jump(v)
		k.Value[p], k.left = v, max(k.left, 1)
		return
	}
	k.left = dsp.RampFrames(k.Rate)
	k.ramps[p].To(v, k.left)
}

// Gate does nothing.
func (k *Params) Gate(bool) {}

// Next moves the values by a frame and reports whether any may have changed. Coefficients are
// computed from the values whenever Next returns true and when Render begins, so they are not
// state.
func (k *Params) Next() bool {
	if k.left == 0 {
		return false
	}
	k.step()
	return true
}

func (k *Params) step() {
	k.left--
	for p := range k.ramps {
		k.Value[p] = k.ramps[p].Next()
	}
}

// Reset ends all ramps.
func (k *Params) Reset() {
	for p := range k.ramps {
		k.Value[p] = k.ramps[p].Target()
		k.ramps[p].Jump(k.Value[p])
	}
	k.left = 0
}

// Save appends the parameters and their ramps to e.
func (k *Params) Save(e *dsp.Encoder) {
	for p := range k.ramps {
		k.ramps[p].Save(e)
		e.Float64(k.Value[p])
	}
	e.Uint32(k.left)
}

// Restore reads what Save wrote.
func (k *Params) Restore(d *dsp.Decoder) {
	for p := range k.ramps {
		k.ramps[p].Restore(d)
		k.Value[p] = d.Float64()
	}
	k.left = d.Uint32()
}
