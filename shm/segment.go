package shm

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/music-chronus/chronus/shm/sys"
)

// Segment is a shared memory file with a header, mapped into this process. The caller that created
// or attached it owns it, and closes it.
type Segment struct{ m *sys.Mapping }

// create makes a segment of the given kind with body bytes after the header.
func create(kind Kind, g Geometry, slot int, gen uint64, body int) (*Segment, error) {
	if err := g.Check(); err != nil {
		return nil, fmt.Errorf("%v segment: %w", kind, err)
	}
	size := headerSize + body
	m, err := sys.CreateMapping(MemfdPrefix+kind.String(), size)
	if err != nil {
		return nil, err
	}
	s := &Segment{m}
	*s.header() = header{
		Magic: magic, Version: Version, Kind: kind, Size: uint64(size), Geometry: g, Slot: uint32(slot), Gen: gen,
	}
	return s, nil
}

// attach maps a segment made by another process and takes over its descriptor, also on an error. An
// invalid seal, size, kind or geometry is ErrCorrupt, another version ErrStale.
func attach(fd int, kind Kind, write bool) (*Segment, error) {
	s, err := mapSegment(fd, write)
	if err != nil {
		return nil, fmt.Errorf("attach %v segment: %w", kind, err)
	}
	if err := s.check(kind); err != nil {
		s.Close()
		return nil, fmt.Errorf("attach %v segment: %w", kind, err)
	}
	return s, nil
}

func mapSegment(fd int, write bool) (*Segment, error) {
	m, err := sys.AttachMapping(fd, write)
	if errors.Is(err, sys.ErrNotSealed) {
		return nil, fmt.Errorf("%w: %w", err, ErrCorrupt)
	}
	if err != nil {
		return nil, err
	}
	if m.Len() < headerSize {
		size := m.Len()
		m.Close()
		return nil, fmt.Errorf("%d bytes, a header needs %d: %w", size, headerSize, ErrCorrupt)
	}
	return &Segment{m}, nil
}

func (s *Segment) check(kind Kind) error {
	h := *s.header() // read once: another process may write it
	switch {
	case h.Magic != magic:
		return fmt.Errorf("magic %#x: %w", h.Magic, ErrCorrupt)
	case h.Version != Version:
		return fmt.Errorf("version %d, this program has %d: %w", h.Version, Version, ErrStale)
	case h.Kind != kind:
		return fmt.Errorf("kind %v: %w", h.Kind, ErrCorrupt)
	case h.Size != uint64(s.m.Len()):
		return fmt.Errorf("header says %d bytes, file has %d: %w", h.Size, s.m.Len(), ErrCorrupt)
	}
	if err := h.Geometry.Check(); err != nil {
		return fmt.Errorf("%v: %w", err, ErrCorrupt)
	}
	if want := headerSize + bodySize(kind, h.Geometry); want != s.m.Len() {
		return fmt.Errorf("%d bytes, its geometry needs %d: %w", s.m.Len(), want, ErrCorrupt)
	}
	return nil
}

// bodySize is the size in bytes that a kind of segment has after its header.
func bodySize(kind Kind, g Geometry) int {
	switch kind {
	case KindEngine:
		return int(unsafe.Sizeof(engineWords{}))
	case KindJournal:
		return int(unsafe.Sizeof(journalWords{}))
	case KindSlot:
		return slotSize(g)
	case KindSnapshot:
		return snapshotSize
	case KindInitialState:
		return initialStateSize
	case KindCheckpoint:
		return checkpointSize
	case KindPlans:
		return plansSize
	}
	return -headerSize // unknown: no file fits
}

func (s *Segment) header() *header { return sys.At[header](s.m, 0) }

// Geometry returns what the segment was laid out for.
func (s *Segment) Geometry() Geometry { return s.header().Geometry }

// Slot returns slot and generation of the worker process that the segment belongs to.
func (s *Segment) Slot() (slot int, gen uint64) {
	h := s.header()
	return int(h.Slot), h.Gen
}

// Kind returns what the segment holds.
func (s *Segment) Kind() Kind { return s.header().Kind }

// FD returns the descriptor, to be handed to another process. The Segment keeps it.
func (s *Segment) FD() int { return s.m.FD() }

// ReadOnlyFD returns a new descriptor that can be mapped for reading only. The caller owns it.
func (s *Segment) ReadOnlyFD() (int, error) { return sys.ReadOnly(s.m.FD()) }

// Close unmaps the segment and closes its descriptor. No role that was taken from it may be used
// afterwards. A second call does nothing.
func (s *Segment) Close() { s.m.Close() }

// at overlays a T on the body of the segment. Offsets are multiples of a cache line, so words are
// aligned.
func at[T any](s *Segment, offset int) *T { return sys.At[T](s.m, headerSize+offset) }

// bytes returns n bytes of the body from offset on, without a copy.
func (s *Segment) bytes(offset, n int) []byte { return s.m.Bytes(headerSize+offset, n) }

// touch reads a word of every page of n bytes of the body from offset on. See sys.Mapping.Touch.
func (s *Segment) touch(offset, n int) { s.m.Touch(headerSize+offset, n) }
