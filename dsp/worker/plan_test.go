package worker

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm"
)

// other is the default patch without its filter, and with an echo.
const other = `
version: 1
nodes:
  - {id: sine1, type: sine}
  - {id: adsr1, type: adsr}
  - {id: echo, type: delay, params: {time: 0.01}}
cables: [sine1 > adsr1 > echo > out]
`

// change sends the command to switch to a plan.
func (b *bench) change(plan uint64, slots ...int) {
	b.t.Helper()
	b.send(shm.Command{Op: shm.OpPlan, Value: float64(plan)}, slots...)
}

// Workers switch to another plan at the same block, and nodes with equal ids keep their state. So
// does a worker that joins before the switch and takes the command later. A worker that joins after
// it begins with the new plan.
func TestChangeOfPlan(t *testing.T) {
	b := newBench(t)
	b.send(gate(1), 0, 1)
	advance := func(count int) {
		for range count {
			b.step(0)
			b.step(1)
			b.playback.Advance(0, false)
		}
	}
	advance(20)
	b.cmds[0].RequestSnapshot(1)
	b.step(0)
	b.step(1)
	before, ok, err := b.snaps[0].Copy(1)
	if err != nil || !ok || before.Plan != 1 {
		t.Fatalf("plan %d, %t, %v", before.Plan, ok, err)
	}
	n := b.loops[0].n
	b.addPlan(other)
	b.plans.SetCurrent(2)
	b.change(2, 0, 1)
	b.send(shm.Command{Op: shm.OpSet, Node: 3, Param: 1, Value: 0.5}, 0, 1)
	b.step(0)
	b.cmds[0].RequestSnapshot(2)
	b.step(0)
	if _, ok, _ := b.snaps[0].Copy(2); ok {
		t.Error("a worker that moves gave its state")
	}
	for b.loops[1].n < b.loops[0].n {
		b.step(1)
	}
	advance(10)
	for k := n; k < b.loops[0].n; k++ {
		if k+8 > b.loops[0].n && b.hash(0, k) != b.hash(1, k) {
			t.Fatalf("block %d differs", k)
		}
	}
	after, ok, err := b.snaps[0].Copy(2)
	if err != nil || !ok || after.Plan != 2 {
		t.Fatalf("plan %d, %t, %v", after.Plan, ok, err)
	}
	for i, st := range []shm.State{before, after} {
		b.join(1, uint64(i)+2, st)
		for _, c := range []shm.Command{
			{Seq: 1, Plan: 1, Op: shm.OpGate, Node: 2, Value: 1}, {Seq: 2, Plan: 1, Op: shm.OpPlan, Value: 2}, {Seq: 3, Plan: 2, Op: shm.OpSet, Node: 3, Param: 1, Value: 0.5},
		} {
			if c.Seq > st.Seq {
				if err := b.cmds[1].Put(c); err != nil {
					t.Fatal(err)
				}
			}
		}
		for b.loops[1].n < b.loops[0].n {
			b.step(1)
		}
		if last := b.loops[0].n - 1; b.hash(0, last) != b.hash(1, last) {
			t.Errorf("joiner %d differs", i)
		}
	}
}

// A command that belongs to another plan is ignored.
func TestCommandOfAnotherPlan(t *testing.T) {
	b := newBench(t)
	b.plan = 9
	b.send(gate(1), 0, 1)
	b.step(0)
	if l := b.loops[0]; l.seq != 1 || l.str.Seq() != 1 || l.str.Ignored() != 1 {
		t.Errorf("seq %d, stream %d, %d ignored", l.seq, l.str.Seq(), l.str.Ignored())
	}
	for _, v := range b.rings[0].Block(0) {
		if v != 0 {
			t.Fatal("it was carried out")
		}
	}
}

