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
	errDiverged = errors.New("the decision changed under the block that was rendered")
)

// wakeTimeout bounds one wait on the wake word: a word that nobody bumps any more is looked at all the same.
const wakeTimeout = 50 * time.Millisecond

// loop renders block after block. Its steps are those of docs/failover-protocol.md.
type loop struct {
	view    shm.View
	rec     shm.Recorder
	cmds    shm.CommandReader
	audio   shm.AudioWriter
	snap    shm.SnapshotWriter
	str     *stream.Stream
	plan    uint64 // the number of the stream's plan
	builder *planBuilder
	slot    int
	slots   int

	n            uint64 // the next block to render
	seq          uint64 // the last command taken
	lastSnapshot uint64 // number of the last snapshot given
	crashedBlock uint64 // the block in which this slot's worker before panicked, plus 1; 0: it did not

	schedule func(role) // sets the priority of this thread; nil: nothing does
	role     role       // as schedule knows it
}

func newLoop(view shm.View, rec shm.Recorder, slot *shm.Segment, snap shm.SnapshotWriter, plans shm.PlanReader) *loop {
	number, _ := slot.Slot()
	return &loop{
		view: view, rec: rec, cmds: slot.Commands(), audio: slot.AudioWriter(), snap: snap,
		builder: &planBuilder{cmds: slot.Commands(), plans: plans, geo: slot.Geometry()}, slot: number, slots: int(slot.Geometry().Slots),
	}
}

// open makes the stream of a plan, which has rendered nothing.
func (l *loop) open(plan uint64) error {
	str, err := l.builder.open(plan)
	if err != nil {
		return err
	}
	l.setStream(&preparedPlan{plan: plan, str: str})
	return nil
}

// setStream has the loop render another stream.
func (l *loop) setStream(r *preparedPlan) {
	r.str.SetProbe(l.rec.NodeWord())
	l.str, l.plan = r.str, r.plan
	l.builder.setPresent(r)
}

// restore makes st the state to render from. Bytes absent: nothing has been rendered.
func (l *loop) restore(st shm.State) error {
	if l.str == nil || l.plan != st.Plan {
		if err := l.open(st.Plan); err != nil {
			return fmt.Errorf("slot %d: %w", l.slot, err)
		}
	}
	if len(st.Bytes) > 0 {
		if err := l.str.Restore(st.Bytes); err != nil {
			return fmt.Errorf("slot %d: seed of block %d: %w", l.slot, st.Block, err)
		}
	}
	if len(st.Bytes) == 0 {
		l.str.Start(st.Block, st.Seq)
	}
	if got := l.str.Block(); got != st.Block {
		return fmt.Errorf("slot %d: seed says block %d, its state is at %d: %w", l.slot, st.Block, got, shm.ErrCorrupt)
	}
	if was := l.rec.Status(l.slot); was.Cause.OwnFault() && was.Rendering {
		l.crashedBlock = was.Block + 1 // Begin wipes it out, and nobody else may have come to that block yet
	}
	l.n, l.seq = st.Block, st.Seq
	l.rec.Begin(l.n)
	return nil
}

// run renders until something is wrong with this worker.
func (l *loop) run() error {
	for {
		if err := l.step(); err != nil {
			return err
		}
	}
}

// step renders one block, however long it has to wait for it.
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

// await is steps 1 to 3: it waits until block n may be rendered and returns its decision.
func (l *loop) await() (shm.Decision, error) {
	for {
		bell := l.view.WakeSeq() // before the conditions, or a wake-up is lost
		l.answerSnapshot()
		a := l.view.Active()
		l.updateRole(a)
		if l.n < l.view.Clock()+l.view.Lead() {
			active := a.Slot()
			mine := active == l.slot
			if mine || l.rec.Published(active) > l.n {
				if d, ok := l.decision(mine); ok {
					return d, nil
				}
				if l.rec.Lapped(l.n) {
					l.rec.RecordCause(shm.CauseLapped, 0)
					return 0, fmt.Errorf("block %d: %w", l.n, errLapped)
				}
			}
		}
		l.view.Wait(bell, wakeTimeout)
	}
}

// updateRole gives the render thread the priority that its worker's place in the active word asks for.
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

