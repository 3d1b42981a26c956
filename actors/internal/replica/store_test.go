package replica

import (
	"context"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/internal/patching"
	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/actors/internal/survivors"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm"
)

// The text of the current plan stays in the store over any number of refused changes.
func TestStoreKeepsPresent(t *testing.T) {
	r := diverging(t, 2, 4, noSlot)
	text := patch.Default()
	plan, err := r.plans.Compile("x", text)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		p, err := r.addPlan("x", text, plan)
		if err != nil {
			t.Fatal(i, err)
		}
		r.plans.Forget(p.Number) // as change does with what was refused
		if _, err := r.mem.Plans.Reader().Text(r.plans.Current().Number); err != nil {
			t.Fatalf("after %d refused changes, number %d: %v", i+1, p.Number, err)
		}
	}
}

// The store keeps the texts of all plans that commands in the log name, and that of the checkpoint.
func TestStoreKeepsTheLogs(t *testing.T) {
	r := diverging(t, 2, 4, noSlot)
	r.mem.Control.SetTransport(shm.Play)
	text := []byte("version: 1\nnodes:\n  - {id: lone, type: sine}\ncables: [lone > out]\n")
	plan, err := r.plans.Compile("x", text)
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
		p.Seq, err = r.broadcast(shm.Command{Op: shm.OpPlan, Plan: p.Previous, Value: float64(p.Number)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.setCurrent(p)
	}
	missing := 0
	for _, c := range r.log.Commands() {
		if _, err := r.mem.Plans.Reader().Text(uint64(c.Value)); err != nil {
			missing++
		}
	}
	_, err = r.mem.Plans.Reader().Text(r.checkpoint.last.Plan)
	if missing > 0 || err != nil {
		t.Errorf("%d waits, %d of %d plans of the log are gone; the kept one: %v", waits, missing, r.log.Len(), err)
	}
}

// An engine can fall back though all places of the store are needed.
func TestStepDownWithFullStore(t *testing.T) {
	r := diverging(t, 2, 4, noSlot)
	r.mem.Control.SetTransport(shm.Play)
	text := []byte("version: 1\nnodes:\n  - {id: lone, type: sine}\ncables: [lone > out]\n")
	plan, err := r.plans.Compile("x", text)
	if err != nil {
		t.Fatal(err)
	}
	for {
		p, err := r.addPlan("x", text, plan)
		if err != nil {
			t.Log(err)
			break
		}
		p.Seq, err = r.broadcast(shm.Command{Op: shm.OpPlan, Plan: p.Previous, Value: float64(p.Number)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.setCurrent(p)
	}
	r.fallBack("test")
	if r.life.silent != "" {
		t.Errorf("silent: %s; the default patch failed: %t", r.life.silent, r.plans.Rejected(patch.Default()))
	}
}

// An engine that takes over reads the ring of the worker that began after a quarantine before that
// of an ended one.
func TestInheritAmended(t *testing.T) {
	r := diverging(t, 2, 4, noSlot)
	r.mem.Control.SetTransport(shm.Play)
	_ = r.slots[0].Commands.Put(shm.Command{Seq: 1, Plan: 1, Op: shm.OpPlan, Value: 2}) // of the ended worker
	_ = r.slots[1].Commands.Put(shm.Command{Seq: 1})                                    // the one that began after the quarantine
	r.mem.Control.Commit(1)
	r.slots[0].Phase = slots.Empty
	r.restoreLog(&survivors.Survivors{})
	r.finishBroadcast()
	if c := r.log.Commands()[0]; c.Op != shm.OpNone {
		t.Errorf("the log has %+v", c)
	}
}

// A change ends at once when nothing plays any more.
func TestEntersSilent(t *testing.T) {
	r := diverging(t, 2, 4, noSlot)
	r.mem.Control.SetTransport(shm.Play)
	r.plans.Reject(patch.Default())
	p := r.plans.Current()
	p.Seq = 1
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := patching.New(r, r.cfg.Timeouts, ErrStopped).AwaitEntry(ctx, 4, p)
		done <- err
	}()
	r.mu.Lock()
	r.fallBack("test")
	silent := r.life.silent
	r.mu.Unlock()
	t.Log("silent:", silent)
	if err := <-done; err == context.DeadlineExceeded {
		t.Error("it waits until its time is over")
	}
}
