package launch

import (
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/music-chronus/chronus/shm/sys"
)

// Idle is a worker process without a slot.
type Idle struct {
	Process sys.Process
	Socket  *sys.Socket // to the process; closed once it has its slot
}

// Pool starts worker processes, one of them ahead: starting a process takes longer than the rest of
// a replacement. Its methods may be called from any goroutine.
type Pool struct {
	// Spawn starts a worker's process with the given descriptors as its 3, 4, ...
	Spawn func(files []int) (sys.Process, error)
	// StopWait bounds the wait for a spare that is no longer wanted.
	StopWait time.Duration

	mu       sync.Mutex // guards everything below; a leaf
	spare    *Idle      // nil: none
	starting bool       // a spare is being started
	stopped  bool       // no spare is started any more
}

// start starts a worker process.
func (p *Pool) start() (*Idle, error) {
	ours, theirs, err := sys.SocketPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	proc, err := p.Spawn([]int{theirs.FD()})
	if err != nil {
		ours.Close()
		return nil, err
	}
	return &Idle{proc, ours}, nil
}

// Take returns the spare, or a process that it starts. fresh means that Take started it.
func (p *Pool) Take() (w *Idle, fresh bool, err error) {
	p.mu.Lock()
	w, p.spare = p.spare, nil
	p.mu.Unlock()
	if w != nil {
		return w, false, nil
	}
	w, err = p.start()
	return w, true, err
}

// Restock starts a spare if there is none, and reports whether it did.
func (p *Pool) Restock() (started bool, err error) {
	p.mu.Lock()
	enough := p.spare != nil || p.starting || p.stopped
	p.starting = p.starting || !enough
	p.mu.Unlock()
	if enough {
		return false, nil
	}
	w, err := p.start() // without the lock: no other process waits for the fork
	p.mu.Lock()
	defer p.mu.Unlock()
	p.starting = false
	switch {
	case err != nil:
		return false, fmt.Errorf("spare: %w", err)
	case p.stopped:
		w.Process.Discard(p.StopWait) // it has no slot, so killing it loses nothing
		w.Socket.Close()
		return false, nil
	}
	p.spare = w
	return true, nil
}

// Reap reaps the spare if it has that pidfd and has ended.
func (p *Pool) Reap(fd int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.spare
	if w == nil || w.Process.FD != fd {
		return
	}
	if _, ok, err := w.Process.Reap(); err == nil && !ok {
		return
	}
	_ = w.Process.Close()
	w.Socket.Close()
	p.spare = nil
}

// Processes returns the spare, if there is one.
func (p *Pool) Processes() []sys.Process {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.spare == nil {
		return nil
	}
	return []sys.Process{p.spare.Process}
}

// Stop keeps Restock from starting anything.
func (p *Pool) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
}

// Terminate asks every process to end, and kills those that have not ended within wait. After twice
// the time, Terminate returns. living returns those that are left; another goroutine must reap
// them.
func Terminate(living func() []sys.Process, wait time.Duration) {
	for began, killed := time.Now(), false; ; time.Sleep(time.Millisecond) {
		list := living()
		late := time.Since(began) > wait
		if len(list) == 0 || late && time.Since(began) > 2*wait {
			return
		}
		for _, p := range list {
			switch {
			case late && !killed:
				_ = p.Signal(syscall.SIGKILL)
			case !late:
				_ = p.Signal(syscall.SIGTERM)
			}
		}
		killed = late
		for since := time.Now(); !late && len(living()) >= len(list) && time.Since(since) < wait; {
			time.Sleep(time.Millisecond)
		}
	}
}
