package dsp

// Ramp takes a value to its target in a straight line over a fixed number of frames, a step a
// frame, so that a parameter that jumps does not click. The zero Ramp stands at 0.
type Ramp struct {
	value, step, target float64
	left                uint32 // frames until the target
}

// RampSeconds is the length of a parameter's ramp.
const RampSeconds = 0.005

// RampFrames is that length at a rate in Hz.
func RampFrames(rate float64) uint32 { return max(1, uint32(RampSeconds*rate)) }

// Jump stands at v at once.
func (r *Ramp) Jump(v float64) { *r = Ramp{value: v, target: v} }

// To begins to move to v, to be there after frames.
func (r *Ramp) To(v float64, frames uint32) {
	if v == r.target && r.left == 0 {
		return
	}
	r.target, r.left = v, frames
	r.step = (v - r.value) / float64(frames)
}

// Target is where the ramp ends.
func (r *Ramp) Target() float64 { return r.target }

// Moving tells whether the next frame's value is another than this one's.
func (r *Ramp) Moving() bool { return r.left > 0 }

// Next moves by a frame and returns the value.
func (r *Ramp) Next() float64 {
	if r.left > 0 {
		r.left--
		r.value += r.step
		if r.left == 0 {
			r.value = r.target // exactly, whatever the steps added up to
		}
	}
	return r.value
}

// Save puts the ramp into e.
func (r *Ramp) Save(e *Encoder) {
	e.Float64(r.value)
	e.Float64(r.step)
	e.Float64(r.target)
	e.Uint32(r.left)
}

// Restore takes it out again.
func (r *Ramp) Restore(d *Decoder) {
	r.value, r.step, r.target = d.Float64(), d.Float64(), d.Float64()
	r.left = d.Uint32()
}
