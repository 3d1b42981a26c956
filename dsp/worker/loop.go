package worker

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/music-chronus/chronus/dsp/stream"
	"github.com/music-chronus/chronus/shm"
)

var (
	errLapped   = errors.New("asleep for longer than the journal reaches back")
	errDiverged = errors.New("the decision changed while the block was rendered")
)

// wakeTimeout bounds one wait for the wake word, in case its writers have died.
const wakeTimeout = 50 * time.Millisecond

// loop renders block after block, by the steps in docs/failover-protocol.md.
type loop struct {
	view    shm.View
	rec     shm.Recorder
	cmds    shm.CommandReader
	audio   shm.AudioWriter
	snap    shm.SnapshotWriter
	str     *stream.Stream
	plan    uint64 // number of the stream's plan
	builder *planBuilder
	slot    int
	slots   int

	n            uint64 // next block to render
	seq          uint64 // last command taken
	lastSnapshot uint64 // number of the last snapshot that was answered
	crashedBlock uint64 // block in which the slot's last worker panicked, plus 1; 0: none

	schedule func(role) // sets the priority of this thread; nil: it stays
	role     role       // role that schedule was last called with
}

func newLoop(view shm.View, rec shm.Recorder, slot *shm.Segment, snap shm.SnapshotWriter, plans shm.PlanReader) *loop {
	number, _ := slot.Slot()
	return &loop{
		view: view, rec: rec, cmds: slot.Commands(), audio: slot.AudioWriter(), snap: snap,
		builder: &planBuilder{cmds: slot.Commands(), plans: plans, geo: slot.Geometry()},
		slot:    number, slots: int(slot.Geometry().Slots),
	}
}

// open makes the initial stream of a plan.
func (l *loop) open(plan uint64) error {
	str, err := l.builder.open(plan)
	if err != nil {
		return err
	}
	l.setStream(&preparedPlan{plan: plan, str: str})
	return nil
}

// setStream makes the loop render another stream.
func (l *loop) setStream(r *preparedPlan) {
	r.str.SetProbe(l.rec.NodeWord())
	l.str, l.plan = r.str, r.plan
	l.builder.setPresent(r)
}

// restore makes st the state to render from. A state without bytes has rendered nothing.
func (l *loop) restore(st shm.State) error {
	if l.str == nil || l.plan != st.Plan {
		if err := l.open(st.Plan); err != nil {
			return fmt.Errorf("slot %d: %w", l.slot, err)
		}
	}
	if len(st.Bytes) > 0 {
		if err := l.str.Restore(st.Bytes); err != nil {
			return fmt.Errorf("slot %d: initial state of block %d: %w", l.slot, st.Block, err)
		}
	}
	if len(st.Bytes) == 0 {
		l.str.Start(st.Block, st.Seq)
	}
	if got := l.str.Block(); got != st.Block {
		return fmt.Errorf("slot %d: initial state says block %d, but restores block %d: %w",
			l.slot, st.Block, got, shm.ErrCorrupt)
	}
	if last := l.rec.Status(l.slot); last.Cause.OwnFault() && last.Rendering {
		l.crashedBlock = last.Block + 1 // Begin overwrites the status, and this block may still be unpublished
	}
	l.n, l.seq = st.Block, st.Seq
	l.rec.Begin(l.n)
	return nil
}

// run renders until this worker must end.
func (l *loop) run() error {
	for {
		if err := l.step(); err != nil {
			return err
		}
	}
}

// step renders and publishes one block.
func (l *loop) step() error {
	d, err := l.await()
	if err != nil {
		return err
	}
	if err := l.collect(d); err != nil {
		return err
	}
	l.render(d)
	if !l.rec.Seal(l.n, d) {
		l.rec.RecordCause(shm.CauseDiverged, 0)
		return fmt.Errorf("block %d: %w", l.n, errDiverged)
	}
	l.rec.Publish(l.n + 1)
	l.n++
	return nil
}

// await is steps 1 to 3: it waits until block n may be rendered, and returns its decision.
func (l *loop) await() (shm.Decision, error) {
	for {
		wakeSeq := l.view.WakeSeq() // before the conditions, or a wake-up could be missed
		l.answerSnapshot()
		a := l.view.Active()
		l.updateRole(a)
		if l.n < l.view.Clock()+l.view.Lead() {
			active := a.Slot()
			isActive := active == l.slot
			if isActive || l.rec.Published(active) > l.n {
				if d, ok := l.decision(isActive); ok {
					return d, nil
				}
				if l.rec.Lapped(l.n) {
					l.rec.RecordCause(shm.CauseLapped, 0)
					return 0, fmt.Errorf("block %d: %w", l.n, errLapped)
				}
			}
		}
		l.view.Wait(wakeSeq, wakeTimeout)
	}
}

// updateRole gives the render thread the priority of its worker's role.
func (l *loop) updateRole(a shm.Active) {
	now := joining
	switch {
	case a.Slot() == l.slot:
		now = active
	case a.Ready(l.slot):
		now = standby
	}
	if now != l.role && l.schedule != nil {
		l.role = now
		l.schedule(now)
	}
}

// decision returns the decision for block n. It reads the word after the wait, never before. If
// there is none, the active worker proposes one. ok is false if there is still none.
func (l *loop) decision(isActive bool) (d shm.Decision, ok bool) {
	if d, ok = l.rec.Decision(l.n); !ok && isActive {
		// Not beyond committed: another ring may lack the command. Not beyond the own tail:
		// the engine no longer feeds a worker that it has given up.
		d, ok = l.rec.Propose(l.n, max(l.seq, min(l.view.Committed(), l.cmds.Tail())))
	}
	if ok && isActive && !d.Sealed() && !d.Skip() && l.poisoned() {
		d = l.rec.SkipNew(l.n, d)
	}
	return d, ok
}

