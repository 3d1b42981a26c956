package actors

import (
	"fmt"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm/sys"
)

// spareWorker is a worker process that waits for a place. Starting one takes longer than all the
// rest of a replacement, so one is started ahead, when nothing else is going on.
type spareWorker struct {
	proc   sys.Process
	socket *sys.Socket
}

// startSpare starts a worker process.
func (c Config) startSpare() (*spareWorker, error) {
	ours, theirs, err := sys.SocketPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	proc, err := c.spawnChild(workerChild, []int{theirs.FD()})
	if err != nil {
		ours.Close()
		return nil, err
	}
	return &spareWorker{proc, ours}, nil
}

// takeSpare is the spare one, or one that is started now. The caller closes its socket.
func (r *rig) takeSpare() (*spareWorker, error) {
	if w := r.spare; w != nil {
		r.spare = nil
		return w, nil
	}
	w, err := r.cfg.startSpare()
	if err != nil {
		return nil, err
	}
	r.saveCrew(member{Role: workerChild, PID: w.proc.PID})
	return w, nil
}

// restock starts a spare if there is none.
func (r *rig) restock() {
	r.mu.Lock()
	enough := r.spare != nil || r.stocking || r.stopping
	r.stocking = r.stocking || !enough
	r.mu.Unlock()
	if enough {
		return
	}
	w, err := r.cfg.startSpare() // without the lock: the watcher must not wait for a fork
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stocking = false
	if err != nil {
		r.emit(report.WorkerFailed{Slot: noSlot, Err: fmt.Errorf("spare: %w", err)})
		return
	}
	if r.stopping {
		w.discard()
		w.socket.Close()
		return
	}
	r.spare = w
	r.saveCrew()
}

// noSlot stands where a worker has no place.
const noSlot = -1

// discard ends the process and reaps it. It has no place, and nothing to lose.
func (w *spareWorker) discard() {
	_ = w.proc.Signal(killSignal)
	for range 1000 {
		if _, ok, err := w.proc.Reap(); ok || err != nil {
			break
		}
		sys.Poll([]sys.PollFD{{FD: w.proc.FD}}, nil, stopWait/1000)
	}
	_ = w.proc.Close()
}

// burySpare notes the end of a spare process. Another is started when next a worker has joined.
func (r *rig) burySpare() (corpse, bool) {
	if _, ok, err := r.spare.proc.Reap(); err == nil && !ok {
		return corpse{}, false
	}
	_ = r.spare.proc.Close()
	r.spare.socket.Close()
	r.spare = nil
	return corpse{slot: noSlot}, false
}
