package shm

import (
	"fmt"
	"sync/atomic"
	"unsafe"
)

// Head is a worker's progress: generation<<48 | published. Compare Published, never the word.
type Head uint64

// MakeHead of the generation (its low 16 bits) and the first block not yet published.
func MakeHead(gen, published uint64) Head { return Head(gen<<48 | published&(1<<48-1)) }

// Published is the first block not yet published: block n is there when Published > n.
func (h Head) Published() uint64 { return uint64(h) & (1<<48 - 1) }

// Generation is the low 16 bits of the generation of the worker that stored it.
func (h Head) Generation() uint64 { return uint64(h) >> 48 }

// Of tells whether the head was stored by a worker of this generation.
func (h Head) Of(gen uint64) bool { return uint64(h)>>48 == gen&0xffff }

// Decision says, for one block, which command is the last to enter it. The word is
//
//	lap (24 bits) | SKIP | SEALED | Seq (38 bits)
//
// where the lap, n/Laps+1, tells block n from block n-Laps; zeroed memory is no decision.
type Decision uint64

const (
	seqBits           = 38
	seqMask           = 1<<seqBits - 1
	sealed   Decision = 1 << seqBits
	skip     Decision = 1 << (seqBits + 1)
	lapShift          = seqBits + 2
)

func lapOf(n uint64) uint64 { return n/Laps + 1 }

func makeDecision(n, seq uint64) Decision { return Decision(lapOf(n)<<lapShift | seq&seqMask) }

// Seq of the last command that enters the block.
func (d Decision) Seq() uint64 { return uint64(d) & seqMask }

// Sealed tells whether some worker has rendered the block to its end.
func (d Decision) Sealed() bool { return d&sealed != 0 }

// Skip tells whether the commands that first enter here are left out.
func (d Decision) Skip() bool { return d&skip != 0 }

func (d Decision) lap() uint64 { return uint64(d) >> lapShift }

// String shows the parts.
func (d Decision) String() string {
	return fmt.Sprintf("seq %d, sealed %t, skip %t, lap %d", d.Seq(), d.Sealed(), d.Skip(), d.lap())
}

// Cause says why a worker ended.
type Cause uint32

// The causes. Panic is written by the worker itself, the rest by the engine from the exit status.
const (
	CauseNone     Cause = iota
	CausePanic          // a panic or fault while rendering, caught by the worker: poison
	CauseSignal         // ended by a signal; the detail is its number
	CauseExit           // ended with an exit code; the detail is the code
	CauseDiverged       // its decision or its samples were not those of the others
	CauseLapped         // it slept for longer than the journal reaches back
	CauseEndless        // it rendered without an end until the kernel's limit
	CauseHung           // it rendered without an end until the engine's patience did
)

// String names the cause.
func (c Cause) String() string {
	names := [...]string{"none", "panic", "signal", "exit", "diverged", "lapped", "endless", "hung"}
	if int(c) < len(names) {
		return names[c]
	}
	return fmt.Sprintf("cause %d", uint32(c))
}

