package main

import "github.com/music-chronus/chronus/dsp"

// fold describes the module: a wave folder, which reflects the part of a signal beyond full scale
// back into it.
var fold = dsp.Desc{
	Type:    "fold",
	Doc:     "Wave folder: reflects the signal at full scale.",
	Inputs:  []dsp.Port{{Name: "in", Doc: "sound"}},
	Outputs: []dsp.Port{{Name: "out", Doc: "sound, within full scale"}},
	Params:  []dsp.Param{{Name: "drive", Min: 1, Max: 16, Default: 1, Doc: "gain before the folding, linear; ramped over 5 ms"}},
	New: func(rate float64) dsp.Module {
		f := &folder{rate: rate}
		f.drive.Jump(1)
		return f
	},
}

// folder is the state of a fold. The ramp keeps changes of drive from clicking.
type folder struct {
	rate  float64
	drive dsp.Ramp
}

func (f *folder) Set(p int, v float64) {
	if p == 0 {
		f.drive.To(v, dsp.RampFrames(f.rate))
	}
}

func (f *folder) Gate(bool) {}

func (f *folder) Render(in, out [][]float32) {
	for i, x := range in[0] {
		y := float64(x) * f.drive.Next()
		y -= float64(4 * floor(float64((y+1)*0.25))) // now y is within -1 to 3
		if y > 1 {
			y = 2 - y
		}
		out[0][i] = float32(y)
	}
}

// floor returns the largest whole number that is not above v.
func floor(v float64) float64 {
	n := float64(int64(v))
	if n > v {
		n--
	}
	return n
}

func (f *folder) Reset()                 { f.drive.Jump(f.drive.Target()) }
func (f *folder) Save(e *dsp.Encoder)    { f.drive.Save(e) }
func (f *folder) Restore(d *dsp.Decoder) { f.drive.Restore(d) }
