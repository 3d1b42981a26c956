package dsp_test

import (
	"fmt"

	"github.com/music-chronus/chronus/dsp"
)

// Clip is the description of a module of one's own. A program passes it to actors.Config.Modules
// and to worker.With, and checks it with moduletest.Run.
var Clip = dsp.Desc{
	Type:    "clip",
	Doc:     "Clips a signal to full scale.",
	Inputs:  []dsp.Port{{Name: "in", Doc: "signal to clip"}},
	Outputs: []dsp.Port{{Name: "out", Doc: "the signal, within full scale"}},
	Params:  []dsp.Param{{Name: "drive", Min: 0, Max: 16, Default: 1, Doc: "linear gain before clipping; ramped over 5 ms"}},
	New: func(rate float64) dsp.Module {
		c := &clip{rate: rate}
		c.drive.Jump(1)
		return c
	},
}

// clip has a ramp, so that a change of drive does not click.
type clip struct {
	rate  float64
	drive dsp.Ramp
}

func (c *clip) Set(p int, v float64) {
	if p == 0 {
		c.drive.To(v, dsp.RampFrames(c.rate))
	}
}

func (c *clip) Gate(bool) {}

func (c *clip) Render(in, out [][]float32) {
	for i, x := range in[0] {
		out[0][i] = float32(max(-1, min(1, float64(x)*c.drive.Next())))
	}
}

func (c *clip) Reset()                 { c.drive.Jump(c.drive.Target()) }
func (c *clip) Save(e *dsp.Encoder)    { c.drive.Save(e) }
func (c *clip) Restore(d *dsp.Decoder) { c.drive.Restore(d) }

// A module of one's own is a description and a type that implements Module.
func Example_module() {
	m := Clip.New(48000)
	m.Set(Clip.Index("drive"), 4)
	m.Reset() // ends the ramp

	in, out := []float32{0, 0.125, 0.5, -0.5}, make([]float32, 4)
	m.Render([][]float32{in}, [][]float32{out})
	fmt.Println(out)

	fmt.Println(Clip.Params[0].Check(20, 48000))
	// Output:
	// [0 0.5 1 -1]
	// drive is 20, it must be 0 to 16
}

// A snapshot of a module is restored into another, which then renders the same frames.
func ExampleModule_save() {
	first, second := Clip.New(48000), Clip.New(48000)
	first.Set(0, 2) // the drive moves during 240 frames
	in, out := make([]float32, 120), make([]float32, 120)
	for i := range in {
		in[i] = 0.25
	}
	first.Render([][]float32{in}, [][]float32{out})

	e := dsp.NewEncoder(nil)
	first.Save(e)
	d := dsp.NewDecoder(e.Bytes())
	second.Restore(d)
	fmt.Println(len(e.Bytes()), "bytes, error", d.Err())

	second.Render([][]float32{in[:1]}, [][]float32{out[:1]})
	fmt.Printf("%.4f\n", out[0])
	// Output:
	// 28 bytes, error <nil>
	// 0.3760
}
