package audio

// mixer fits frames of the engine's channels to the device's. The same number: as they are.
// One device channel: the mean. More device channels: the rest is silent, but a mono engine is heard on all.
// Fewer: the first ones.
type mixer struct{ from, to int }

// mix gives out as many frames as both slices hold, and says how many samples of each it used.
func (m mixer) mix(out, in []float32) (took, gave int) {
	frames := min(len(out)/m.to, len(in)/m.from)
	took, gave = frames*m.from, frames*m.to
	if m.from == m.to {
		copy(out, in[:took])
		return took, gave
	}
	for f := range frames {
		m.frame(out[f*m.to:(f+1)*m.to], in[f*m.from:(f+1)*m.from])
	}
	return took, gave
}

func (m mixer) frame(out, in []float32) {
	switch {
	case m.to == 1:
		var sum float32
		for _, x := range in {
			sum += x
		}
		out[0] = sum / float32(m.from)
	case m.from == 1:
		for c := range out {
			out[c] = in[0]
		}
	default:
		n := copy(out, in)
		clear(out[n:])
	}
}
