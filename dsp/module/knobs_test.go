package module

import "github.com/music-chronus/chronus/dsp"

// playThrough renders n frames of m: signals that are not given are silence, and one that is too short ends in it.
func playThrough(d *dsp.Desc, m dsp.Module, n int, signals ...[]float32) [][]float32 {
	in, out := make([][]float32, dsp.Signals(d.Inputs)), make([][]float32, dsp.Signals(d.Outputs))
	for i := range in {
		in[i] = make([]float32, n)
		if i < len(signals) {
			copy(in[i], signals[i])
		}
	}
	for i := range out {
		out[i] = make([]float32, n)
	}
	m.Render(in, out)
	return out
}

// standing is a signal that stands at v.
func standing(v float32, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = v
	}
	return x
}

// tuned is a new module of d with its first parameters at values.
func tuned(d *dsp.Desc, values ...float64) dsp.Module {
	m := d.New(rate)
	for p, v := range values {
		m.Set(p, v)
	}
	m.Reset()
	return m
}

// sineOf is a sine of amplitude 1 that begins at phase 0.
func sineOf(freq float64, n int) []float32 { return rendered(tuned(&Sine, freq, 1), n) }
