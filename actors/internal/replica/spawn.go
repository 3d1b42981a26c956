package replica

import (
	"fmt"
	"time"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// noSlot stands where a worker has no slot.
const noSlot = -1

// StartWorker starts a process in an empty slot. The Set asks for the state that it begins with
// while it starts.
func (r *Set) StartWorker(number int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.slots[number]
	if s.phase != empty || r.life.stopping || r.life.silent != "" {
		return nil // the slot has a process already: the caller has been restarted meanwhile
	}
	s.gen++
	if err := r.startProcess(s); err != nil {
		s.release()
		return fmt.Errorf("worker %d: %w", number, err)
	}
	s.condition = condition{}
	s.begin = r.requestState(s, nil, time.Now())
	s.enter(starting, time.Now())
	return nil
}

// startProcess makes the segments of the slot's next process and starts it. No process ever reads
// segments that another one wrote.
func (r *Set) startProcess(s *slot) (err error) {
	g := r.mem.Geometry
	if s.next, s.cmds, err = shm.NewSlot(g, s.number, s.gen); err != nil {
		return err
	}
	if s.snapshot, s.snaps, err = shm.NewSnapshot(g, s.number, s.gen); err != nil {
		return err
	}
	if s.initial, s.state, err = shm.NewInitialState(g, s.number, s.gen); err != nil {
		return err
	}
	var readOnly [3]int
	for i, seg := range []*shm.Segment{r.mem.Control.Segment, r.mem.Plans.Segment, s.initial} {
		fd, err := seg.ReadOnlyFD()
		if err != nil {
			return err
		}
		defer func() { _ = sys.CloseFD(fd) }()
		readOnly[i] = fd
	}
	w, err := r.takeSpare()
	if err != nil {
		return err
	}
	defer w.socket.Close()
	err = wire.Send(w.socket, wire.WorkerOrder{Slot: s.number, Samples: r.cfg.Samples},
		readOnly[0], r.mem.Journal.FD(), s.next.FD(), s.snapshot.FD(), readOnly[1], readOnly[2], r.mem.Checkpoints.FD())
	if err != nil {
		w.proc.Discard(r.cfg.Timeouts.Stop)
		return err
	}
	s.proc = w.proc
	return nil
}

// spare is a worker process that waits for a slot. Starting a process takes longer than the rest of
// a replacement, so one is started ahead, when nothing else is going on.
type spare struct {
	worker   *idleWorker // nil: none
	starting bool
}

// idleWorker is a worker process without a slot.
type idleWorker struct {
	proc   sys.Process
	socket *sys.Socket
}

// startIdle starts a worker process.
func (r *Set) startIdle() (*idleWorker, error) {
	ours, theirs, err := sys.SocketPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	proc, err := r.cfg.Spawn([]int{theirs.FD()})
	if err != nil {
		ours.Close()
		return nil, err
	}
	return &idleWorker{proc, ours}, nil
}

// takeSpare returns the spare worker, or one that it starts. The caller closes the socket.
func (r *Set) takeSpare() (*idleWorker, error) {
	if w := r.spare.worker; w != nil {
		r.spare.worker = nil
		return w, nil
	}
	w, err := r.startIdle()
	if err != nil {
		return nil, err
	}
	r.recordProcesses(w.proc.PID)
	return w, nil
}

// startSpare starts a spare worker if there is none.
func (r *Set) startSpare() {
	r.mu.Lock()
	enough := r.spare.worker != nil || r.spare.starting || r.life.stopping
	r.spare.starting = r.spare.starting || !enough
	r.mu.Unlock()
	if enough {
		return
	}
	w, err := r.startIdle() // without the lock: the watcher must not wait for a fork
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spare.starting = false
	if err != nil {
		r.obs.Event(report.WorkerFailed{Slot: noSlot, Err: fmt.Errorf("spare: %w", err)})
		return
	}
	if r.life.stopping {
		w.proc.Discard(r.cfg.Timeouts.Stop) // it has no slot, so killing it loses nothing
		w.socket.Close()
		return
	}
	r.spare.worker = w
	r.recordProcesses()
}

// reapSpare reaps the spare process. Another one is started when the next worker has joined.
func (r *Set) reapSpare() {
	w := r.spare.worker
	if _, ok, err := w.proc.Reap(); err == nil && !ok {
		return
	}
	_ = w.proc.Close()
	w.socket.Close()
	r.spare.worker = nil
}

// recordProcesses reports the living workers, and more, which have just been started.
func (r *Set) recordProcesses(more ...int) {
	pids := more
	if w := r.spare.worker; w != nil {
		pids = append(pids, w.proc.PID)
	}
	for _, s := range r.slots {
		if s.phase != empty {
			pids = append(pids, s.proc.PID)
		}
	}
	r.obs.Processes(pids)
}