// poisoned reports whether a worker crashed in block n by its own fault. Another worker may have
// published the block since. Then the decision is sealed, and SkipNew returns it unchanged.
func (l *loop) poisoned() bool {
	if l.crashedBlock == l.n+1 {
		return true
	}
	for s := range l.slots {
		st := l.rec.Status(s)
		if s != l.slot && st.Cause.OwnFault() && st.Rendering && st.Block == l.n {
			return true
		}
	}
	return false
}

// collect is step 4: it takes the commands through the decision in order, and waits for those that
// have not arrived. It drops the ones that SKIP leaves out.
func (l *loop) collect(d shm.Decision) error {
	for l.seq < d.Seq() {
		wakeSeq := l.view.WakeSeq()
		m, ok := l.cmds.Get(l.seq + 1)
		if !ok {
			l.cmds.Consume(l.seq) // free the ring: the decision may cover more commands than it holds
			l.view.Wait(wakeSeq, time.Millisecond)
			continue
		}
		l.seq++
		switch {
		case d.Skip():
		case m.Op == shm.OpPlan:
			if err := l.switchPlan(m, d); err != nil {
				return err
			}
		case m.Plan != l.plan && m.Op != shm.OpNone:
			l.str.Drop(m.Seq)
		default:
			l.str.Push(stream.Command{
				Seq: m.Seq, Frame: m.Frame, Kind: kindOf(m.Op), Node: m.Node, Param: m.Param, Value: m.Value,
			})
		}
	}
	l.cmds.Consume(l.seq)
	return nil
}

// switchPlan switches to another plan as soon as it is prepared. The engine sends the command after
// all attached workers have prepared the plan, so only a joiner may have to wait.
func (l *loop) switchPlan(m shm.Command, d shm.Decision) error {
	plan := uint64(m.Value)
	for {
		wakeSeq := l.view.WakeSeq()
		next, err := l.builder.prepared(plan)
		if err != nil {
			return fmt.Errorf("slot %d: %w", l.slot, err)
		}
		if next != nil {
			l.rec.BeginRender(l.n, d.Seq()) // a panic in Switch belongs to this block
			l.guarded(func() { l.str.Switch(next.str, m.Seq) })
			l.setStream(next.next)
			l.builder.release(next)
			l.rec.EndRender(l.sound()) // waiting for more commands is not rendering
			return nil
		}
		l.view.Wait(wakeSeq, time.Millisecond)
	}
}

// kinds translates shm's operations to the stream's.
var kinds = [shm.Ops]stream.Kind{
	shm.OpSet: stream.Set, shm.OpGate: stream.Gate, shm.OpBypass: stream.Bypass,
	shm.OpNote: stream.Note, shm.OpPressure: stream.Pressure,
	shm.OpSteps: stream.Steps, shm.OpTrig: stream.Trig, shm.OpStepNote: stream.StepNote,
	shm.OpStepGate: stream.StepGate, shm.OpChance: stream.StepChance,
	shm.OpRamp: stream.Ramp,
	// OpPlan changes no node: the loop handles it.
}

// kindOf returns the kind of an operation. An unknown one has kind 0, which a stream ignores.
func kindOf(o shm.Op) stream.Kind {
	if int(o) >= len(kinds) {
		return 0
	}
	return kinds[o]
}

// render is step 5 up to the seal. A panic in a module is recorded and ends the process.
func (l *loop) render(d shm.Decision) {
	l.rec.BeginRender(l.n, d.Seq())
	buf := l.audio.Begin(l.n)
	l.guarded(func() { l.str.Render(buf) })
	l.rec.EndRender(l.sound())
	l.audio.Commit(l.n, shm.Hash(buf))
}

func (l *loop) sound() (s shm.Sound) {
	s.Faults, s.FaultNode = l.str.Faults()
	s.Limited, s.Offset = l.str.Limited()
	return s
}

func (l *loop) guarded(run func()) {
	defer l.recoverPanic()
	run()
}

// recoverPanic runs on the render thread after a panic or fault of a module. It ends the process:
// its memory may be damaged, and a standby is ready.
func (l *loop) recoverPanic() {
	if r := recover(); r != nil {
		l.rec.RecordCause(shm.CausePanic, 0)
		if l.schedule != nil {
			l.cmds.EndLiveness() // flip now, before the process has ended
			l.schedule(joining)
		}
		die(fmt.Sprintf("worker %d: panic in block %d, command %d, node %d: %v\n%s",
			l.slot, l.n, l.seq, l.rec.Status(l.slot).Node, r, debug.Stack()))
	}
}

// die ends the process. A simulation replaces it.
var die = func(why string) {
	fmt.Fprint(os.Stderr, why)
	os.Exit(ExitPanic)
}

// The exit codes of a worker that a module ended: by a panic, or by a block without end.
const (
	ExitPanic   = 70
	ExitEndless = 71
)

// answerSnapshot stores the snapshot that the engine requested, at this block boundary.
func (l *loop) answerSnapshot() {
	number := l.cmds.RequestedSnapshot()
	if number == l.lastSnapshot || l.str.InTransition() { // try again at the next block
		return
	}
	l.lastSnapshot = number
	b, err := l.str.Save(l.snap.Buffer(number))
	if err != nil || len(b) > shm.StateMax {
		return // the engine asks another worker, and keeps the last checkpoint
	}
	l.snap.Complete(number, shm.State{Block: l.n, Seq: l.seq, Plan: l.plan, Bytes: b})
}
