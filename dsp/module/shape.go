package module

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// Shape is a waveshaper.
var Shape = dsp.Desc{
	Type: "shape",
	Doc: "Waveshaper with 8 times oversampling and antiderivative antialiasing; linear phase, 36.3 frames late (0.76 ms at 48 kHz). " +
		"A DC blocker at 10 Hz follows.",
	Source:  "Parker, Zavalishin and Le Bivic, Reducing the aliasing of nonlinear waveshaping using continuous-time convolution, DAFx 2016",
	Inputs:  []dsp.Port{{Name: "in", Doc: "what is bent"}},
	Outputs: []dsp.Port{{Name: "out", Doc: "bent"}},
	Params:  shapeParams,
	New: func(rate float64) dsp.Module {
		return &shape{knobs: newKnobs(rate, shapeParams), kinds: newKnobs(rate, shapeWeights), over: newShapeOver()}
	},
}

var shapeParams = []dsp.Param{
	{Name: "type", Max: 5, Names: []string{"tanh", "soft", "hard", "fold", "sine", "diode"}, Doc: "soft is a cubic, fold a triangle, " +
		"sine folds without corners, diode clips at 1 and -0.5; a change is crossfaded over 5 ms"},
	{Name: "drive", Unit: "dB", Min: 0, Max: 48, Default: 12, Doc: "gain before the curve, all of which have slope 1 or 1.5 at 0; ramped over 5 ms"},
	{Name: "bias", Min: -1, Max: 1, Doc: "added to what was driven: even harmonics; ramped over 5 ms"},
	{Name: "mix", Min: 0, Max: 1, Default: 1, Doc: "0 is the input, as late as the rest, 1 the bent signal; ramped over 5 ms"},
	{Name: "level", Unit: "dB", Min: -48, Max: 24, Doc: "gain after all; ramped over 5 ms"},
}

// shapeWeights stand for the six curves: how much of each is heard.
var shapeWeights = []dsp.Param{{Default: 1}, {}, {}, {}, {}, {}}

const (
	shapeType = iota
	shapeDrive
	shapeBias
	shapeMix
	shapeLevel
)

const shapeTimes = 8

// shape puts out the mean of the curve between two values of its oversampled input, which is a difference of the antiderivative:
// the curve's corners are smoothed before they alias.
type shape struct {
	knobs
	kinds        knobs
	over         shapeOver
	u0, x0       float64 // the last oversampled value, before and after drive and bias
	inDC, outDC  float64 // DC blocker
	drive, level float64 // linear; computed from the knobs
	keep         float64 // the DC blocker's pole
}

func (s *shape) Set(p int, v float64) {
	if p == shapeType {
		for k := range shapeWeights {
			on := 0.0
			if v == float64(k) {
				on = 1
			}
			s.kinds.Set(k, on)
		}
	}
	s.knobs.Set(p, v)
}

func (s *shape) tune() {
	s.drive, s.level = approx.Gain(s.v[shapeDrive]), approx.Gain(s.v[shapeLevel])
}

func (s *shape) Render(in, outs [][]float32) {
	x, out := in[0], outs[0]
	s.tune()
	s.keep = 1 - approach(1/(2*shapePi*10), s.rate)
	for i := range out {
		if s.next() {
			s.tune()
		}
		s.kinds.next()
		y := s.bend(float64(x[i]))
		s.outDC = y - s.inDC + float64(s.keep*s.outDC)
		s.inDC = y
		if silent(s.outDC) {
			s.outDC = 0
		}
		out[i] = float32(float64(s.level * s.outDC))
	}
}

// bend is a frame through the curves that are heard.
func (s *shape) bend(in float64) float64 {
	var dry, wet [shapeTimes]float64
	s.over.up(in, &dry)
	bias, last := s.v[shapeBias], s.x0
	for kind, w := range s.kinds.v {
		if w == 0 {
			continue
		}
		rest := shapeCurve(kind, bias) // what silence would give
		x0, f0 := s.x0, shapeArea(kind, s.x0)
		for i, u := range dry {
			x := float64(s.drive*u) + bias
			f := shapeArea(kind, x)
			var y float64
			if d := x - x0; math.Abs(d) > shapeNear(x) {
				y = (f - f0) / d
			} else {
				y = shapeCurve(kind, float64((x+x0)*0.5))
			}
			wet[i] += float64(w * (y - rest))
			x0, f0 = x, f
		}
		last = x0
	}
	s.x0 = last
	for i, u := range dry {
		mean := float64((u + s.u0) * 0.5) // what the same method makes of a straight line: as late as the curve
		s.u0 = u
		wet[i] = mean + float64(s.v[shapeMix]*(wet[i]-mean))
	}
	return s.over.down(&wet)
}

func (s *shape) Reset() {
	s.knobs.Reset()
	s.kinds.Reset()
	s.over.reset()
	s.u0, s.x0, s.inDC, s.outDC = 0, s.v[shapeBias], 0, 0
}

func (s *shape) Save(e *dsp.Encoder) {
	s.knobs.Save(e)
	s.kinds.Save(e)
	s.over.save(e)
	for _, v := range [...]float64{s.u0, s.x0, s.inDC, s.outDC} {
		e.Float64(v)
	}
}

func (s *shape) Restore(d *dsp.Decoder) {
	s.knobs.Restore(d)
	s.kinds.Restore(d)
	s.over.restore(d)
	for _, v := range [...]*float64{&s.u0, &s.x0, &s.inDC, &s.outDC} {
		*v = d.Float64()
	}
}
