package replica

import (
	"time"

	"github.com/music-chronus/chronus/actors/internal/launch"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// Fade lets what plays fade out. From then on nothing is started any more.
func (r *Set) Fade() {
	r.mu.Lock()
	r.life.stopping = true
	close(r.quit)
	r.out.Stop()
	r.pool.Stop()
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

// Terminate ends every process. The Watcher, which reaps them, must still run.
func (r *Set) Terminate() { launch.Terminate(r.living, r.cfg.Timeouts.Stop) }

// living returns the living processes.
func (r *Set) living() (list []sys.Process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	list = append(r.out.Processes(), r.pool.Processes()...)
	return append(list, r.slots.Processes()...)
}
