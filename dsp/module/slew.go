package module

import "github.com/music-chronus/chronus/dsp"

// Slew limits how fast a signal moves.
var Slew = dsp.Desc{
	Type:    "slew",
	Doc:     "Slew limiter: the output follows the input in straight lines, no faster than rise and fall.",
	Inputs:  []dsp.Port{{Name: "in", Doc: "what is followed"}},
	Outputs: []dsp.Port{{Name: "out", Doc: "the same, slower"}},
	Params:  slewParams,
	New:     func(rate float64) dsp.Module { return &slew{knobs: newKnobs(rate, slewParams)} },
}

var slewParams = []dsp.Param{
	{Name: "rise", Unit: "1/s", Min: 0.1, Max: 1e6, Default: 10, Doc: "the most that the output rises in a second"},
	{Name: "fall", Unit: "1/s", Min: 0.1, Max: 1e6, Default: 10, Doc: "the most that it falls in a second"},
}

type slew struct {
	knobs
	y float64
}

func (s *slew) Render(in, outs [][]float32) {
	x, out := in[0], outs[0]
	up, down := s.v[0]/s.rate, s.v[1]/s.rate
	for i := range out {
		if s.next() {
			up, down = s.v[0]/s.rate, s.v[1]/s.rate
		}
		s.y = max(s.y-down, min(s.y+up, float64(x[i])))
		out[i] = float32(s.y)
	}
}

func (s *slew) Reset() {
	s.knobs.Reset()
	s.y = 0
}

func (s *slew) Save(e *dsp.Encoder) {
	s.knobs.Save(e)
	e.Float64(s.y)
}

func (s *slew) Restore(d *dsp.Decoder) {
	s.knobs.Restore(d)
	s.y = d.Float64()
}
