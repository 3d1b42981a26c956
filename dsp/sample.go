package dsp

// Sample is a sound that was recorded: one or two channels at a rate of its own. It never changes, so that all who play it share it.
type Sample struct {
	rate     float64
	channels [][]float32
}

// NewSample is a sound at a rate in Hz: one channel, or two, left first, of one length. The slices are its own from now on.
func NewSample(rate float64, channels ...[]float32) *Sample {
	return &Sample{rate, channels}
}

// Rate is the rate in Hz that it was recorded at.
func (s *Sample) Rate() float64 { return s.rate }

// Channels are one or two, left first. Nobody writes to them.
func (s *Sample) Channels() [][]float32 { return s.channels }

// Frames is the length.
func (s *Sample) Frames() int {
	if len(s.channels) == 0 {
		return 0
	}
	return len(s.channels[0])
}

// Bytes is the memory that it takes.
func (s *Sample) Bytes() int { return 4 * len(s.channels) * s.Frames() }

// Player is a module of a kind that is Sampled.
type Player interface {
	Module
	// SetSample gives the module what it plays. It comes after New and before the first Reset, and just once. A module without a sample
	// is silent.
	SetSample(s *Sample)
}
