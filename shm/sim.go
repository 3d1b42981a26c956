//go:build sim

package shm

// Laps is how many blocks the journal and the log of heard hashes reach back. A simulation has few,
// so that it laps them.
const Laps = 512

// CommandEntries is how many commands a ring holds. A simulation has few and fills the ring.
const CommandEntries = 32

// Segment returns the mapping, which a simulated process closes at its end.
func (w AudioWriter) Segment() *Segment { return w.r.seg }

// Segment returns the mapping, which a simulated process closes at its end.
func (w SnapshotWriter) Segment() *Segment { return w.seg }

// Spoil flips a bit of the segment's header, so that attaching it fails from now on.
func (s *Segment) Spoil() { s.header().Magic ^= 1 << 41 }

// Spoiled reports whether Spoil was called, through this or another mapping.
func (s *Segment) Spoiled() bool { return s.header().Magic != magic }
