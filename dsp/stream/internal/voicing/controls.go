package voicing

import "github.com/music-chronus/chronus/dsp"

// Controls are the performance controls that act on all notes of all groups.
type Controls struct {
	Pedal    bool
	Bend     dsp.Ramp // in octaves
	Pressure dsp.Ramp // 0 to 1
	Wheel    dsp.Ramp // 0 to 1

	frames [3][]float64 // of the present block: bend, pressure, wheel
}

// NewControls makes controls for blocks of that many frames, with the pedal up and all ramps at 0.
func NewControls(block int) (c Controls) {
	for i := range c.frames {
		c.frames[i] = make([]float64, block)
	}
	return c
}

func (c *Controls) ramps() [3]*dsp.Ramp { return [...]*dsp.Ramp{&c.Bend, &c.Pressure, &c.Wheel} }

// Prepare computes the controls for the frames [from, to) of the block, before voices are rendered.
func (c *Controls) Prepare(from, to int) {
	for i, r := range c.ramps() {
		for k := range c.frames[i][from:to] {
			c.frames[i][from+k] = r.Next()
		}
	}
}

// Save appends the state of the controls.
func (c *Controls) Save(e *dsp.Encoder) {
	e.Bool(c.Pedal)
	for _, r := range c.ramps() {
		r.Save(e)
	}
}

// Restore reads a state that Save wrote.
func (c *Controls) Restore(d *dsp.Decoder) {
	c.Pedal = d.Bool()
	for _, r := range c.ramps() {
		r.Restore(d)
	}
}
