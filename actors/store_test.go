package actors

import (
	"context"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm"
)

func TestStoreKeepsPresent(t *testing.T) {
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

func TestStoreKeepsTheLogs(t *testing.T) {
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
		p.seq, err = r.broadcast(shm.Command{Op: shm.OpPlan, Plan: p.before, Value: float64(p.number)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.play(p)
	}
	missing := 0
	for _, c := range r.log.Commands() {
		if _, err := r.plans.Reader().Text(uint64(c.Value)); err != nil {
			missing++
		}
	}
	_, err = r.plans.Reader().Text(r.kept.Plan)
	if missing > 0 || err != nil {
		t.Errorf("%d waits, %d of %d plans of the log are gone; the kept one: %v", waits, missing, r.log.Len(), err)
	}
}

func TestStepDownWithFullStore(t *testing.T) {
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
		p.seq, err = r.broadcast(shm.Command{Op: shm.OpPlan, Plan: p.before, Value: float64(p.number)}, nil)
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

func TestInheritAmended(t *testing.T) {
	r := diverging(t, 2, 4, noSlot)
	r.control.SetTransport(shm.Play)
	_ = r.slots[0].cmds.Put(shm.Command{Seq: 1, Plan: 1, Op: shm.OpPlan, Value: 2}) // the dead worker's
	_ = r.slots[1].cmds.Put(shm.Command{Seq: 1})                                    // the one that began after the quarantine
	r.control.Commit(1)
	r.slots[0].phase = empty
	r.inheritLog(&heritage{})
	r.finishBroadcast()
	if c := r.log.Commands()[0]; c.Op != shm.OpNone {
		t.Errorf("the log has %+v", c)
	}
}

func TestEntersSilent(t *testing.T) {
	r := diverging(t, 2, 4, noSlot)
	r.control.SetTransport(shm.Play)
	r.failed[xxhash.Sum64(patch.Default())] = true
	p := r.present
	p.seq = 1
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := r.enters(ctx, 4, p)
		done <- err
	}()
	r.mu.Lock()
	r.stepDown("test")
	silent := r.silent
	r.mu.Unlock()
	t.Log("silent:", silent)
	if err := <-done; err == context.DeadlineExceeded {
		t.Error("it waits until its time is over")
	}
}
