package control

import (
	"testing"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/measure"
)

const rate = measure.Rate

// ones returns n frames of an ADSR whose input is 1: the envelope.
func ones(m dsp.Module, n int) []float32 {
	in, out := make([]float32, n), make([]float32, n)
	for i := range in {
		in[i] = 1
	}
	m.Render([][]float32{in}, [][]float32{out})
	return out
}

// The edges of the envelope are exact to the frame.
func TestADSREdges(t *testing.T) {
	for _, curve := range []float64{0, 1} {
		a := ADSR.New(rate)
		for p, v := range []float64{0.001, 0.002, 0.25, 0.003, curve} { // the times are 48, 96 and 144 frames
			a.Set(p, v)
		}
		before := ones(a, 100)
		a.Gate(true)
		on := ones(a, 400)
		a.Gate(false)
		off := ones(a, 200)
		for i, v := range before {
			if v != 0 {
				t.Fatalf("curve %g: %g at frame %d before the gate", curve, v, i)
			}
		}
		for _, p := range []struct {
			name string
			got  float32
			want float32
		}{
			{"attack's last frame", on[47], 1}, {"decay's last frame", on[48+95], 0.25}, {"sustain", on[399], 0.25},
			{"release's last frame", off[143], 0}, {"after it", off[199], 0},
		} {
			if p.got != p.want {
				t.Errorf("curve %g, %s: %g, want %g", curve, p.name, p.got, p.want)
			}
		}
		if on[0] <= 0 || on[46] >= 1 || on[48] >= 1 || on[48+94] <= 0.25 || off[142] <= 0 {
			t.Errorf("curve %g: an edge comes early: %g %g %g %g %g", curve, on[0], on[46], on[48], on[48+94], off[142])
		}
		if curve == 0 && on[0] != float32(1.0/48) {
			t.Errorf("linear attack begins with %g", on[0])
		}
	}
}

// A gate that opens again starts at the present level.
func TestADSRRetrigger(t *testing.T) {
	a := ADSR.New(rate)
	a.Set(adsrAttack, 0.01)
	a.Gate(true)
	first := ones(a, 240)
	a.Gate(true)
	second := ones(a, 480)
	if step := second[0] - first[239]; step <= 0 || step > 0.01 {
		t.Errorf("a step of %g at the second gate", step)
	}
	if second[479] != 1 {
		t.Errorf("the second attack ends at %g", second[479])
	}
}
