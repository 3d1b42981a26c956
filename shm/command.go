package shm

import (
	"sync/atomic"
	"unsafe"

	"github.com/music-chronus/chronus/shm/sys"
)

// Op is what a command does.
type Op uint16

// The operations: nothing, in the place of what was quarantined; set a parameter; open (> 0) or close a gate; leave a node
// out (> 0) or let it in again; begin (> 0) or end the note Param; set the pressure on it; change a pattern's number of steps, or of the step
// Param&63 of the pattern Param>>6 what it does, its note, gate or chance; move the tempo in Param tenths of a second; go on with the plan
// whose number is Value, from the first frame of the block that the command enters.
const (
	OpNone     Op = 0
	OpSet      Op = 1
	OpGate     Op = 2
	OpBypass   Op = 3
	OpNote     Op = 4
	OpPressure Op = 5
	OpSteps    Op = 6
	OpTrig     Op = 7
	OpStepNote Op = 8
	OpStepGate Op = 9
	OpChance   Op = 10
	OpRamp     Op = 11
	OpPlan     Op = 12

	Ops = 13 // how many there are
)

// Command is what enters a worker: one parameter, gate or note of one node. Seq is gap-free from
// 1 and the same in every worker's ring.
type Command struct {
	Seq   uint64
	Plan  uint64 // the number of the plan that Node and Param belong to: a stream of another ignores it
	Frame uint64 // absolute; 0: at once
	Op    Op
	Node  uint16
	Param uint16
	Value float64
}

// entry is the 64-byte form. Its words are atomic since the race to read one that is
// being overwritten must be detectable, not since it is expected.
type entry struct {
	seq, frame, target, value, plan atomic.Uint64
	_                               [24]byte
}

type commandWords struct {
	tail              atomic.Uint64 // Seq of the last command in it; engine
	start             atomic.Uint64 // the worker may begin; engine
	requestedSnapshot atomic.Uint64 // number of the last snapshot asked for; engine
	requestedPlan     atomic.Uint64 // number of the plan to make ready; engine
	requestedAfter    atomic.Uint64 // and of the one that it is to follow; engine
	planWake          atomic.Uint32 // that one is wanted; engine, and the worker itself
	_                 [20]byte
	consumed          atomic.Uint64 // Seq of the last command read; worker
	reportedPlan      atomic.Uint64 // number of the plan that is ready, or was refused; worker
	liveness          atomic.Uint32 // 1 while the worker lives; worker, and the kernel at its end
	_                 [44]byte
	planError         planError // why the plan was refused; worker
	ring              [CommandEntries]entry
}

// planError is a text, of no bytes for a plan that is ready.
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

// slotSize is the body of a slot segment: the command ring, then the audio ring.
func slotSize(g Geometry) int { return int(unsafe.Sizeof(commandWords{})) + audioSize(g) }

// CommandWriter is the engine's side of a command ring: single producer.
type CommandWriter struct{ w *commandWords }

// CommandReader is the worker's side: single consumer.
type CommandReader struct{ w *commandWords }

// NewSlot makes the slot segment of one worker process.
func NewSlot(g Geometry, slot int, gen uint64) (*Segment, CommandWriter, error) {
	s, err := create(KindSlot, g, slot, gen, slotSize(g))
	if err != nil {
		return nil, CommandWriter{}, err
	}
	return s, CommandWriter{at[commandWords](s, 0)}, nil
}

// Begin says that the ring's first command will be the one after seq. Before Start, once.
func (c CommandWriter) Begin(seq uint64) {
	c.w.tail.Store(seq)
	c.w.consumed.Store(seq)
}

// AttachSlot maps a slot segment, for its worker (write) or for the callback, and takes over fd.
func AttachSlot(fd int, write bool) (*Segment, error) { return attach(fd, KindSlot, write) }

// Liveness is the word that tells of the end of the slot's worker: 1 while it lives. See sys.HoldLife.
func (s *Segment) Liveness() *atomic.Uint32 { return &at[commandWords](s, 0).liveness }

// Commands is the worker's side of the command ring of a slot segment.
func (s *Segment) Commands() CommandReader { return CommandReader{at[commandWords](s, 0)} }

// Room is how many commands the ring can take; more may fit at any time, fewer not.
func (c CommandWriter) Room() uint64 {
	yield()
	return CommandEntries - (c.w.tail.Load() - c.w.consumed.Load())
}

// Tail is the Seq of the last command in the ring.
func (c CommandWriter) Tail() uint64 { return c.w.tail.Load() }

// Consumed is the Seq of the last command that the worker has read.
func (c CommandWriter) Consumed() uint64 { return c.w.consumed.Load() }

// Put appends commands, whose first Seq must be Tail()+1: for the worker all at once. ErrFull if it is too far behind.
func (c CommandWriter) Put(list ...Command) error {
	switch {
	case len(list) == 0:
		return nil
	case uint64(len(list)) > c.Room():
		return ErrFull
	}
	for _, m := range list {
		e := &c.w.ring[m.Seq%CommandEntries]
		yield()
		e.frame.Store(m.Frame)
		e.plan.Store(m.Plan)
		e.target.Store(uint64(m.Op)<<32 | uint64(m.Node)<<16 | uint64(m.Param))
		yield()
		e.value.Store(floatBits(m.Value))
		yield()
		e.seq.Store(m.Seq)
	}
	yield()
	c.w.tail.Store(list[len(list)-1].Seq)
	return nil
}

// Liveness is 1 from when the worker has attached until it ends, whatever ends it.
func (c CommandWriter) Liveness() *atomic.Uint32 { return &c.w.liveness }

// Start lets the worker begin.
func (c CommandWriter) Start() {
	yield()
	c.w.start.Store(1)
}

// RequestSnapshot asks the worker for its number-th snapshot, from 1, each one more than the last.
func (c CommandWriter) RequestSnapshot(number uint64) {
	yield()
	c.w.requestedSnapshot.Store(number)
}

// Tail is the Seq of the last command in the ring.
func (c CommandReader) Tail() uint64 {
	yield()
	return c.w.tail.Load()
}

// Started tells whether the worker may begin.
func (c CommandReader) Started() bool {
	yield()
	return c.w.start.Load() != 0
}

// RequestedSnapshot is the number of the last snapshot asked for.
func (c CommandReader) RequestedSnapshot() uint64 {
	yield()
	return c.w.requestedSnapshot.Load()
}

// Get copies the command seq, if it has arrived. Ask for them in order, each once, and call Took after.
func (c CommandReader) Get(seq uint64) (m Command, ok bool) {
	yield()
	if c.w.tail.Load() < seq {
		return Command{}, false
	}
	e := &c.w.ring[seq%CommandEntries]
	yield()
	what := e.target.Load()
	yield()
	m = Command{
		Seq: seq, Plan: e.plan.Load(), Frame: e.frame.Load(), Value: floatFrom(e.value.Load()),
		Op: Op(what >> 32), Node: uint16(what >> 16), Param: uint16(what),
	}
	yield()
	return m, e.seq.Load() == seq
}

// Liveness is the word that tells the engine of this worker's end: see sys.HoldLife.
func (c CommandReader) Liveness() *atomic.Uint32 { return &c.w.liveness }

// EndLiveness says that this worker renders no more, before the kernel can.
func (c CommandReader) EndLiveness() {
	c.w.liveness.Store(0)
	sys.FutexWake(&c.w.liveness)
}

// Consume frees the entries up to seq for the producer.
func (c CommandReader) Consume(seq uint64) {
	yield()
	c.w.consumed.Store(seq)
}
