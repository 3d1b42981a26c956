package dsp

// Ramp moves a value to a target in a straight line over a fixed number of frames, one step a
// frame, so that a parameter that jumps does not click. The zero Ramp is at 0.
type Ramp struct {
	value, step, target float64
	left                uint32 // frames until the target
}

// RampSeconds is the length of a parameter's ramp, in s.
const RampSeconds = 0.005

// RampFrames returns the length of a parameter's ramp in frames, at least 1, for a rate in Hz.
func RampFrames(rate float64) uint32 { return max(1, uint32(RampSeconds*rate)) }

// Jump sets the value and the target to v at once.
func (r *Ramp) Jump(v float64) { *r = Ramp{value: v, target: v} }

// To starts to move to v, which is reached after frames.
func (r *Ramp) To(v float64, frames uint32) {
	if v == r.target && r.left == 0 {
		return
	}
	r.target, r.left = v, frames
	r.step = (v - r.value) / float64(frames)
}

// Target returns the value at which the ramp ends.
func (r *Ramp) Target() float64 { return r.target }

// Moving reports whether the ramp has not reached its target.
func (r *Ramp) Moving() bool { return r.left > 0 }

// Next moves by a frame and returns the value.
func (r *Ramp) Next() float64 {
	if r.left > 0 {
		r.left--
		r.value += r.step
		if r.left == 0 {
			r.value = r.target // exactly, whatever the sum of the steps is
		}
	}
	return r.value
}

// Save appends the ramp to e.
func (r *Ramp) Save(e *Encoder) {
	e.Float64(r.value)
	e.Float64(r.step)
	e.Float64(r.target)
	e.Uint32(r.left)
}

// Restore reads what Save wrote.
func (r *Ramp) Restore(d *Decoder) {
	r.value, r.step, r.target = d.Float64(), d.Float64(), d.Float64()
	r.left = d.Uint32()
}

// Ramps are ramps that a module resets and saves together, such as those of its parameters.
type Ramps []Ramp

// Defaults sets each ramp to the default of its parameter at once.
func (r Ramps) Defaults(params []Param) {
	for i := range r {
		r[i].Jump(params[i].Default)
	}
}

// Select starts to move the ramp whose index is choice to 1 and all others to 0, which they reach
// after frames. The ramps are the weights of a crossfade between choices.
func (r Ramps) Select(choice float64, frames uint32) {
	for i := range r {
		weight := 0.0
		if float64(i) == choice {
			weight = 1
		}
		r[i].To(weight, frames)
	}
}

// Finish sets every ramp to its target at once.
func (r Ramps) Finish() {
	for i := range r {
		r[i].Jump(r[i].Target())
	}
}

// Save appends the ramps to e.
func (r Ramps) Save(e *Encoder) {
	for i := range r {
		r[i].Save(e)
	}
}

// Restore reads what Save wrote.
func (r Ramps) Restore(d *Decoder) {
	for i := range r {
		r[i].Restore(d)
	}
}
