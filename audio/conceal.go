package audio

// fadeSeconds is the length of every fade. It avoids clicks, and is short enough for blocks that
// return.
const fadeSeconds = 0.005

// fader hides missing blocks. It fades out from the last frame, plays silence, and fades in when
// blocks return. No output sample is larger in magnitude than the sample that was, or would have
// been, played.
type fader struct {
	last     []float32 // last frame of the last block, unfaded
	channels int
	length   int // of a fade, in frames
	gain     int // current gain, from 0 to length
	closing  bool
}

func newFader(rate, channels int) fader {
	n := max(1, int(fadeSeconds*float64(rate)))
	return fader{last: make([]float32, channels), channels: channels, length: n, gain: n}
}

// close starts the final fade.
func (f *fader) close() { f.closing = true }

// closed reports whether the final fade has ended.
func (f *fader) closed() bool { return f.closing && f.gain == 0 }

// apply fades a block that was found. At full gain it changes no bit.
func (f *fader) apply(block []float32) {
	copy(f.last, block[len(block)-f.channels:])
	if f.gain == f.length && !f.closing {
		return
	}
	for i := 0; i < len(block); i += f.channels {
		f.tick()
		g := float32(f.gain) / float32(f.length)
		for c := range f.channels {
			block[i+c] *= g
		}
	}
}

// tick moves the gain by one frame: down if closing, else up.
func (f *fader) tick() {
	switch {
	case f.closing:
		f.gain = max(0, f.gain-1)
	case f.gain < f.length:
		f.gain++
	}
}

// conceal fills a missing block: it holds the last frame and fades it out, then plays silence.
func (f *fader) conceal(block []float32) {
	for i := 0; i < len(block); i += f.channels {
		f.gain = max(0, f.gain-1)
		g := float32(f.gain) / float32(f.length)
		for c, x := range f.last {
			block[i+c] = x * g
		}
	}
}
