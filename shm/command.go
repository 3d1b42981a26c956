package shm

import (
	"sync/atomic"
	"unsafe"

	"github.com/music-chronus/chronus/shm/interleave"
	"github.com/music-chronus/chronus/shm/sys"
)

// Op is the operation of a command.
type Op uint16

// The operations.
const (
	OpNone     Op = 0  // nothing: a quarantined command was here
	OpSet      Op = 1  // set the parameter to Value
	OpGate     Op = 2  // open the gate, Value > 0, or close it
	OpBypass   Op = 3  // bypass the node, Value > 0, or let it render again
	OpNote     Op = 4  // start the note Param, Value > 0, or end it
	OpPressure Op = 5  // set the pressure of the note Param
	OpSteps    Op = 6  // set the number of steps of a pattern
	OpTrig     Op = 7  // set what the step does: step Param&63 of pattern Param>>6, also below
	OpStepNote Op = 8  // set the note of a step
	OpStepGate Op = 9  // set the gate of a step
	OpChance   Op = 10 // set the chance of a step
	OpRamp     Op = 11 // move the tempo to Value in Param tenths of a second
	OpPlan     Op = 12 // switch to the plan Value at the first frame of the block

	Ops = 13 // their number
)

// Command changes one parameter, gate or note of one node. Seq is gap-free from 1 and equal in the
// rings of all workers.
type Command struct {
	Seq   uint64
	Plan  uint64 // number of the plan that Node and Param belong to; streams of other plans ignore it
	Frame uint64 // absolute; 0: at once
	Op    Op
	Node  uint16
	Param uint16
	Value float64
}

// entry is the 64-byte form of a command. Its words are atomic so that a reader can detect that an
// entry was overwritten, which should not happen.
type entry struct {
	seq, frame, target, value, plan atomic.Uint64
	_                               [24]byte
}

type commandWords struct {
	tail              atomic.Uint64 // engine: Seq of the last command in the ring
	start             atomic.Uint64 // engine: 1 lets the worker begin
	requestedSnapshot atomic.Uint64 // engine: number of the last snapshot
	requestedPlan     atomic.Uint64 // engine: number of the plan to prepare
	requestedAfter    atomic.Uint64 // engine: number of the plan before it
	planWake          atomic.Uint32 // engine and worker: counts requests of a plan
	_                 [20]byte
	consumed          atomic.Uint64 // worker: Seq of the last command read
	reportedPlan      atomic.Uint64 // worker: number of the plan that is ready or rejected
	liveness          atomic.Uint32 // worker, and kernel at its end: 1 while it lives
	_                 [44]byte
	planError         planError // worker: why it rejected the plan
	ring              [CommandEntries]entry
}

// planError is a text. size 0 stands for a plan that is ready.
type planError struct {
	size  atomic.Uint64
	bytes [planErrorMax]byte
}

const planErrorMax = 4*line - 8

var (
	_ = [1]struct{}{}[unsafe.Sizeof(entry{})-line]
	_ = [1]struct{}{}[unsafe.Offsetof(commandWords{}.consumed)-line]
	_ = [1]struct{}{}[unsafe.Offsetof(commandWords{}.ring)-6*line]
)

// slotSize is the size in bytes of a slot segment's body: the command ring, then the audio ring.
func slotSize(g Geometry) int { return int(unsafe.Sizeof(commandWords{})) + audioSize(g) }

// CommandWriter is a command ring as the engine has it: the single producer.
type CommandWriter struct{ w *commandWords }

// CommandReader is a command ring as its worker has it: the single consumer.
type CommandReader struct{ w *commandWords }

// NewSlot makes the slot segment of one worker process.
func NewSlot(g Geometry, slot int, gen uint64) (*Segment, CommandWriter, error) {
	s, err := create(KindSlot, g, slot, gen, slotSize(g))
	if err != nil {
		return nil, CommandWriter{}, err
	}
	return s, CommandWriter{at[commandWords](s, 0)}, nil
}

// Begin makes the command after seq the first of the ring. Call it once, before Start.
func (c CommandWriter) Begin(seq uint64) {
	c.w.tail.Store(seq)
	c.w.consumed.Store(seq)
}

