package module

import "github.com/music-chronus/chronus/dsp"

// knobs are parameters and their ramps, for modules that need no more of them than their present values. A module
// embeds it, has its own Render, and calls it in Reset, Save and Restore if it has state besides.
type knobs struct {
	rate  float64
	ramps []dsp.Ramp
	v     []float64 // present values
	jumps uint32    // bit p: parameter p has names, and jumps
	left  uint32    // frames until nothing moves
}

func newKnobs(rate float64, params []dsp.Param) knobs {
	k := knobs{rate: rate, ramps: make([]dsp.Ramp, len(params)), v: make([]float64, len(params))}
	for p := range params {
		k.ramps[p].Jump(params[p].Default)
		k.v[p] = params[p].Default
		if len(params[p].Names) > 0 {
			k.jumps |= 1 << p
		}
	}
	return k
}

func (k *knobs) Set(p int, v float64) {
	if p < 0 || p >= len(k.ramps) {
		return
	}
	if k.jumps>>p&1 != 0 {
		k.ramps[p].Jump(v)
		k.v[p], k.left = v, max(k.left, 1)
		return
	}
	k.left = dsp.RampFrames(k.rate)
	k.ramps[p].To(v, k.left)
}

func (k *knobs) Gate(bool) {}

// next moves the values by a frame and tells whether any may have changed. What is computed from them is
// computed again then and when Render begins, so it is not state.
func (k *knobs) next() bool {
	if k.left == 0 {
		return false
	}
	k.step()
	return true
}

func (k *knobs) step() {
	k.left--
	for p := range k.ramps {
		k.v[p] = k.ramps[p].Next()
	}
}

func (k *knobs) Reset() {
	for p := range k.ramps {
		k.v[p] = k.ramps[p].Target()
		k.ramps[p].Jump(k.v[p])
	}
	k.left = 0
}

func (k *knobs) Save(e *dsp.Encoder) {
	for p := range k.ramps {
		k.ramps[p].Save(e)
		e.Float64(k.v[p])
	}
	e.Uint32(k.left)
}

func (k *knobs) Restore(d *dsp.Decoder) {
	for p := range k.ramps {
		k.ramps[p].Restore(d)
		k.v[p] = d.Float64()
	}
	k.left = d.Uint32()
}
