package measure

import "github.com/music-chronus/chronus/dsp"

// New returns a module whose first parameters have the given values, in force at once.
func New(d *dsp.Desc, values ...float64) dsp.Module {
	m := d.New(Rate)
	for p, v := range values {
		m.Set(p, v)
	}
	m.Reset()
	return m
}

// Values are values of parameters by name.
type Values map[string]float64

// With returns a module whose parameters have values, in force at once.
func With(d *dsp.Desc, values Values) dsp.Module {
	m := d.New(Rate)
	for name, v := range values {
		m.Set(d.Index(name), v)
	}
	m.Reset()
	return m
}

// Play renders n frames of m, a module of d, and returns all its outputs. Missing inputs are
// silent; an input that is shorter than n ends in silence.
func Play(d *dsp.Desc, m dsp.Module, n int, inputs ...[]float32) [][]float32 {
	in, out := make([][]float32, dsp.Signals(d.Inputs)), make([][]float32, dsp.Signals(d.Outputs))
	for i := range in {
		in[i] = make([]float32, n)
		if i < len(inputs) {
			copy(in[i], inputs[i])
		}
	}
	for i := range out {
		out[i] = make([]float32, n)
	}
	m.Render(in, out)
	return out
}

// Effect renders both channels of a module that has just a stereo input and a stereo output.
func Effect(m dsp.Module, left, right []float32) [][]float32 {
	out := [][]float32{make([]float32, len(left)), make([]float32, len(left))}
	m.Render([][]float32{left, right}, out)
	return out
}
