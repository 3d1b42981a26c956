package shm

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"github.com/music-chronus/chronus/shm/interleave"
)

// status is one cache line: what the worker of a slot does, and how it ended.
type status struct {
	gen    atomic.Uint64
	block  atomic.Uint64 // number of the block being rendered, plus 1; 0: none
	seq    atomic.Uint64 // last command taken
	node   atomic.Uint64 // index of the node being rendered, plus 1; 0: none
	cause  atomic.Uint64 // Cause<<32 | detail
	faults atomic.Uint64 // count<<16 | index of the last faulty node
	limits atomic.Uint64 // blocks in which the output was limited
	offset atomic.Uint64 // blocks from which an offset was removed
}

type journalWords struct {
	heads [MaxSlots]struct {
		word atomic.Uint64
		_    [56]byte
	}
	status    [MaxSlots]status
	decisions [Laps]atomic.Uint64
}

var (
	_ = [1]struct{}{}[unsafe.Sizeof(status{})-line]
	_ = [1]struct{}{}[unsafe.Offsetof(journalWords{}.status)-MaxSlots*line]
	_ = [1]struct{}{}[unsafe.Offsetof(journalWords{}.decisions)-2*MaxSlots*line]
)

// Journal is the journal as every process may read it.
type Journal struct {
	*Segment
	w *journalWords
}

// NewJournal makes the journal. The engine owns it.
func NewJournal(g Geometry) (Journal, error) {
	s, err := create(KindJournal, g, 0, 0, int(unsafe.Sizeof(journalWords{})))
	if err != nil {
		return Journal{}, err
	}
	return Journal{s, at[journalWords](s, 0)}, nil
}

// AttachJournal maps the journal read-only and takes over fd.
func AttachJournal(fd int) (Journal, error) { return attachJournal(fd, false) }

func attachJournal(fd int, write bool) (Journal, error) {
	s, err := attach(fd, KindJournal, write)
	if err != nil {
		return Journal{}, err
	}
	return Journal{s, at[journalWords](s, 0)}, nil
}

// Head returns the head of a slot.
func (j Journal) Head(slot int) Head {
	interleave.Yield()
	return Head(j.w.heads[slot].word.Load())
}

// Published returns the first block that slot has not published.
func (j Journal) Published(slot int) uint64 { return j.Head(slot).Published() }

// Decision returns the decision for block n. ok is false if there is none yet, or if a later block
// has overwritten it.
func (j Journal) Decision(n uint64) (d Decision, ok bool) {
	interleave.Yield()
	d = Decision(j.w.decisions[n%Laps].Load())
	return d, d.lap() == lapOf(n)
}

// Status tells what a worker does or, if it has ended, did last.
type Status struct {
	Generation uint64
	Block      uint64 // being rendered, if Rendering
	Rendering  bool
	Seq        uint64 // last command taken
	Node       int    // index of the node being rendered; -1: none
	Cause      Cause
	Detail     uint32
	Sound      Sound
}

// Sound counts what a stream corrected in its own output.
type Sound struct {
	Faults    uint64 `json:"faults"`     // times that a node put out NaN, infinity or a huge value
	FaultNode int    `json:"fault_node"` // index of the last such node
	Limited   uint64 `json:"limited"`    // blocks whose output would have exceeded full scale
	Offset    uint64 `json:"offset"`     // blocks with a steady offset
}

// Status reads a slot's line. While the worker runs, the fields may be of different moments, but
// all are of one worker. A mix of two workers, the block of one and the panic of its successor,
// could blame a command wrongly.
func (j Journal) Status(slot int) Status {
	st := &j.w.status[slot]
	var gen, b, c uint64
	for again := true; again; again = gen != st.gen.Load() {
		interleave.Yield()
		gen = st.gen.Load()
		interleave.Yield()
		b = st.block.Load()
		interleave.Yield()
		c = st.cause.Load()
		interleave.Yield()
	}
	return Status{
		Generation: gen, Block: b - min(b, 1), Rendering: b > 0, Seq: st.seq.Load(),
		Node: int(st.node.Load()) - 1, Cause: Cause(c >> 32), Detail: uint32(c), Sound: st.sound(),
	}
}

func (st *status) sound() Sound {
	f := st.faults.Load()
	return Sound{f >> 16, int(f & 0xffff), st.limits.Load(), st.offset.Load()}
}

// ReplaceDecision makes seq the last command of block n, whatever was decided. The engine may call
// it when every worker has ended and none has published n.
func (j Journal) ReplaceDecision(n, seq uint64) {
	j.w.decisions[n%Laps].Store(uint64(makeDecision(n, seq)))
}

// ClearCause forgets which block an ended worker rendered, so that later workers do not leave
// commands out of that block.
func (j Journal) ClearCause(slot int) { j.w.status[slot].block.Store(0) }