// status is one line: what the worker of a slot is doing, and how it ended.
type status struct {
	gen    atomic.Uint64
	block  atomic.Uint64 // rendering block-1; 0: not rendering
	seq    atomic.Uint64 // last command taken
	node   atomic.Uint64 // node index + 1 that renders; 0: none
	cause  atomic.Uint64 // Cause<<32 | detail
	faults atomic.Uint64 // of nodes, <<16 | the last one's index
	limits atomic.Uint64 // blocks in which the output was limited
	offset atomic.Uint64 // blocks in which an offset was taken from it
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

// Journal is what all processes may read of the journal.
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

// Head of a slot.
func (j Journal) Head(slot int) Head {
	yield()
	return Head(j.w.heads[slot].word.Load())
}

// Published is the first block that slot has not published.
func (j Journal) Published(slot int) uint64 { return j.Head(slot).Published() }

// Decision for block n; ok is false if there is none (yet, or any more).
func (j Journal) Decision(n uint64) (d Decision, ok bool) {
	yield()
	d = Decision(j.w.decisions[n%Laps].Load())
	return d, d.lap() == lapOf(n)
}

// Status is what a worker was doing when it was read, or when it ended.
type Status struct {
	Generation uint64
	Block      uint64 // being rendered, if Rendering
	Rendering  bool
	Seq        uint64 // last command taken
	Node       int    // index of the node that renders, -1 for none
	Cause      Cause
	Detail     uint32
	Sound      Sound
}

// Sound is what a stream has found wrong with its own sound, and has mended.
type Sound struct {
	Faults    uint64 `json:"faults"`     // times that a node put out what is no sound
	FaultNode int    `json:"fault_node"` // the last such node
	Limited   uint64 `json:"limited"`    // blocks in which the output would have been above full scale
	Offset    uint64 `json:"offset"`     // blocks in which it had a steady offset
}

// Status reads a slot's line. While its worker runs, the fields may be of different moments, but of one worker: the block of one that
// was killed and the panic of the next in its place would be poison that nobody has seen.
func (j Journal) Status(slot int) Status {
	st := &j.w.status[slot]
	var gen, b, c uint64
	for again := true; again; again = gen != st.gen.Load() {
		yield()
		gen = st.gen.Load()
		yield()
		b = st.block.Load()
		yield()
		c = st.cause.Load()
		yield()
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

// ReplaceDecision decides that seq is the last command to enter block n, whatever was decided. The engine may do so when
// every worker has ended and nobody has published n.
func (j Journal) ReplaceDecision(n, seq uint64) {
	j.w.decisions[n%Laps].Store(uint64(makeDecision(n, seq)))
}

// ClearCause forgets what a worker that has ended was doing, so that none that comes after takes it for poison still.
func (j Journal) ClearCause(slot int) { j.w.status[slot].block.Store(0) }

// SetCause is the engine's: the cause of a death, from the exit status, unless the worker wrote one itself.
func (j Journal) SetCause(slot int, gen uint64, c Cause, detail uint32) {
	st := &j.w.status[slot]
	yield()
	if st.gen.Load() == gen {
		yield()
		st.cause.CompareAndSwap(0, uint64(c)<<32|uint64(detail))
	}
}

// Recorder is the journal as one worker has it: its own head and status, and all decisions.
type Recorder struct {
	Journal
	slot int
	gen  uint64
}

// AttachRecorder maps the journal for the worker of the given slot and generation and takes over fd.
func AttachRecorder(fd, slot int, gen uint64) (Recorder, error) {
	j, err := attachJournal(fd, true)
	if err != nil {
		return Recorder{}, err
	}
	if n := int(j.Geometry().Slots); slot < 0 || slot >= n {
		j.Close()
		return Recorder{}, fmt.Errorf("slot %d of %d: %w", slot, n, ErrCorrupt)
	}
	return Recorder{j, slot, gen}, nil
}

// OwnStatus is the worker's own status.
func (r Recorder) OwnStatus() Status { return r.Status(r.slot) }

// Begin clears the slot's status and says that nothing before block n comes from this worker.
func (r Recorder) Begin(n uint64) {
	st := &r.w.status[r.slot]
	yield()
	st.block.Store(0)
	st.seq.Store(0)
	st.node.Store(0)
	yield()
	st.cause.Store(0)
	yield()
	st.gen.Store(r.gen)
	r.Publish(n)
}

// Publish says that every block below n is in the ring.
func (r Recorder) Publish(n uint64) {
	yield()
	r.w.heads[r.slot].word.Store(uint64(MakeHead(r.gen, n)))
}

// BeginRender says that block n is being rendered, after taking seq.
func (r Recorder) BeginRender(n, seq uint64) {
	st := &r.w.status[r.slot]
	yield()
	st.seq.Store(seq)
	yield()
	st.block.Store(n + 1)
}

// EndRender ends Rendering, and says what the sound was like.
func (r Recorder) EndRender(s Sound) {
	st := &r.w.status[r.slot]
	yield()
	st.faults.Store(s.Faults<<16 | uint64(s.FaultNode)&0xffff)
	st.limits.Store(s.Limited)
	st.offset.Store(s.Offset)
	yield()
	st.block.Store(0)
}

// NodeWord is where the renderer puts the node that it is at: index + 1, 0 for none.
func (r Recorder) NodeWord() *atomic.Uint64 { return &r.w.status[r.slot].node }

// RecordCause puts the worker's own word on its end on record.
func (r Recorder) RecordCause(c Cause, detail uint32) {
	yield()
	r.w.status[r.slot].cause.CompareAndSwap(0, uint64(c)<<32|uint64(detail))
}

// Lapped tells whether a later block has taken the place of block n.
func (r Recorder) Lapped(n uint64) bool {
	yield()
	return Decision(r.w.decisions[n%Laps].Load()).lap() > lapOf(n)
}

// Propose decides that seq is the last command to enter block n, unless it is decided;
// whoever's CAS won, that decision is returned. ok is false if n is lapped.
func (r Recorder) Propose(n, seq uint64) (d Decision, ok bool) {
	word := &r.w.decisions[n%Laps]
	for {
		yield()
		old := Decision(word.Load())
		if old.lap() == lapOf(n) {
			return old, true
		}
		if old.lap() > lapOf(n) {
			return 0, false
		}
		d = makeDecision(n, seq)
		yield()
		if word.CompareAndSwap(uint64(old), uint64(d)) {
			return d, true
		}
	}
}

// SkipNew sets SKIP on the unsealed decision d for block n and returns the decision that then stands.
func (r Recorder) SkipNew(n uint64, d Decision) Decision {
	word := &r.w.decisions[n%Laps]
	yield()
	if !d.Sealed() && word.CompareAndSwap(uint64(d), uint64(d|skip)) {
		return d | skip
	}
	yield()
	return Decision(word.Load())
}

// Seal says that block n was rendered from d to its end. It is false if the decision is
// another by now: then what was rendered must not be published.
func (r Recorder) Seal(n uint64, d Decision) bool {
	word := &r.w.decisions[n%Laps]
	want := uint64(d | sealed)
	yield()
	return word.CompareAndSwap(uint64(d&^sealed), want) || word.Load() == want
}

// OwnFault tells whether the worker ended of what it was rendering: poison, unless it was rendering nothing.
func (c Cause) OwnFault() bool { return c == CausePanic || c == CauseEndless || c == CauseHung }

// FromKernel tells whether the cause is what the kernel reported, not what a worker or the
// engine knows better.
func (c Cause) FromKernel() bool { return c == CauseNone || c == CauseSignal || c == CauseExit }
