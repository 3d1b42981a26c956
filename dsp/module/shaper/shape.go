package shaper

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/ramped"
	"github.com/music-chronus/chronus/dsp/internal/signal"
)

// Shape is a waveshaper.
var Shape = dsp.Desc{
	Type: "shape",
	Doc: "Waveshaper with 8 times oversampling and antiderivative antialiasing. It has linear phase and a " +
		"latency of 36.3 frames " +
		"(0.76 ms at 48 kHz). A DC blocker at 10 Hz follows.",
	Source: "Parker, Zavalishin and Le Bivic, Reducing the aliasing of nonlinear waveshaping using " +
		"continuous-time convolution, DAFx 2016",
	Inputs:  []dsp.Port{{Name: "in", Doc: "signal to shape"}},
	Outputs: []dsp.Port{{Name: "out", Doc: "the shaped signal"}},
	Params:  shapeParams,
	New: func(rate float64) dsp.Module {
		return &shape{
			Params: ramped.New(rate, shapeParams), kinds: ramped.New(rate, shapeWeights), over: newShapeOver(),
		}
	},
}

var shapeParams = []dsp.Param{
	{Name: "type", Max: 5, Names: []string{"tanh", "soft", "hard", "fold", "sine", "diode"},
		Doc: "soft is a cubic, fold a triangle, " +
			"sine a fold without corners; diode clips at 1 and -0.5; a change is crossfaded over 5 ms"},
	{Name: "drive", Unit: "dB", Min: 0, Max: 48, Default: 12,
		Doc: "gain before the curve, whose slope at 0 is 1 to 1.6; ramped over 5 ms"},
	{Name: "bias", Min: -1, Max: 1, Doc: "added before the curve for even harmonics; ramped over 5 ms"},
	{Name: "mix", Min: 0, Max: 1, Default: 1,
		Doc: "0 is the input with the same latency, 1 the shaped signal; ramped over 5 ms"},
	{Name: "level", Unit: "dB", Min: -48, Max: 24, Doc: "gain of the output; ramped over 5 ms"},
}

// shapeWeights describe the weights of the six curves.
var shapeWeights = []dsp.Param{{Default: 1}, {}, {}, {}, {}, {}}

const (
	shapeType = iota
	shapeDrive
	shapeBias
	shapeMix
	shapeLevel
)

const shapeTimes = 8

// shape computes the mean of the curve between two values of its oversampled input, as a difference
// quotient of the antiderivative. The mean smooths the corners of the curve before they alias.
type shape struct {
	ramped.Params
	kinds        ramped.Params
	over         shapeOver
	u0, x0       float64 // last oversampled value, before and after drive and bias
	inDC, outDC  float64 // last input and output of the DC blocker
	drive, level float64 // linear; computed from the parameters
	pole         float64 // of the DC blocker
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
	s.Params.Set(p, v)
}

func (s *shape) tune() {
	s.drive, s.level = approx.Gain(s.Value[shapeDrive]), approx.Gain(s.Value[shapeLevel])
}

func (s *shape) Render(in, outs [][]float32) {
	x, out := in[0], outs[0]
	s.tune()
	s.pole = 1 - signal.Smoothing(1/(2*math.Pi*10), s.Rate)
	for i := range out {
		if s.Next() {
			s.tune()
		}
		s.kinds.Next()
		y := s.frame(float64(x[i]))
		s.outDC = y - s.inDC + float64(s.pole*s.outDC)
		s.inDC = y
		if signal.Silent(s.outDC) {
			s.outDC = 0
		}
		out[i] = float32(float64(s.level * s.outDC))
	}
}

// frame shapes a frame by the curves whose weight is not 0.
func (s *shape) frame(in float64) float64 {
	var dry, wet [shapeTimes]float64
	s.over.up(in, &dry)
	bias, last := s.Value[shapeBias], s.x0
	for kind, w := range s.kinds.Value {
		if w == 0 {
			continue
		}
		rest := shapeCurve(kind, bias) // output for silence
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
		mean := float64((u + s.u0) * 0.5) // the same method for a straight line, with the same latency
		s.u0 = u
		wet[i] = mean + float64(s.Value[shapeMix]*(wet[i]-mean))
	}
	return s.over.down(&wet)
}

func (s *shape) Reset() {
	s.Params.Reset()
	s.kinds.Reset()
	s.over.reset()
	s.u0, s.x0, s.inDC, s.outDC = 0, s.Value[shapeBias], 0, 0
}

func (s *shape) Save(e *dsp.Encoder) {
	s.Params.Save(e)
	s.kinds.Save(e)
	s.over.save(e)
	for _, v := range [...]float64{s.u0, s.x0, s.inDC, s.outDC} {
		e.Float64(v)
	}
}

func (s *shape) Restore(d *dsp.Decoder) {
	s.Params.Restore(d)
	s.kinds.Restore(d)
	s.over.restore(d)
	for _, v := range [...]*float64{&s.u0, &s.x0, &s.inDC, &s.outDC} {
		*v = d.Float64()
	}
}
