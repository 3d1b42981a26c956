package audio

// fadeSeconds is the length of every fade: long enough not to click, short enough not to be
// missed when blocks return.
const fadeSeconds = 0.005

// fader is what lies over the blocks where there are none, and around that: a fade out of the
// last frame heard, silence, and a fade in when blocks return. Nothing that it does makes
// a sample larger in magnitude than one that was, or would have been, heard.
type fader struct {
	last     []float32 // the last frame given out, before its fade
	channels int
	length   int // frames of a fade
	gain     int // of length: how open the veil is
	closing  bool
}

func newFader(rate, channels int) fader {
	n := max(1, int(fadeSeconds*float64(rate)))
	return fader{last: make([]float32, channels), channels: channels, length: n, gain: n}
}

// close begins to fade what is played, for good.
func (v *fader) close() { v.closing = true }

// closed tells whether that fade has ended.
func (v *fader) closed() bool { return v.closing && v.gain == 0 }

// apply lays the veil over a block that was found. In the steady state it changes no bit.
func (v *fader) apply(block []float32) {
	copy(v.last, block[len(block)-v.channels:])
	if v.gain == v.length && !v.closing {
		return
	}
	for i := 0; i < len(block); i += v.channels {
		v.tick()
		g := float32(v.gain) / float32(v.length)
		for c := range v.channels {
			block[i+c] *= g
		}
	}
}

// tick moves the veil by one frame: towards shut if it is closing, else open.
func (v *fader) tick() {
	switch {
	case v.closing:
		v.gain = max(0, v.gain-1)
	case v.gain < v.length:
		v.gain++
	}
}

// conceal fills a block that nobody has: the last frame, held and faded out, then silence.
func (v *fader) conceal(block []float32) {
	for i := 0; i < len(block); i += v.channels {
		v.gain = max(0, v.gain-1)
		g := float32(v.gain) / float32(v.length)
		for c, x := range v.last {
			block[i+c] = x * g
		}
	}
}