// If a change of plan is left out as poison, the plan stays, and commands for the new plan are
// ignored.
func TestSkippedChange(t *testing.T) {
	b := newBench(t)
	b.addPlan(other)
	b.change(2, 0, 1)
	d, ok := b.loops[0].decision(true)
	if !ok {
		t.Fatal("no decision")
	}
	b.loops[0].rec.BeginRender(0, d.Seq())
	b.loops[0].rec.RecordCause(shm.CausePanic, 0)
	a := b.control.Active()
	b.control.Swap(a, a.Without(0, 1))
	b.send(gate(1), 1)
	b.step(1)
	b.step(1)
	if l := b.loops[1]; l.plan != 1 || l.seq != 2 || l.str.Ignored() != 1 {
		t.Errorf("plan %d, seq %d, %d ignored", l.plan, l.seq, l.str.Ignored())
	}
}

// The plan builder prepares what the engine requests, beside the loop, and reports why a plan is
// rejected.
func TestPlanBuilder(t *testing.T) {
	b := newBench(t)
	m := b.loops[0].builder
	m.started = true
	go m.run() // until the test's process ends, as in a worker
	await := func(plan uint64) error {
		for range 2000 {
			if made, err := b.cmds[0].PlanReady(plan); made || err != nil {
				return err
			}
			time.Sleep(time.Millisecond)
		}
		t.Fatalf("plan %d is not made", plan)
		return nil
	}
	b.addPlan("version: 1\nnodes: [{id: a, type: no}]\ncables: [a > out]\n")
	b.cmds[0].RequestPlan(2, 1)
	if err := await(2); err == nil || !strings.Contains(err.Error(), "no module of type") {
		t.Errorf("%v", err)
	}
	b.addPlan(other)
	b.cmds[0].RequestPlan(3, 1)
	if err := await(3); err != nil {
		t.Fatal(err)
	}
	b.plan = 1
	b.change(3, 0, 1)
	b.step(0)
	b.step(1)
	if b.loops[0].plan != 3 || b.loops[1].plan != 3 || b.hash(0, 0) != b.hash(1, 0) {
		t.Errorf("plans %d and %d", b.loops[0].plan, b.loops[1].plan)
	}
	if b.addPlan(string(patch.Default())); b.plan != 2 {
		t.Fatal(b.plan)
	}
	b.cmds[0].RequestPlan(2, 3)
	if err := await(2); err != nil {
		t.Error(err)
	}
}

func TestOldStreamGoes(t *testing.T) {
	b := newBench(t)
	advance := func(count int) {
		for range count {
			b.step(0)
			b.step(1)
			b.playback.Advance(0, false)
		}
	}
	advance(5)
	gone := make(chan struct{})
	func() {
		runtime.SetFinalizer(b.loops[0].str, func(any) { close(gone) })
	}()
	b.addPlan(other)
	b.change(2, 0, 1)
	advance(40)
	if b.loops[0].str.InTransition() {
		t.Fatal("still moving")
	}
	for range 20 {
		runtime.GC()
		select {
		case <-gone:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Error("the old stream is kept")
}

func TestSwitchPlanNoAllocs(t *testing.T) {
	b := newBench(t)
	l := b.loops[0]
	b.step(0)
	b.addPlan(other)
	l.builder.prepare(2)
	i := 0
	n := testing.AllocsPerRun(1, func() {
		i++
		if i == 1 {
			return // first run of AllocsPerRun
		}
		if err := l.switchPlan(shm.Command{Seq: l.seq + 1, Op: shm.OpPlan, Value: 2}, 0); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%g allocations", n)
	}
}

// A plan whose predecessor does not play yet waits until it does: prepared earlier, it would follow
// another plan.
func TestPlanBuilderWaitsForItsPlan(t *testing.T) {
	b := newBench(t)
	m := b.loops[0].builder
	b.addPlan(other)
	b.addPlan(other)
	b.cmds[0].RequestPlan(3, 2)
	if m.serve(); m.cmds.LastPlan() != 0 {
		t.Errorf("plan %d is made", m.cmds.LastPlan())
	}
	b.plan = 1
	b.change(2, 0, 1)
	b.step(0)
	if m.serve(); m.cmds.LastPlan() != 3 {
		t.Errorf("plan %d is made", m.cmds.LastPlan())
	}
	if made, err := b.cmds[0].PlanReady(3); !made || err != nil {
		t.Errorf("%t, %v", made, err)
	}
}