// decision reads the decision for block n, only now, never one read before the wait. The
// active worker makes it if there is none. ok is false if there is none to be had yet.
func (l *loop) decision(mine bool) (d shm.Decision, ok bool) {
	if d, ok = l.rec.Decision(l.n); !ok && mine {
		// Nothing beyond committed: another ring may lack it. Nothing beyond the own tail: a worker
		// that the engine has given up is no longer fed.
		d, ok = l.rec.Propose(l.n, max(l.seq, min(l.view.Committed(), l.cmds.Tail())))
	}
	if ok && mine && !d.Sealed() && !d.Skip() && l.poisoned() {
		d = l.rec.SkipNew(l.n, d)
	}
	return d, ok
}

// poisoned tells whether a worker died of its own doing in block n. Whether somebody has published it meanwhile is not
// asked here: then the decision is sealed, SkipNew fails, and returns what it has become.
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

// collect is step 4: it takes the commands through the decision, waiting for those that have
// not arrived. The ones that SKIP leaves out are taken and dropped.
func (l *loop) collect(d shm.Decision) error {
	for l.seq < d.Seq() {
		bell := l.view.WakeSeq()
		m, ok := l.cmds.Get(l.seq + 1)
		if !ok {
			l.cmds.Consume(l.seq) // or a decision for more commands than the ring holds would wait for ever
			l.view.Wait(bell, time.Millisecond)
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

// switchPlan goes on with another plan, as soon as it is ready. Where the engine saw to that before, as it does, this waits for nothing; a joiner that comes
// to the command later may have to.
func (l *loop) switchPlan(m shm.Command, d shm.Decision) error {
	plan := uint64(m.Value)
	for {
		bell := l.view.WakeSeq()
		next, err := l.builder.prepared(plan)
		if err != nil {
			return fmt.Errorf("slot %d: %w", l.slot, err)
		}
		if next != nil {
			l.rec.BeginRender(l.n, d.Seq()) // a panic of what is set is that of this block
			l.guarded(func() { l.str.Switch(next.str, m.Seq) })
			l.setStream(next.next)
			l.builder.release(next)
			l.rec.EndRender(l.sound()) // commands that are still to come may take their time
			return nil
		}
		l.view.Wait(bell, time.Millisecond)
	}
}

// kinds translates shm's operations.
var kinds = [shm.Ops]stream.Kind{
	shm.OpSet: stream.Set, shm.OpGate: stream.Gate, shm.OpBypass: stream.Bypass, shm.OpNote: stream.Note, shm.OpPressure: stream.Pressure,
	shm.OpSteps: stream.Steps, shm.OpTrig: stream.Trig, shm.OpStepNote: stream.StepNote, shm.OpStepGate: stream.StepGate, shm.OpChance: stream.StepChance,
	shm.OpRamp: stream.Ramp,
	// OpPlan is the loop's own: it is no change of a node.
}

// kindOf is an operation's kind; of one that there is none it is 0, which a stream ignores.
func kindOf(o shm.Op) stream.Kind {
	if int(o) >= len(kinds) {
		return 0
	}
	return kinds[o]
}

// render is step 5 up to the seal. A panic in a module is put on record and ends the process.
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

// recoverPanic runs on the render thread when a module has panicked or faulted. The process ends
// at once: what it would do next is not to be trusted, and a standby is ready.
func (l *loop) recoverPanic() {
	if r := recover(); r != nil {
		l.rec.RecordCause(shm.CausePanic, 0)
		if l.schedule != nil {
			l.cmds.EndLiveness() // the sound flips now, and not when the process has ended
			l.schedule(joining)
		}
		die(fmt.Sprintf("worker %d: panic in block %d, command %d, node %d: %v\n%s",
			l.slot, l.n, l.seq, l.rec.Status(l.slot).Node, r, debug.Stack()))
	}
}

// die ends the process. A simulation, whose workers are no processes, puts another in its place.
var die = func(why string) {
	fmt.Fprint(os.Stderr, why)
	os.Exit(ExitPanic)
}

// The exit codes of a worker that a module brought down, by a panic and by an endless loop.
const (
	ExitPanic   = 70
	ExitEndless = 71
)

// answerSnapshot gives the snapshot that the engine asked for, at this block boundary.
func (l *loop) answerSnapshot() {
	asked := l.cmds.RequestedSnapshot()
	if asked == l.lastSnapshot || l.str.InTransition() { // a few blocks later then
		return
	}
	l.lastSnapshot = asked
	b, err := l.str.Save(l.snap.Buffer(asked))
	if err != nil || len(b) > shm.StateMax {
		return // the engine asks another, and goes on with the snapshot it kept
	}
	l.snap.Complete(asked, shm.State{Block: l.n, Seq: l.seq, Plan: l.plan, Bytes: b})
}
