package actors

import (
	"context"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm"
)

// What was quarantined by the engine before is so for the engine after it: the ring of a worker that died of it still has the command.
func TestReviewInheritAmended(t *testing.T) {
	r := diverging(t, 2, 4, noSlot)
	r.control.SetTransport(shm.Play)
	_ = r.slots[0].cmds.Put(shm.Command{Seq: 1, Plan: 1, Op: shm.OpPlan, Value: 2}) // the dead worker's
	_ = r.slots[1].cmds.Put(shm.Command{Seq: 1})                                    // the one that began after the quarantine
	r.control.Commit(1)
	r.slots[0].phase = empty
	r.inheritLog(&heritage{})
	r.finishBroadcast()
	if c := r.log.commands[0]; c.Op != shm.OpNone {
		t.Errorf("the log has %+v", c)
	}
}

// Once nothing plays any more, nobody waits for a block.
func TestReviewEntersSilent(t *testing.T) {
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