// SetCause records the cause of a worker's end, from its exit status. A cause that the worker
// recorded itself stays.
func (j Journal) SetCause(slot int, gen uint64, c Cause, detail uint32) {
	st := &j.w.status[slot]
	interleave.Yield()
	if st.gen.Load() == gen {
		interleave.Yield()
		st.cause.CompareAndSwap(0, uint64(c)<<32|uint64(detail))
	}
}

// Recorder is the journal as one worker has it: it writes its own head and status, and all
// decisions.
type Recorder struct {
	Journal
	slot int
	gen  uint64
}

// AttachRecorder maps the journal for the worker of a slot and generation, and takes over fd.
func AttachRecorder(fd, slot int, gen uint64) (Recorder, error) {
	j, err := attachJournal(fd, true)
	if err != nil {
		return Recorder{}, err
	}
	if n := int(j.Geometry().Slots); slot < 0 || slot >= n {
		j.Close()
		return Recorder{}, fmt.Errorf("attach journal: slot %d of %d: %w", slot, n, ErrCorrupt)
	}
	return Recorder{j, slot, gen}, nil
}

// OwnStatus returns the worker's own status.
func (r Recorder) OwnStatus() Status { return r.Status(r.slot) }

// Begin clears the slot's status and makes n the first block of this worker.
func (r Recorder) Begin(n uint64) {
	st := &r.w.status[r.slot]
	interleave.Yield()
	st.block.Store(0)
	st.seq.Store(0)
	st.node.Store(0)
	interleave.Yield()
	st.cause.Store(0)
	interleave.Yield()
	st.gen.Store(r.gen)
	r.Publish(n)
}

// Publish declares that the ring holds every block below n.
func (r Recorder) Publish(n uint64) {
	interleave.Yield()
	r.w.heads[r.slot].word.Store(uint64(MakeHead(r.gen, n)))
}

// BeginRender records that the worker renders block n, after command seq.
func (r Recorder) BeginRender(n, seq uint64) {
	st := &r.w.status[r.slot]
	interleave.Yield()
	st.seq.Store(seq)
	interleave.Yield()
	st.block.Store(n + 1)
}

// EndRender records that the worker renders no block, and what it corrected in its output.
func (r Recorder) EndRender(s Sound) {
	st := &r.w.status[r.slot]
	interleave.Yield()
	st.faults.Store(s.Faults<<16 | uint64(s.FaultNode)&0xffff)
	st.limits.Store(s.Limited)
	st.offset.Store(s.Offset)
	interleave.Yield()
	st.block.Store(0)
}

// NodeWord returns the word in which the stream stores the node that it renders: index + 1; 0:
// none.
func (r Recorder) NodeWord() *atomic.Uint64 { return &r.w.status[r.slot].node }

// RecordCause records why this worker ends. The first cause stays.
func (r Recorder) RecordCause(c Cause, detail uint32) {
	interleave.Yield()
	r.w.status[r.slot].cause.CompareAndSwap(0, uint64(c)<<32|uint64(detail))
}

// Lapped reports whether a later block has overwritten the decision of block n.
func (r Recorder) Lapped(n uint64) bool {
	interleave.Yield()
	return Decision(r.w.decisions[n%Laps].Load()).lap() > lapOf(n)
}

// Propose makes seq the last command of block n, unless that is decided already. It returns the
// decision that holds. ok is false if a later block has overwritten it.
func (r Recorder) Propose(n, seq uint64) (d Decision, ok bool) {
	word := &r.w.decisions[n%Laps]
	for {
		interleave.Yield()
		old := Decision(word.Load())
		if old.lap() == lapOf(n) {
			return old, true
		}
		if old.lap() > lapOf(n) {
			return 0, false
		}
		d = makeDecision(n, seq)
		interleave.Yield()
		if word.CompareAndSwap(uint64(old), uint64(d)) {
			return d, true
		}
	}
}

// SkipNew sets SKIP in the unsealed decision d of block n. It returns the decision that holds.
func (r Recorder) SkipNew(n uint64, d Decision) Decision {
	word := &r.w.decisions[n%Laps]
	interleave.Yield()
	if !d.Sealed() && word.CompareAndSwap(uint64(d), uint64(d|skip)) {
		return d | skip
	}
	interleave.Yield()
	return Decision(word.Load())
}

// Seal marks block n as rendered to its end under decision d. It returns false if the decision has
// changed: then the block must not be published.
func (r Recorder) Seal(n uint64, d Decision) bool {
	word := &r.w.decisions[n%Laps]
	want := uint64(d | sealed)
	interleave.Yield()
	return word.CompareAndSwap(uint64(d&^sealed), want) || word.Load() == want
}
