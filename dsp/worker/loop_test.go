package worker

import (
	"errors"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream"
	"github.com/music-chronus/chronus/shm"
)

// bench is the shared memory of two workers, with their loops. The test acts for the engine and the
// callback.
type bench struct {
	t        *testing.T
	control  shm.Control
	playback shm.Playback
	journal  shm.Journal
	plans    shm.PlanStore
	plan     uint64 // plan of the next commands
	loops    [2]*loop
	cmds     [2]shm.CommandWriter
	rings    [2]shm.AudioReader
	snaps    [2]shm.SnapshotReader
	seq      uint64
}

func dup(t *testing.T, fd int) int {
	t.Helper()
	n, err := syscall.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func must[T any](t *testing.T) func(v T, err error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newBench(t *testing.T) *bench {
	t.Helper()
	g := shm.Geometry{Rate: 48000, Block: 64, Channels: 2, Slots: 2, Ring: 8, Guard: 2}
	b := &bench{t: t}
	b.control = must[shm.Control](t)(shm.NewControl(g, 4))
	b.playback = must[shm.Playback](t)(shm.AttachPlayback(dup(t, b.control.FD())))
	b.journal = must[shm.Journal](t)(shm.NewJournal(g))
	b.plans = must[shm.PlanStore](t)(shm.NewPlanStore(g))
	b.addPlan(string(patch.Default()))
	for i := range b.loops {
		b.join(i, 1, shm.State{Plan: 1})
	}
	t.Cleanup(func() { b.control.Close(); b.journal.Close(); b.plans.Close() })
	return b
}

// addPlan stores the text of another plan. Later commands belong to it.
func (b *bench) addPlan(text string) {
	b.t.Helper()
	b.plan++
	if err := b.plans.Put(b.plan, []byte(text)); err != nil {
		b.t.Fatal(err)
	}
}

// join puts a worker of generation gen into slot i, with state st.
func (b *bench) join(i int, gen uint64, st shm.State) {
	b.t.Helper()
	g := b.journal.Geometry()
	seg, cmds, err := shm.NewSlot(g, i, gen)
	if err != nil {
		b.t.Fatal(err)
	}
	snap, reader, err := shm.NewSnapshot(g, i, gen)
	if err != nil {
		b.t.Fatal(err)
	}
	cmds.Begin(st.Seq)
	view := must[shm.View](b.t)(shm.AttachView(dup(b.t, b.control.FD())))
	rec := must[shm.Recorder](b.t)(shm.AttachRecorder(dup(b.t, b.journal.FD()), i, gen))
	writer := must[shm.SnapshotWriter](b.t)(shm.AttachSnapshot(dup(b.t, snap.FD())))
	plans := must[shm.PlanReader](b.t)(shm.AttachPlans(dup(b.t, b.plans.FD())))
	b.loops[i] = newLoop(view, rec, seg, writer, plans)
	b.cmds[i], b.rings[i], b.snaps[i] = cmds, seg.AudioReader(), reader
	if err := b.loops[i].restore(st); err != nil {
		b.t.Fatal(err)
	}
}

// send broadcasts a command to the given slots and commits it.
func (b *bench) send(c shm.Command, slots ...int) {
	b.t.Helper()
	b.seq++
	c.Seq, c.Plan = b.seq, b.plan
	for _, i := range slots {
		if err := b.cmds[i].Put(c); err != nil {
			b.t.Fatal(err)
		}
	}
	b.control.Commit(c.Seq)
}

// gate opens or closes the gate of the default patch.
func gate(v float64) shm.Command { return shm.Command{Op: shm.OpGate, Node: 2, Value: v} }

// step renders a block of worker i that needs no wait.
func (b *bench) step(i int) {
	b.t.Helper()
	if err := b.loops[i].step(); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) hash(i int, n uint64) uint64 {
	b.t.Helper()
	h, ok := b.rings[i].Hash(n, b.journal.Head(i))
	if !ok {
		b.t.Fatalf("worker %d does not hold block %d", i, n)
	}
	return h
}

// Two workers that run freely publish equal blocks, while commands come and the active worker
// changes.
func TestLockstep(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8)) // waiting loops keep their processors
	b := newBench(t)
	const blocks = 2000
	var running sync.WaitGroup
	for _, l := range b.loops {
		running.Go(func() {
			for l.n < blocks {
				if err := l.step(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for n := uint64(0); n < blocks; n++ {
		if n%7 == 0 {
			b.send(gate(float64(n%2)), 0, 1)
		}
		for b.journal.Published(0) <= n || b.journal.Published(1) <= n {
			b.control.Wake()
			runtime.Gosched()
		}
		if b.hash(0, n) != b.hash(1, n) {
			t.Fatalf("block %d differs", n)
		}
		if n%13 == 0 {
			a := b.control.Active()
			b.control.Swap(a, a.WithActive(1-a.Slot()))
		}
		b.playback.Advance(0, false)
		b.playback.EndCall()
	}
	running.Wait()
}

// A standby renders only blocks that the active worker has published, under the same decisions.
func TestStandbyFollows(t *testing.T) {
	b := newBench(t)
	b.step(0)
	b.send(gate(1), 0, 1) // after block 0 was decided
	b.step(1)
	if b.loops[1].seq != 0 {
		t.Errorf("the standby took command %d into a block that was decided without it", b.loops[1].seq)
	}
	b.step(0)
	b.step(1)
	if b.loops[0].seq != 1 || b.loops[1].seq != 1 || b.hash(0, 1) != b.hash(1, 1) {
		t.Errorf("seq %d and %d", b.loops[0].seq, b.loops[1].seq)
	}
}

// A decision covers neither commands beyond committed, nor commands that the own ring lacks.
func TestTakesCommittedOnly(t *testing.T) {
	b := newBench(t)
	if err := b.cmds[0].Put(shm.Command{Seq: 1, Plan: 1, Op: shm.OpGate, Node: 2, Value: 1}); err != nil {
		t.Fatal(err)
	}
	b.step(0)
	if b.loops[0].seq != 0 {
		t.Error("a command that not all rings hold was taken")
	}
	b.control.Commit(5) // as if the engine had given up this worker
	b.step(0)
	if b.loops[0].seq != 1 {
		t.Errorf("took up to %d", b.loops[0].seq)
	}
}

// A block may take more commands than a ring holds, if the engine adds commands after all workers
// died.
func TestTakesMoreThanARing(t *testing.T) {
	b := newBench(t)
	const many = shm.CommandEntries + 10
	b.loops[1].rec.Propose(0, many)
	for seq := range uint64(shm.CommandEntries) {
		b.send(gate(float64(seq%2)), 0)
	}
	fed := make(chan error)
	go func() {
		err := shm.ErrFull
		for b.seq < many && (err == nil || errors.Is(err, shm.ErrFull)) {
			c := gate(1)
			c.Seq, c.Plan = b.seq+1, b.plan
			if err = b.cmds[0].Put(c); err == nil {
				b.seq++
			}
			runtime.Gosched()
		}
		fed <- err
	}()
	b.step(0)
	if err := <-fed; err != nil || b.loops[0].seq != many || b.cmds[0].Consumed() != many {
		t.Errorf("%d of %d taken, %v", b.loops[0].seq, many, err)
	}
}

// The next active worker leaves out the commands that first entered the block in which a worker
// panicked. It takes those before and after.
func TestPoison(t *testing.T) {
	b := newBench(t)
	for range 2 {
		b.step(0)
		b.step(1)
	}
	b.send(gate(1), 0, 1)
	d, ok := b.loops[0].decision(true) // worker 0 decides block 2, begins it, and panics
	if !ok || d.Seq() != 1 {
		t.Fatalf("%v", d)
	}
	b.loops[0].rec.BeginRender(2, 1)
	b.loops[0].rec.RecordCause(shm.CausePanic, 0)
	a := b.control.Active()
	b.control.Swap(a, a.Without(0, 1))
	b.step(1)
	d, _ = b.journal.Decision(2)
	if !d.Skip() || !d.Sealed() || b.loops[1].seq != 1 {
		t.Errorf("%v, seq %d", d, b.loops[1].seq)
	}
	for _, v := range b.rings[1].Block(2) {
		if v != 0 {
			t.Fatal("the poisonous command was carried out")
		}
	}
	b.send(gate(1), 1)
	b.step(1)
	if v := b.rings[1].Block(3); v[len(v)-1] == 0 {
		t.Error("the command after it was left out, too")
	}
}

// If there is no other worker, the next worker of the slot reads from the status that its
// predecessor panicked, and leaves the command out.
func TestPoisonAlone(t *testing.T) {
	b := newBench(t)
	b.step(0)
	b.cmds[0].RequestSnapshot(1)
	b.step(0)
	st, ok, err := b.snaps[0].Copy(1)
	if err != nil || !ok || st.Block != 1 {
		t.Fatalf("block %d, %t, %v", st.Block, ok, err)
	}
	b.send(gate(1), 0)
	if d, ok := b.loops[0].decision(true); !ok || d.Seq() != 1 {
		t.Fatalf("%v", d)
	}
	b.loops[0].rec.BeginRender(2, 1)
	b.loops[0].rec.RecordCause(shm.CausePanic, 0)
	b.join(0, 2, st)
	if err := b.cmds[0].Put(shm.Command{Seq: 1, Plan: 1, Op: shm.OpGate, Node: 2, Value: 1}); err != nil {
		t.Fatal(err)
	}
	b.step(0)
	b.step(0)
	if d, _ := b.journal.Decision(2); !d.Skip() || b.loops[0].seq != 1 {
		t.Errorf("%v, seq %d", d, b.loops[0].seq)
	}
}

// A worker that was killed from outside leaves no command out.
func TestKillIsNoPoison(t *testing.T) {
	b := newBench(t)
	b.send(gate(1), 0, 1)
	if d, ok := b.loops[0].decision(true); !ok || d.Seq() != 1 {
		t.Fatalf("%v", d)
	}
	b.loops[0].rec.BeginRender(0, 1)
	b.journal.SetCause(0, 1, shm.CauseSignal, 9)
	a := b.control.Active()
	b.control.Swap(a, a.Without(0, 1))
	b.step(1)
	if d, _ := b.journal.Decision(0); d.Skip() {
		t.Error("skipped")
	}
}

// A worker whose decision changed while it rendered does not publish.
func TestDoesNotPublishAnother(t *testing.T) {
	b := newBench(t)
	d, err := b.loops[0].await()
	if err != nil {
		t.Fatal(err)
	}
	b.loops[1].rec.SkipNew(0, d)
	if err := b.loops[0].collect(d); err != nil {
		t.Fatal(err)
	}
	b.loops[0].render(d)
	if b.loops[0].rec.Seal(0, d) || b.journal.Published(0) != 0 {
		t.Error("sealed what is not decided")
	}
}

// A worker that slept for a lap of the journal ends.
func TestLapped(t *testing.T) {
	b := newBench(t)
	if _, ok := b.loops[1].rec.Propose(shm.Laps, 0); !ok {
		t.Fatal("not proposed")
	}
	if err := b.loops[0].step(); !errors.Is(err, errLapped) {
		t.Errorf("%v", err)
	}
}

// A joiner that restores a snapshot renders the same as its donor.
func TestJoin(t *testing.T) {
	b := newBench(t)
	b.send(gate(1), 0, 1)
	for range 3 {
		b.step(0)
	}
	b.cmds[0].RequestSnapshot(1)
	b.step(0)
	st, ok, err := b.snaps[0].Copy(1)
	if err != nil || !ok || st.Block != 3 || st.Seq != 1 {
		t.Fatalf("block %d, seq %d, %t, %v", st.Block, st.Seq, ok, err)
	}
	b.join(1, 2, st)
	b.step(1)
	if b.hash(0, 3) != b.hash(1, 3) {
		t.Error("the joiner's first block differs")
	}
	if err := b.loops[1].restore(shm.State{Block: 9, Plan: 1, Bytes: st.Bytes}); err == nil {
		t.Error("a seed whose block is not its state's was taken")
	}
	if err := b.loops[1].restore(shm.State{Block: 3, Plan: 1, Bytes: st.Bytes[:50]}); err == nil {
		t.Error("half a state was taken")
	}
}

// The loop allocates nothing, also with commands and snapshots.
func TestNoAllocs(t *testing.T) {
	b := newBench(t)
	asked := uint64(0)
	if n := testing.AllocsPerRun(300, func() {
		asked++
		b.cmds[0].RequestSnapshot(asked)
		b.send(gate(float64(asked%2)), 0)
		if err := b.loops[0].step(); err != nil {
			t.Fatal(err)
		}
		b.playback.Advance(0, false)
	}); n != 0 {
		t.Errorf("%v allocations a block", n)
	}
}

// Every operation has its kind, with the same number: tapes and simulations rely on it.
func TestKinds(t *testing.T) {
	for op := shm.OpSet; op < shm.Ops; op++ {
		if op != shm.OpPlan && kindOf(op) != stream.Kind(op) {
			t.Errorf("operation %d is kind %d", op, kindOf(op))
		}
	}
	if kindOf(shm.OpNone) != 0 || kindOf(shm.OpPlan) != 0 || kindOf(shm.Ops) != 0 || kindOf(65535) != 0 {
		t.Error("what is no operation has a kind")
	}
}
