package shm

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/shm/interleave"
)

// StateMax bounds a worker's complete state in bytes. The memory is sparse: only what a
// state fills is backed.
const StateMax = 64 << 20

// State describes a worker's complete state at a block boundary.
type State struct {
	Block uint64 // the next block to render
	Seq   uint64 // last command taken
	Plan  uint64 // number of the plan whose state it is
	Bytes []byte
}

// stateWords precede the bytes of a state. number is stored last.
type stateWords struct {
	number, block, seq, plan, size, hash atomic.Uint64
	_                                    [16]byte
}

// hash is of all of it: a giver that is asked again may write while its last state is still read.
func (st State) hash() uint64 {
	return xxhash.Sum64(st.Bytes) ^ st.Block*0x9e3779b97f4a7c15 ^ st.Seq*0xc2b2ae3d27d4eb4f ^ st.Plan*0x165667b19e3779f9
}

const (
	stateRoom        = line + StateMax
	snapshotSize     = 2 * stateRoom
	initialStateSize = stateRoom
)

var _ = [1]struct{}{}[unsafe.Sizeof(stateWords{})-line]

// SnapshotWriter is a worker's own snapshot segment. Two buffers take turns, so that the
// last complete snapshot is never overwritten by the next; the engine asks for the next
// only after it has copied the last.
type SnapshotWriter struct{ seg *Segment }

// SnapshotReader is the engine's side.
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

// Buffer is where the number-th snapshot goes: empty, with room for StateMax bytes.
func (w SnapshotWriter) Buffer(number uint64) []byte {
	return w.seg.bytes(stateOffset(number)+line, StateMax)[:0]
}

// Complete says that the number-th snapshot is in its Buffer.
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

// Copy returns the number-th snapshot once it is complete, checked against its hash. ErrCorrupt if it fails.
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
		return State{}, false, fmt.Errorf("state of block %d fails its hash: %w", st.Block, ErrCorrupt)
	}
	return st, true, nil
}

// InitialStateWriter is the engine's side of a joiner's seed: the state that it begins from.
type InitialStateWriter struct{ seg *Segment }

// NewInitialState makes the seed of one worker process. It is filled while the process starts.
func NewInitialState(g Geometry, slot int, gen uint64) (*Segment, InitialStateWriter, error) {
	s, err := create(KindInitialState, g, slot, gen, initialStateSize)
	return s, InitialStateWriter{s}, err
}

// Fill puts the state in, once. A state without bytes is a stream that has rendered nothing.
func (w InitialStateWriter) Fill(st State) error {
	if len(st.Bytes) > StateMax {
		return fmt.Errorf("state of %d bytes; a seed holds %d", len(st.Bytes), StateMax)
	}
	copy(w.seg.bytes(line, len(st.Bytes)), st.Bytes)
	at[stateWords](w.seg, 0).store(1, st)
	return nil
}

// InitialStateReader is the joiner's side.
type InitialStateReader struct{ seg *Segment }

// AttachInitialState maps a seed for its joiner and takes over fd.
func AttachInitialState(fd int) (InitialStateReader, error) {
	s, err := attach(fd, KindInitialState, false)
	return InitialStateReader{s}, err
}

// Load returns a copy of the state once it is there.
func (r InitialStateReader) Load() (st State, ok bool, err error) { return load(r.seg, 0, 1) }

// Close unmaps the seed.
func (r InitialStateReader) Close() { r.seg.Close() }
