package dsp

// Sample is a recorded sound: one or two channels at its own rate. It never changes, so that any
// number of modules can share it.
type Sample struct {
	rate     float64
	channels [][]float32
}

// NewSample returns a sample at a rate in Hz. It has one channel, or two of the same length, left
// first. The caller must not change the slices afterwards.
func NewSample(rate float64, channels ...[]float32) *Sample {
	return &Sample{rate, channels}
}

// Rate returns the rate of the recording in Hz.
func (s *Sample) Rate() float64 { return s.rate }

// Channels returns one or two channels, left first. Callers must not change them.
func (s *Sample) Channels() [][]float32 { return s.channels }

// Frames returns the length in frames.
func (s *Sample) Frames() int {
	if len(s.channels) == 0 {
		return 0
	}
	return len(s.channels[0])
}

// Bytes returns the size of the sound in memory.
func (s *Sample) Bytes() int { return 4 * len(s.channels) * s.Frames() }

// Player is a module whose Desc is Sampled.
type Player interface {
	Module
	// SetSample sets the sample to play. It is called once, after New and before the first Reset. A
	// module without a sample is silent.
	SetSample(s *Sample)
}
