package actors

import (
	"errors"
	"syscall"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// stopWait is how long a process may take to end when asked, fadeWait a fade.
const (
	stopWait = 2 * time.Second
	fadeWait = 500 * time.Millisecond
)

// Stop fades the sound out, ends every process, and removes the runtime files. It returns when
// all is gone.
func (e *Engine) Stop() { e.stop.Do(e.halt) }

func (e *Engine) halt() {
	if e.saver != nil {
		e.rig.keepNow(3 * askPatience)
		e.saver.stop()
	}
	e.rig.fade(fadeWait)
	e.gone.Store(true)
	if e.pid != nil {
		if err := e.system.Root.StopFuture(e.pid).Wait(); err != nil && !errors.Is(err, actor.ErrDeadLetter) {
			e.cfg.Logger.Warn("the actors did not end", "error", err)
		}
	}
	e.rig.terminate(stopWait)
	if e.watcher != nil {
		e.watcher.stop()
	}
	if e.host.own {
		e.system.Shutdown()
	}
	e.dismantle()
	e.host.clean()
}

// keepNow waits, no longer than wait, until every command is in the kept snapshot.
func (r *rig) keepNow(wait time.Duration) {
	r.mu.Lock()
	want := r.log.Last()
	r.mu.Unlock()
	for began := time.Now(); time.Since(began) < wait; time.Sleep(time.Millisecond) {
		r.mu.Lock()
		there := r.kept.Seq >= want
		r.keepSoon = !there // the one that was under way may have begun too early
		r.mu.Unlock()
		if there {
			return
		}
	}
}

// fade lets what plays fade out, and sees to it that nothing is started any more.
func (r *rig) fade(wait time.Duration) {
	r.mu.Lock()
	r.stopping = true
	close(r.quit)
	playing := r.audio.opened && r.control.Transport() == shm.Play
	r.mu.Unlock()
	if !playing {
		return
	}
	r.control.SetTransport(shm.Fade)
	for began := time.Now(); !r.control.Faded() && time.Since(began) < wait; {
		time.Sleep(time.Millisecond)
	}
}

// terminate asks every process to end, and insists after wait. The watcher must still run: it buries them.
func (r *rig) terminate(wait time.Duration) {
	for began, insisted := time.Now(), false; ; time.Sleep(time.Millisecond) {
		procs := r.living()
		if len(procs) == 0 {
			return
		}
		late := time.Since(began) > wait
		if late && time.Since(began) > 2*wait {
			return // what the kernel does not end now is beyond us
		}
		for _, p := range procs {
			switch {
			case late && !insisted:
				_ = p.Signal(syscall.SIGKILL)
			case !late:
				_ = p.Signal(syscall.SIGTERM)
			}
		}
		insisted = late
		if !late {
			r.awaitFewer(len(procs), wait)
		}
	}
}

// awaitFewer waits until fewer than n processes live, or for wait.
func (r *rig) awaitFewer(n int, wait time.Duration) {
	for began := time.Now(); len(r.living()) >= n && time.Since(began) < wait; {
		time.Sleep(time.Millisecond)
	}
}

// living are the processes that have not ended.
func (r *rig) living() (procs []sys.Process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.audio.running {
		procs = append(procs, r.audio.proc)
	}
	for _, a := range []*audioProcess{&r.next, &r.spareAudio} {
		if a.running {
			procs = append(procs, a.proc)
		}
	}
	if r.spare != nil {
		procs = append(procs, r.spare.proc)
	}
	for _, s := range r.slots {
		if s.phase != empty {
			procs = append(procs, s.proc)
		}
	}
	return procs
}
