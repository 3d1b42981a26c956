package shm

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/shm/interleave"
)

// StateMax is the most bytes that a worker's state may have. The memory is sparse: only written
// pages use memory.
const StateMax = 64 << 20

// State is a worker's complete state at a block boundary.
type State struct {
	Block uint64 // next block to render
	Seq   uint64 // last command taken
	Plan  uint64 // number of the plan that the state belongs to
	Bytes []byte
}

// stateWords precede the bytes of a state. number is stored last.
type stateWords struct {
	number, block, seq, plan, size, hash atomic.Uint64
	_                                    [16]byte
}

// hash covers all fields. If the engine asks a donor again, the donor may write a new state while
// the engine still copies the last.
func (st State) hash() uint64 {
	return xxhash.Sum64(st.Bytes) ^ st.Block*0x9e3779b97f4a7c15 ^ st.Seq*0xc2b2ae3d27d4eb4f ^ st.Plan*0x165667b19e3779f9
}

const (
	stateRoom        = line + StateMax
	snapshotSize     = 2 * stateRoom
	initialStateSize = stateRoom
)

var _ = [1]struct{}{}[unsafe.Sizeof(stateWords{})-line]

// SnapshotWriter is a worker's snapshot segment as the worker has it. It has two places in turn, so
// a new snapshot does not overwrite the last complete one. The engine asks for the next one after
// it has copied the last.
type SnapshotWriter struct{ seg *Segment }

// SnapshotReader is a worker's snapshot segment as the engine has it.
type SnapshotReader struct{ seg *Segment }

// NewSnapshot makes the snapshot segment of one worker process.
func NewSnapshot(g Geometry, slot int, gen uint64) (*Segment, SnapshotReader, error) {
	s, err := create(KindSnapshot, g, slot, gen, snapshotSize)
	return s, SnapshotReader{s}, err
}

// AttachSnapshot maps the segment for its worker and takes over fd.
func AttachSnapshot(fd int) (SnapshotWriter, error) {
	s, err := attach(fd, KindSnapshot, true)
	return SnapshotWriter{s}, err
}

func stateOffset(number uint64) int { return int(number%2) * stateRoom }

// Buffer returns the place of snapshot number: an empty slice with room for StateMax bytes.
func (w SnapshotWriter) Buffer(number uint64) []byte {
	return w.seg.bytes(stateOffset(number)+line, StateMax)[:0]
}

// Complete declares that Buffer holds snapshot number.
func (w SnapshotWriter) Complete(number uint64, st State) {
	at[stateWords](w.seg, stateOffset(number)).store(number, st)
}

func (h *stateWords) store(number uint64, st State) {
	interleave.Yield()
	h.block.Store(st.Block)
	interleave.Yield()
	h.seq.Store(st.Seq)
	interleave.Yield()
	h.plan.Store(st.Plan)
	interleave.Yield()
	h.size.Store(uint64(len(st.Bytes)))
	interleave.Yield()
	h.hash.Store(st.hash())
	interleave.Yield()
	h.number.Store(number)
}

// Copy returns snapshot number. ok is false until it is complete. A wrong hash is ErrCorrupt.
func (r SnapshotReader) Copy(number uint64) (st State, ok bool, err error) {
	return load(r.seg, stateOffset(number), number)
}

func load(seg *Segment, offset int, number uint64) (st State, ok bool, err error) {
	h := at[stateWords](seg, offset)
	interleave.Yield()
	if h.number.Load() != number {
		return State{}, false, nil
	}
	interleave.Yield()
	size := h.size.Load()
	interleave.Yield()
	if size > StateMax {
		return State{}, false, fmt.Errorf("state of %d bytes: %w", size, ErrCorrupt)
	}
	st.Block = h.block.Load()
	interleave.Yield()
	st.Seq = h.seq.Load()
	interleave.Yield()
	st.Plan = h.plan.Load()
	interleave.Yield()
	st.Bytes = append([]byte(nil), seg.bytes(offset+line, int(size))...)
	interleave.Yield()
	if st.hash() != h.hash.Load() {
		return State{}, false, fmt.Errorf("state of block %d: wrong hash: %w", st.Block, ErrCorrupt)
	}
	return st, true, nil
}

// InitialStateWriter is the initial state of a joiner as the engine has it.
type InitialStateWriter struct{ seg *Segment }

// NewInitialState makes the segment of one worker process. The engine fills it while the process
// starts.
func NewInitialState(g Geometry, slot int, gen uint64) (*Segment, InitialStateWriter, error) {
	s, err := create(KindInitialState, g, slot, gen, initialStateSize)
	return s, InitialStateWriter{s}, err
}

// Fill stores the state, once. A state without bytes belongs to a stream that has rendered nothing.
func (w InitialStateWriter) Fill(st State) error {
	if len(st.Bytes) > StateMax {
		return fmt.Errorf("initial state of %d bytes: the limit is %d", len(st.Bytes), StateMax)
	}
	copy(w.seg.bytes(line, len(st.Bytes)), st.Bytes)
	at[stateWords](w.seg, 0).store(1, st)
	return nil
}

// InitialStateReader is the initial state of a joiner as the joiner has it.
type InitialStateReader struct{ seg *Segment }

// AttachInitialState maps the segment for its joiner and takes over fd.
func AttachInitialState(fd int) (InitialStateReader, error) {
	s, err := attach(fd, KindInitialState, false)
	return InitialStateReader{s}, err
}

// Load returns a copy of the state. ok is false until the engine has filled it.
func (r InitialStateReader) Load() (st State, ok bool, err error) { return load(r.seg, 0, 1) }

// Close unmaps the segment.
func (r InitialStateReader) Close() { r.seg.Close() }
