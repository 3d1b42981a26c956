package moduletest

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
)

// New returns a module of a kind for a rate in Hz. A module that plays a sample gets [Sample].
func New(d *dsp.Desc, rate float64) dsp.Module {
	m := d.New(rate)
	if p, ok := m.(dsp.Player); ok && d.Sampled {
		p.SetSample(Sample())
	}
	return m
}

// Sample returns a short stereo sound at 44.1 kHz: two decaying tones, a fifth apart.
func Sample() *dsp.Sample {
	const frames, rate = 3000, 44100
	left, right := make([]float32, frames), make([]float32, frames)
	for i := range left {
		// Triangles have the same bits on every machine.
		fall := 1 - float64(i)/frames
		left[i] = float32(fall * triangle(float64(i)*440/rate))
		right[i] = float32(fall * triangle(float64(i)*660/rate))
	}
	return dsp.NewSample(rate, left, right)
}

func triangle(turns float64) float64 { return float64(4*math.Abs(turns-math.Floor(turns+0.5))) - 1 }
