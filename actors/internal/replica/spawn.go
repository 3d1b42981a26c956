package replica

import (
	"fmt"
	"time"

	"github.com/music-chronus/chronus/actors/internal/launch"
	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/actors/report"
)

// noSlot stands where a worker has no slot.
const noSlot = -1

// StartWorker starts a process in an empty slot. The Set asks for the state that it begins with
// while it starts.
func (r *Set) StartWorker(number int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.slots[number]
	if s.Phase != slots.Empty || r.life.stopping || r.life.silent != "" {
		return nil // the slot has a process already: the caller has been restarted meanwhile
	}
	s.Generation++
	w, err := r.launch(s)
	if err != nil {
		w.Release()
		return fmt.Errorf("worker %d: %w", number, err)
	}
	s.Worker, s.Condition = w, slots.Condition{}
	s.Begin = r.requestState(s, nil, time.Now())
	s.Enter(slots.Starting, time.Now())
	return nil
}

// launch starts the slot's next worker.
func (r *Set) launch(s *slots.Slot) (launch.Worker, error) {
	w, err := launch.New(r.mem.Geometry, s.Number, s.Generation)
	if err != nil {
		return w, err
	}
	idle, fresh, err := r.pool.Take()
	if err != nil {
		return w, err
	}
	if fresh {
		r.recordProcesses(idle.Process.PID)
	}
	if err := w.Assign(idle, r.mem, r.cfg.Samples, s.Number); err != nil {
		idle.Process.Discard(r.cfg.Timeouts.Stop)
		return w, err
	}
	return w, nil
}

// startSpare starts a spare worker if there is none.
func (r *Set) startSpare() {
	started, err := r.pool.Restock() // without the lock: the watcher must not wait for a fork
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.obs.Event(report.WorkerFailed{Slot: noSlot, Err: err})
	}
	if started {
		r.recordProcesses()
	}
}

// recordProcesses reports the living workers, and more, which have just been started.
func (r *Set) recordProcesses(more ...int) {
	pids := more
	for _, p := range append(r.pool.Processes(), r.slots.Processes()...) {
		pids = append(pids, p.PID)
	}
	r.obs.Processes(pids)
}
