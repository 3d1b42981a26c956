package shm

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"github.com/music-chronus/chronus/shm/sys"
)

// Segment is one mapping of a shared memory file. Who made or attached it owns it and
// closes it.
type Segment struct {
	fd  int // -1: ordinary memory, or closed after mapping
	mem []byte
}

// create makes a segment of the given kind with body bytes after the header.
func create(kind Kind, g Geometry, slot int, gen uint64, body int) (*Segment, error) {
	if err := g.Check(); err != nil {
		return nil, fmt.Errorf("%v segment: %w", kind, err)
	}
	size := headerSize + body
	fd, err := sys.Memfd(Memfds+kind.String(), size)
	if err != nil {
		return nil, err
	}
	mem, err := sys.Map(fd, size, true)
	if err != nil {
		_ = sys.CloseFD(fd)
		return nil, err
	}
	s := &Segment{fd: fd, mem: mem}
	*s.header() = header{Magic: magic, Version: Version, Kind: kind, Size: uint64(size), Geometry: g, Slot: uint32(slot), Gen: gen}
	return s, nil
}

// attach maps a segment made by another process and takes over its descriptor, which it
// closes on an error too. A size, kind, version or seal that does not fit is ErrStale or
// ErrCorrupt.
func attach(fd int, kind Kind, write bool) (*Segment, error) {
	s, err := mapSegment(fd, write)
	if err == nil {
		if err = s.check(kind); err == nil {
			return s, nil
		}
		s.Close()
		return nil, fmt.Errorf("attach %v segment: %w", kind, err)
	}
	_ = sys.CloseFD(fd)
	return nil, fmt.Errorf("attach %v segment: %w", kind, err)
}

func mapSegment(fd int, write bool) (*Segment, error) {
	if !sys.Sealed(fd) {
		return nil, fmt.Errorf("descriptor %d is not sealed: %w", fd, ErrCorrupt)
	}
	size, err := sys.Size(fd)
	if err != nil {
		return nil, err
	}
	if size < headerSize {
		return nil, fmt.Errorf("%d bytes: %w", size, ErrCorrupt)
	}
	mem, err := sys.Map(fd, size, write)
	if err != nil {
		return nil, err
	}
	return &Segment{fd: fd, mem: mem}, nil
}

func (s *Segment) check(kind Kind) error {
	h := *s.header() // read once
	switch {
	case h.Magic != magic:
		return fmt.Errorf("magic %#x: %w", h.Magic, ErrCorrupt)
	case h.Version != Version:
		return fmt.Errorf("version %d, this program has %d: %w", h.Version, Version, ErrStale)
	case h.Kind != kind:
		return fmt.Errorf("it holds a %v: %w", h.Kind, ErrCorrupt)
	case h.Size != uint64(len(s.mem)):
		return fmt.Errorf("header says %d bytes, it has %d: %w", h.Size, len(s.mem), ErrCorrupt)
	}
	if err := h.Geometry.Check(); err != nil {
		return fmt.Errorf("%v: %w", err, ErrCorrupt)
	}
	if want, fixed := bodySize(kind, h.Geometry); fixed && headerSize+want != len(s.mem) {
		return fmt.Errorf("%d bytes, its geometry needs %d: %w", len(s.mem), headerSize+want, ErrCorrupt)
	}
	return nil
}

// bodySize of a kind; fixed is false where the holder chose it.
func bodySize(kind Kind, g Geometry) (n int, fixed bool) {
	switch kind {
	case KindEngine:
		return int(unsafe.Sizeof(engineWords{})), true
	case KindJournal:
		return int(unsafe.Sizeof(journalWords{})), true
	case KindSlot:
		return slotSize(g), true
	case KindSnapshot:
		return snapshotSize, true
	case KindSeed:
		return seedSize, true
	case KindKept:
		return keptSize, true
	case KindPlans:
		return plansSize, true
	}
	return 0, false
}

// SAFETY: every segment is at least headerSize long and page-aligned.
func (s *Segment) header() *header { return (*header)(unsafe.Pointer(&s.mem[0])) }

// Geometry is what the segment's maker laid it out for.
func (s *Segment) Geometry() Geometry { return s.header().Geometry }

// Slot and generation of the worker process that the segment belongs to.
func (s *Segment) Slot() (slot int, gen uint64) {
	h := s.header()
	return int(h.Slot), h.Gen
}

// FD is the descriptor, to be handed to another process. It stays the Segment's own.
func (s *Segment) FD() int { return s.fd }

// ReadOnlyFD returns a new descriptor that can be mapped for reading only. The caller owns it.
func (s *Segment) ReadOnlyFD() (int, error) { return sys.ReadOnly(s.fd) }

// Close unmaps the segment and closes its descriptor. Nothing taken from it may be used afterwards.
func (s *Segment) Close() {
	if s.mem == nil {
		return
	}
	_ = sys.Unmap(s.mem)
	if s.fd >= 0 {
		_ = sys.CloseFD(s.fd)
	}
	s.mem, s.fd = nil, -1
}

// at overlays a T on the body of the segment.
func at[T any](s *Segment, offset int) *T {
	var t *T // never a T: the largest are above what a stack takes, and a megabyte of heap would be lost for a size
	end := headerSize + offset + int(unsafe.Sizeof(*t))
	if end > len(s.mem) {
		panic(fmt.Sprintf("shm: %d bytes wanted of a segment of %d", end, len(s.mem)))
	}
	// SAFETY: in bounds by the test above; 64-byte aligned as all offsets are multiples of a line.
	return (*T)(unsafe.Pointer(&s.mem[headerSize+offset]))
}

// Sub returns n bytes of the body from offset, a view that lives as long as the mapping.
func (s *Segment) bytes(offset, n int) []byte {
	return s.mem[headerSize+offset : headerSize+offset+n : headerSize+offset+n]
}

// touch reads a word of every page that n bytes of the body from offset lie on. A read of a page of
// a shared memory file makes the page, for readers and writers.
func (s *Segment) touch(offset, n int) {
	b := s.bytes(offset, n)
	for i := 0; i < n; i += pageSize {
		// SAFETY: in bounds; offsets are multiples of a line, and so are pages.
		atomic.LoadUint32((*uint32)(unsafe.Pointer(&b[i]))) // atomic: no compiler leaves it out
	}
	atomic.LoadUint32((*uint32)(unsafe.Pointer(&b[n-4])))
}

var pageSize = os.Getpagesize()
