package shm

import "fmt"

// MemfdPrefix begins the name of every segment's memory file.
const MemfdPrefix = "chronus-"

// Adopt maps a segment of any kind that an earlier engine process made, for writing, and takes over
// fd. A segment that this program cannot use is ErrStale or ErrCorrupt.
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

// ControlFromSegment returns the role of the engine in an adopted engine segment.
func ControlFromSegment(s *Segment) Control { return Control{View{s, at[engineWords](s, 0)}} }

// JournalFromSegment returns the journal in an adopted segment.
func JournalFromSegment(s *Segment) Journal { return Journal{s, at[journalWords](s, 0)} }

// CheckpointStoreFromSegment returns the checkpoint store in an adopted segment.
func CheckpointStoreFromSegment(s *Segment) CheckpointStore { return CheckpointStore{Segment: s} }

// CommandsFromSegment returns the producer's side of the command ring in an adopted slot segment.
// The engine process that made the segment has ended.
func CommandsFromSegment(s *Segment) CommandWriter { return CommandWriter{at[commandWords](s, 0)} }

// SnapshotsFromSegment returns the engine's side of an adopted snapshot segment.
func SnapshotsFromSegment(s *Segment) SnapshotReader { return SnapshotReader{s} }

// RequestedSnapshot returns the number of the last requested snapshot.
func (c CommandWriter) RequestedSnapshot() uint64 { return c.w.requestedSnapshot.Load() }

// Started reports whether the worker may begin.
func (c CommandWriter) Started() bool { return c.w.start.Load() != 0 }

// Peek copies a command that is still in the ring, consumed or not. ok is false if the ring does
// not hold it.
func (c CommandWriter) Peek(seq uint64) (m Command, ok bool) {
	return CommandReader(c).Get(seq)
}
