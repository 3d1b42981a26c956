package delay

import "github.com/music-chronus/chronus/dsp"

// Stereo is a pair of delay lines that are written together. Their length is a power of two.
type Stereo struct {
	Left, Right []float32
	Pos         uint32 // counts the frames written; modulo the length it is the place of the next

	both []float32 // Left, then Right
}

// NewStereo returns lines that hold a time in s at a rate in Hz.
func NewStereo(seconds, rate float64) Stereo {
	n := RingSize(seconds, rate)
	both := make([]float32, 2*n)
	return Stereo{Left: both[:n], Right: both[n:], both: both}
}

// Reset clears both lines.
func (s *Stereo) Reset() {
	clear(s.both)
	s.Pos = 0
}

// Save appends the position and both lines to e.
func (s *Stereo) Save(e *dsp.Encoder) {
	e.Uint32(s.Pos)
	e.Float32s(s.both)
}

// Restore reads what Save wrote.
func (s *Stereo) Restore(d *dsp.Decoder) {
	s.Pos = d.Uint32()
	d.Float32s(s.both)
}
