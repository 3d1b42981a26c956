package sequencer

// MaxFrame is the last frame, for tests.
const MaxFrame = maxFrame

// Mix is the hash that decides on probabilities.
func Mix(x uint64) uint64 { return mix(x) }

// Now returns the present frame.
func (s *Sequencer) Now() uint64 { return s.now }

// PositionAt returns the musical position at a frame.
func (s *Sequencer) PositionAt(frame uint64) position { return s.tempo.position(frame) }

// Pulse returns the whole pulses of a position.
func (p position) Pulse() int64 { return p.pulse }

// Part returns the part of a pulse of a position, in 2^-64.
func (p position) Part() uint64 { return p.part }

// Rate returns the rate in Hz.
func (s *Sequencer) Rate() uint64 { return s.tempo.rate }
