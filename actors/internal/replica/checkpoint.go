package replica

import (
	"time"

	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
)

// largeCheckpoint is the size in bytes above which a checkpoint is taken less often.
const largeCheckpoint = 1 << 20

// checkpoint is the snapshot from which all workers can begin again after they have ended together.
// They render what has been played since.
type checkpoint struct {
	last    shm.Checkpoint
	request slots.SnapshotRequest // for the next one
	soon    bool                  // the next one is wanted before its time
	trimmed trimmed
}

// trimmed is the last trimming of the log.
type trimmed struct {
	at  time.Time
	seq uint64 // of the checkpoint of that time
}

// requestState asks a ready worker, other than s and avoid, for its state: a standby before the
// active worker. Without such a worker the checkpoint serves, as it does before the engine plays: a
// worker that began where a ready one is would be ready only when the clock had come there.
func (r *Set) requestState(s, avoid *slots.Slot, now time.Time) slots.SnapshotRequest {
	active := r.mem.Control.Active().Slot()
	var donor *slots.Slot
	for i := 1; i <= len(r.slots) && donor == nil && r.mem.Control.Transport() != shm.Idle && r.divergence == nil; i++ {
		d := r.slots[(active+i)%len(r.slots)]
		if d != s && d != avoid && d.Donates() {
			donor = d
		}
	}
	if donor == nil {
		return slots.SnapshotRequest{State: r.checkpoint.last.State, Done: true}
	}
	return donor.RequestSnapshot(r.mem.Control, now)
}

// updateCheckpoint takes checkpoints.
func (r *Set) updateCheckpoint(now time.Time) {
	c, q := &r.checkpoint, &r.checkpoint.request
	if q.Donor == nil || q.Done {
		every := r.cfg.Timeouts.Checkpoint
		if len(c.last.Bytes) > largeCheckpoint {
			every = r.cfg.Timeouts.LargeCheckpoint
		}
		if (c.soon || now.Sub(q.Since) >= every) && r.mem.Control.Transport() == shm.Play && r.divergence == nil {
			*q = r.requestState(nil, nil, now)
			q.Since, c.soon = now, false
		}
		return
	}
	if q.Poll(now, r.cfg.Timeouts.Snapshot) {
		// Ask another worker at once: this one may still hang later.
		if *q = r.requestState(nil, q.Donor, now); q.Done {
			q.Since = now
		}
		return
	}
	if q.Done && q.State.Block > c.last.Block && r.divergence == nil {
		r.takeCheckpoint(q.State, now)
	}
}

// takeCheckpoint makes st the checkpoint, and trims the log to the commands since an earlier one.
func (r *Set) takeCheckpoint(st shm.State, now time.Time) {
	c := &r.checkpoint
	if now.Sub(c.trimmed.at) >= r.cfg.Timeouts.KeepLog {
		r.log.Trim(min(r.oldestNeeded(), c.trimmed.seq))
		c.trimmed = trimmed{now, c.last.Seq}
	}
	if st.Plan != c.last.Plan {
		text, err := r.plans.Text(st.Plan)
		if err != nil {
			r.obs.Event(report.SaveFailed{What: "snapshot", Err: err})
			return
		}
		c.last.Text = text
	}
	if v := r.plans.Current(); st.Plan != v.Number && st.Seq >= v.Seq {
		r.revert(st.Plan, false)
	}
	c.last.State = st
	if err := r.mem.Checkpoints.Put(c.last); err != nil {
		r.obs.Event(report.SaveFailed{What: "snapshot", Err: err})
	}
}

// oldestNeeded returns the last command that neither a worker which begins from the checkpoint
// needs, nor a joiner that is still being fed.
func (r *Set) oldestNeeded() uint64 {
	seq := r.checkpoint.last.Seq
	for _, s := range r.slots {
		if s.Phase == slots.Joining && !s.Condemned {
			seq = min(seq, s.Commands.Tail())
		}
	}
	return seq
}

// logGap reports whether commands since the checkpoint are gone: this engine has taken over, no
// ring had them any more, and no other checkpoint has been taken yet.
func (r *Set) logGap() bool {
	_, ok := r.log.After(r.checkpoint.last.Seq)
	return !ok
}

// Checkpoint returns the checkpoint, the name of the patch that plays, and whether the engine
// plays. If commands have entered since the checkpoint, the next one is taken soon.
func (r *Set) Checkpoint() (c shm.Checkpoint, name string, playing bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.log.Last() > r.checkpoint.last.Seq {
		r.checkpoint.soon = true
	}
	return r.checkpoint.last, r.plans.Current().Name, r.life.playing
}

// AwaitCheckpoint waits, no longer than wait, until the checkpoint has every command that has
// entered.
func (r *Set) AwaitCheckpoint(wait time.Duration) {
	r.mu.Lock()
	want := r.log.Last()
	r.mu.Unlock()
	for began := time.Now(); time.Since(began) < wait; time.Sleep(time.Millisecond) {
		r.mu.Lock()
		there := r.checkpoint.last.Seq >= want
		r.checkpoint.soon = !there // the one that is under way may have begun too early
		r.mu.Unlock()
		if there {
			return
		}
	}
}
