package actors

import (
	"testing"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm"
)

// Changes that are refused after they were numbered wear the present plan's text out of the store.
func TestReviewStoreKeepsPresent(t *testing.T) {
	r := diverging(t, 2, 4, noSlot)
	text := patch.Default()
	plan, err := r.compile("x", text)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		p, err := r.addPlan("x", text, plan)
		if err != nil {
			t.Fatal(i, err)
		}
		delete(r.planned, p.number) // as change does with what was refused
		if _, err := r.plans.Reader().Text(r.present.number); err != nil {
			t.Fatalf("after %d refused changes, number %d: %v", i+1, p.number, err)
		}
	}
}

// An engine is killed in the middle of a batch: some rings have all of it, some the first of it.
func TestReviewHalfABatch(t *testing.T) {
	r := diverging(t, 3, 4, noSlot)
	r.control.SetTransport(shm.Play)
	put := func(slot, seq int, v float64) {
		if err := r.slots[slot].cmds.Put(shm.Command{Seq: uint64(seq), Plan: 1, Op: shm.OpSet, Node: 1, Value: v}); err != nil {
			t.Fatal(err)
		}
	}
	// batch of 3, command by command into each ring; killed after the third entered ring 0
	for seq := 1; seq <= 2; seq++ {
		for s := range 3 {
			put(s, seq, float64(seq))
		}
	}
	put(0, 3, 3)
	r.finishBroadcast()
	t.Logf("committed %d, log.last %d, tails %d %d %d", r.control.Committed(), r.log.last, r.slots[0].cmds.Tail(), r.slots[1].cmds.Tail(), r.slots[2].cmds.Tail())
	if _, err := r.broadcast(shm.Command{Op: shm.OpGate, Node: 2, Value: 1}, r.present.number, nil); err != nil {
		t.Fatal(err)
	}
	for seq := uint64(1); seq <= r.log.last; seq++ {
		want, _ := r.log.at(seq)
		for i, s := range r.slots {
			if s.hung {
				continue
			}
			if got, ok := s.cmds.Peek(seq); !ok || got != want {
				t.Errorf("ring %d, command %d (committed %d): %+v %t, the log has %+v", i, seq, r.control.Committed(), got, ok, want)
			}
		}
	}
}

// Stepping down after a flurry of changes: the store is full of what the log names, which is about to be forgotten.
func TestReviewStepDownWithFullStore(t *testing.T) {
	r := diverging(t, 2, 4, noSlot)
	r.control.SetTransport(shm.Play)
	text := []byte("version: 1\nnodes:\n  - {id: lone, type: sine}\ncables: [lone > out]\n")
	plan, err := r.compile("x", text)
	if err != nil {
		t.Fatal(err)
	}
	for {
		p, err := r.addPlan("x", text, plan)
		if err != nil {
			t.Log(err)
			break
		}
		p.seq, err = r.broadcastLocked(shm.Command{Op: shm.OpPlan, Plan: p.before, Value: float64(p.number)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.play(p)
	}
	r.stepDown("test")
	if r.silent != "" {
		t.Errorf("silent: %s; the default patch failed: %t", r.silent, len(r.failed) > 1)
	}
}

// A node is bypassed by the numbers of the plan that its worker rendered, which need not be the present one.
func TestReviewBypassOfPlanBefore(t *testing.T) {
	r := diverging(t, 2, 4, noSlot)
	r.control.SetTransport(shm.Play)
	was := r.present.plan.Nodes()[2].ID
	text := []byte("version: 1\nnodes:\n  - {id: lone, type: sine}\n  - {id: two, type: sine}\ncables: [lone > out, two > out]\n")
	plan, err := r.compile("x", text)
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.addPlan("x", text, plan)
	if err != nil {
		t.Fatal(err)
	}
	if p.seq, err = r.broadcastLocked(shm.Command{Op: shm.OpPlan, Plan: p.before, Value: float64(p.number)}, nil); err != nil {
		t.Fatal(err)
	}
	r.play(p)
	r.bypass(offence{block: 4, node: 2, own: true}) // the change has not entered: the workers ended in node 2 of the plan before
	c := r.log.commands[len(r.log.commands)-1]
	t.Logf("guilty was %q of plan %d; bypass is %+v, i.e. %q", was, p.before, c, r.nodeName(int(c.Node)))
	if c.Plan != p.before && r.nodeName(int(c.Node)) != was {
		t.Errorf("the wrong node is bypassed")
	}
}

// What the log names is still in the store after a change had to wait for room.
func TestReviewStoreKeepsTheLogs(t *testing.T) {
	r := diverging(t, 2, 4, noSlot)
	r.control.SetTransport(shm.Play)
	text := []byte("version: 1\nnodes:\n  - {id: lone, type: sine}\ncables: [lone > out]\n")
	plan, err := r.compile("x", text)
	if err != nil {
		t.Fatal(err)
	}
	waits := 0
	for range 40 { // as change does
		p, err := r.addPlan("x", text, plan)
		if err != nil {
			waits++
			continue
		}
		p.seq, err = r.broadcastLocked(shm.Command{Op: shm.OpPlan, Plan: p.before, Value: float64(p.number)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.play(p)
	}
	missing := 0
	for _, c := range r.log.commands {
		if _, err := r.plans.Reader().Text(uint64(c.Value)); err != nil {
			missing++
		}
	}
	_, err = r.plans.Reader().Text(r.kept.Plan)
	if missing > 0 || err != nil {
		t.Errorf("%d waits, %d of %d plans of the log are gone; the kept one: %v", waits, missing, len(r.log.commands), err)
	}
}
