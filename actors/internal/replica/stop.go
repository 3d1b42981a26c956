package replica

import (
	"syscall"
	"time"

	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// Fade lets what plays fade out. From then on nothing is started any more.
func (r *Set) Fade() {
	r.mu.Lock()
	r.life.stopping = true
	close(r.quit)
	r.out.Stop()
	playing := r.out.Open() && r.mem.Control.Transport() == shm.Play
	r.mu.Unlock()
	if !playing {
		return
	}
	r.mem.Control.SetTransport(shm.Fade)
	for began := time.Now(); !r.mem.Control.Faded() && time.Since(began) < r.cfg.Timeouts.Fade; {
		time.Sleep(time.Millisecond)
	}
}

// Terminate asks every process to end, and kills those that have not ended in time. The Watcher,
// which reaps them, must still run.
func (r *Set) Terminate() {
	wait := r.cfg.Timeouts.Stop
	for began, killed := time.Now(), false; ; time.Sleep(time.Millisecond) {
		procs := r.living()
		if len(procs) == 0 {
			return
		}
		late := time.Since(began) > wait
		if late && time.Since(began) > 2*wait {
			return // the kernel cannot end them
		}
		for _, p := range procs {
			switch {
			case late && !killed:
				_ = p.Signal(syscall.SIGKILL)
			case !late:
				_ = p.Signal(syscall.SIGTERM)
			}
		}
		killed = late
		if !late {
			r.awaitFewer(len(procs), wait)
		}
	}
}

// awaitFewer waits until fewer than n processes live, or for wait.
func (r *Set) awaitFewer(n int, wait time.Duration) {
	for began := time.Now(); len(r.living()) >= n && time.Since(began) < wait; {
		time.Sleep(time.Millisecond)
	}
}

// living returns the living processes.
func (r *Set) living() (list []sys.Process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	list = r.out.Processes()
	if w := r.spare.worker; w != nil {
		list = append(list, w.proc)
	}
	for _, s := range r.slots {
		if s.phase != empty {
			list = append(list, s.proc)
		}
	}
	return list
}
