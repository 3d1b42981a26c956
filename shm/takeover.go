package shm

import "fmt"

// MemfdPrefix begins the name of every segment's memory file.
const MemfdPrefix = "chronus-"

// Adopt maps, for writing, a segment of whatever kind that another engine made, and takes over fd. It is for the
// engine after that one. ErrStale or ErrCorrupt: it is none that this program can use.
func Adopt(fd int) (*Segment, error) {
	s, err := mapSegment(fd, true)
	if err != nil {
		return nil, fmt.Errorf("take over a segment: %w", err)
	}
	if err := s.check(s.Kind()); err != nil {
		kind := s.Kind()
		s.Close()
		return nil, fmt.Errorf("take over a %v segment: %w", kind, err)
	}
	return s, nil
}

// ControlFromSegment is an engine segment for the engine after the one that made it.
func ControlFromSegment(s *Segment) Control { return Control{View{s, at[engineWords](s, 0)}} }

// JournalFromSegment is a journal for the engine after the one that made it.
func JournalFromSegment(s *Segment) Journal { return Journal{s, at[journalWords](s, 0)} }

// CheckpointStoreFromSegment is a store for the engine after the one that made it.
func CheckpointStoreFromSegment(s *Segment) CheckpointStore { return CheckpointStore{Segment: s} }

// CommandsFromSegment is the engine's side of the command ring of a slot segment whose producer is no more.
func CommandsFromSegment(s *Segment) CommandWriter { return CommandWriter{at[commandWords](s, 0)} }

// SnapshotsFromSegment is the engine's side of a worker's snapshot segment.
func SnapshotsFromSegment(s *Segment) SnapshotReader { return SnapshotReader{s} }

// RequestedSnapshot is the number of the last snapshot asked for.
func (c CommandWriter) RequestedSnapshot() uint64 { return c.w.requestedSnapshot.Load() }

// Started tells whether the worker was let go.
func (c CommandWriter) Started() bool { return c.w.start.Load() != 0 }

// Peek copies a command that is still in the ring, taken or not; ok is false if it is not there, or no more.
func (c CommandWriter) Peek(seq uint64) (m Command, ok bool) {
	return CommandReader(c).Get(seq)
}