// AttachSlot maps a slot segment and takes over fd. write is true for its worker only.
func AttachSlot(fd int, write bool) (*Segment, error) { return attach(fd, KindSlot, write) }

// Liveness returns the word that is 1 while the slot's worker lives. See sys.HoldLivenessWord.
func (s *Segment) Liveness() *atomic.Uint32 { return &at[commandWords](s, 0).liveness }

// Commands returns the command ring of a slot segment, for its worker.
func (s *Segment) Commands() CommandReader { return CommandReader{at[commandWords](s, 0)} }

// Room returns the number of commands that fit at least. The worker may free more at any time.
func (c CommandWriter) Room() uint64 {
	interleave.Yield()
	return CommandEntries - (c.w.tail.Load() - c.w.consumed.Load())
}

// Tail returns the Seq of the last command in the ring.
func (c CommandWriter) Tail() uint64 { return c.w.tail.Load() }

// Consumed returns the Seq of the last command that the worker has read.
func (c CommandWriter) Consumed() uint64 { return c.w.consumed.Load() }

// Put appends commands. The Seq of the first must be Tail()+1. The worker sees all of them at once.
// ErrFull means that it is too far behind.
func (c CommandWriter) Put(list ...Command) error {
	switch {
	case len(list) == 0:
		return nil
	case uint64(len(list)) > c.Room():
		return ErrFull
	}
	for _, m := range list {
		e := &c.w.ring[m.Seq%CommandEntries]
		interleave.Yield()
		e.frame.Store(m.Frame)
		e.plan.Store(m.Plan)
		e.target.Store(uint64(m.Op)<<32 | uint64(m.Node)<<16 | uint64(m.Param))
		interleave.Yield()
		e.value.Store(floatBits(m.Value))
		interleave.Yield()
		e.seq.Store(m.Seq)
	}
	interleave.Yield()
	c.w.tail.Store(list[len(list)-1].Seq)
	return nil
}

// Liveness returns the word that is 1 from the worker's attachment to its end.
func (c CommandWriter) Liveness() *atomic.Uint32 { return &c.w.liveness }

// Start lets the worker begin.
func (c CommandWriter) Start() {
	interleave.Yield()
	c.w.start.Store(1)
}

// RequestSnapshot asks the worker for a snapshot. number starts at 1 and rises by 1.
func (c CommandWriter) RequestSnapshot(number uint64) {
	interleave.Yield()
	c.w.requestedSnapshot.Store(number)
}

// Tail returns the Seq of the last command in the ring.
func (c CommandReader) Tail() uint64 {
	interleave.Yield()
	return c.w.tail.Load()
}

// Started reports whether the worker may begin.
func (c CommandReader) Started() bool {
	interleave.Yield()
	return c.w.start.Load() != 0
}

// RequestedSnapshot returns the number of the last requested snapshot.
func (c CommandReader) RequestedSnapshot() uint64 {
	interleave.Yield()
	return c.w.requestedSnapshot.Load()
}

// Get copies the command seq, if it has arrived. Call it once for each command, in order, then
// Consume.
func (c CommandReader) Get(seq uint64) (m Command, ok bool) {
	interleave.Yield()
	if c.w.tail.Load() < seq {
		return Command{}, false
	}
	e := &c.w.ring[seq%CommandEntries]
	interleave.Yield()
	what := e.target.Load()
	interleave.Yield()
	m = Command{
		Seq: seq, Plan: e.plan.Load(), Frame: e.frame.Load(), Value: floatFrom(e.value.Load()),
		Op: Op(what >> 32), Node: uint16(what >> 16), Param: uint16(what),
	}
	interleave.Yield()
	return m, e.seq.Load() == seq
}

// Liveness returns the word that tells the engine of this worker's end. See sys.HoldLivenessWord.
func (c CommandReader) Liveness() *atomic.Uint32 { return &c.w.liveness }

// EndLiveness clears the word before the kernel does: this worker renders no more.
func (c CommandReader) EndLiveness() {
	c.w.liveness.Store(0)
	sys.FutexWake(&c.w.liveness)
}

// Consume frees the entries up to seq for the producer.
func (c CommandReader) Consume(seq uint64) {
	interleave.Yield()
	c.w.consumed.Store(seq)
}
