package audio

// mixer maps the engine's channels to the device's. Equal numbers map one to one. A device with one
// channel plays the mean. A device with more channels plays silence on the rest, but a mono engine
// on all. A device with fewer channels plays the first ones.
type mixer struct{ from, to int }

// mix writes as many frames as both slices hold. It returns the number of samples that it read and
// wrote.
func (m mixer) mix(out, in []float32) (read, wrote int) {
	frames := min(len(out)/m.to, len(in)/m.from)
	read, wrote = frames*m.from, frames*m.to
	if m.from == m.to {
		copy(out, in[:read])
		return read, wrote
	}
	for f := range frames {
		m.frame(out[f*m.to:(f+1)*m.to], in[f*m.from:(f+1)*m.from])
	}
	return read, wrote
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
