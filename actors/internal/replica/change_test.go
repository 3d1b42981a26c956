package replica

import (
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/internal/fault"
	"github.com/music-chronus/chronus/actors/internal/launch"
	"github.com/music-chronus/chronus/actors/internal/plans"
	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/shm"
)

// Two patches with the same node at different places.
const (
	firstPatch  = "version: 1\nname: first\nnodes:\n  - {id: a, type: sine}\ncables: [a > out]\n"
	secondPatch = "version: 1\nname: second\nnodes:\n  - {id: b, type: saw}\n  - {id: a, type: sine}\ncables: [a > out, b > out]\n"
)

// withPlans is a Set whose workers have published 12 blocks of firstPatch.
func withPlans(t *testing.T, workers int) *Set {
	t.Helper()
	r := diverging(t, workers, 12, 0)
	if err := r.begin("first", []byte(firstPatch)); err != nil {
		t.Fatal(err)
	}
	r.checkpoint.last.Block = 12
	return r
}

// wanted proposes secondPatch.
func wanted(t *testing.T, r *Set) *plans.Version {
	t.Helper()
	p, err := r.Propose("second", []byte(secondPatch))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// try calls TryCommit after the given slots have made p ready.
func try(t *testing.T, r *Set, p *plans.Version, asked *plans.Preparation, made ...int) bool {
	t.Helper()
	for _, s := range made {
		r.slots[s].Ring.Commands().ReportPlan(p.Number, nil)
	}
	_, all, err := r.TryCommit(p, asked, time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A standby makes a plan ready first. If it crashes, the last living worker is not asked before
// another one has made the plan.
func TestLastWorkerDoesNotTry(t *testing.T) {
	r := withPlans(t, 2)
	p, asked := wanted(t, r), plans.Preparation{}
	wants := func(slot int) bool { n, _ := r.slots[slot].Ring.Commands().RequestedPlan(); return n == p.Number }
	if try(t, r, p, &asked) || !wants(1) || wants(0) {
		t.Fatal("the standby is not asked first")
	}
	r.slots[1].Phase = slots.Empty
	launch.CloseSegment(&r.slots[1].Ring) // and its words
	if try(t, r, p, &asked) || asked.Deaths != 1 || wants(0) {
		t.Fatalf("%d deaths, the last worker is asked: %t", asked.Deaths, wants(0))
	}
	var err error
	if r.slots[1].Ring, r.slots[1].Commands, err = shm.NewSlot(r.mem.Geometry, 1, 2); err != nil {
		t.Fatal(err)
	}
	r.slots[1].Generation, r.slots[1].Phase = 2, slots.Joining
	if try(t, r, p, &asked) || !wants(1) || wants(0) {
		t.Fatal("the joiner is not asked")
	}
	if try(t, r, p, &asked, 1) || !wants(0) {
		t.Fatal("the active worker is not asked though another has made it")
	}
	if !try(t, r, p, &asked, 0) || r.plans.Current() != p {
		t.Error("both have made it, and it does not play")
	}
}

// A change has entered once a block with it is published. A change that may still be left out has
// not.
func TestChangeEnters(t *testing.T) {
	r := withPlans(t, 2)
	r.mem.Control.SetTransport(shm.Play)
	p, asked := wanted(t, r), plans.Preparation{}
	if try(t, r, p, &asked, 0, 1); p.Seq != 1 {
		t.Fatalf("command %d", p.Seq)
	}
	if at, in, err := r.FindEntry(5, p); at != 12 || in || err != nil {
		t.Errorf("block %d, %t, %v: nobody has published it", at, in, err)
	}
	r.mem.Journal.ReplaceDecision(12, 1)
	if at, in, err := r.FindEntry(12, p); at != 12 || in || err != nil {
		t.Errorf("block %d, %t, %v: it is decided, and can be left out", at, in, err)
	}
	r.fault.Published(13)
	if at, in, err := r.FindEntry(12, p); at != 12 || !in || err != nil {
		t.Errorf("block %d, %t, %v", at, in, err)
	}
	leaveOut(t, r, 12)
	if _, in, err := r.FindEntry(12, p); in || err == nil || r.plans.Current().Number != p.Previous {
		t.Errorf("%t, %v: it is left out, and plan %d plays", in, err, r.plans.Current().Number)
	}
	if _, in, err := r.FindEntry(12, p); in || err == nil || !strings.Contains(err.Error(), "first plays on") {
		t.Errorf("%t, %v: it was reverted", in, err)
	}
}

// A node that crashes every worker is bypassed behind a patch change that was commanded meanwhile,
// in which the node has another index.
func TestBypassBehindChange(t *testing.T) {
	r := withPlans(t, 1)
	p, asked := wanted(t, r), plans.Preparation{}
	if !try(t, r, p, &asked, 0) {
		t.Fatal("not commanded")
	}
	r.slots[0].Phase = slots.Empty
	r.fault.WorkerEnded(fault.Crash{Block: 12, Node: 1, OwnFault: true}, fault.Workers{Replicas: 1, Living: 1})
	r.afterEnd(fault.Crash{Block: 12, Node: 1, OwnFault: true})
	c, ok := r.log.At(2)
	if !ok || c != (shm.Command{Seq: 2, Plan: p.Number, Op: shm.OpBypass, Node: 2, Value: 1}) || r.mem.Control.Committed() != 2 {
		t.Errorf("%+v, %t", c, ok)
	}
	if d, ok := r.mem.Journal.Decision(12); !ok || d.Seq() != 2 {
		t.Errorf("block 12: %v, %t", d, ok)
	}
}
