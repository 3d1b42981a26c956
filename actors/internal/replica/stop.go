package replica

import (
	"slices"
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

// Processes returns the living workers.
func (r *Set) Processes() []sys.Process {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(r.pool.Processes(), r.slots.Processes()...)
}

// living returns the living processes, those of the audio first.
func (r *Set) living() (list []sys.Process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Concat(r.out.Processes(), r.pool.Processes(), r.slots.Processes())
}
