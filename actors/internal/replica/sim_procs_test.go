//go:build sim

package replica

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"syscall"

	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/dsp/worker"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// simWorker is a worker process: the real loop, and the thread that holds the liveness word.
type simWorker struct {
	w        *simWorld
	slot     int
	gen      uint64
	sim      *worker.Sim
	kept     int            // a descriptor that a worker only holds, for the engine's successor
	life     *atomic.Uint32 // as the engine has it mapped
	render   *simTask
	hold     *simTask
	maker    *simTask // nil: it has not begun
	dead     bool
	reapable bool // the pidfd is readable
	trapped  bool // it panics when it renders next
	thawAt   int  // the tick at which a stopped one goes on; 0: it is not stopped
}

func (w *simWorld) startWorker(s *slots.Slot, fds []int) {
	p := &simWorker{w: w, slot: s.Number, gen: s.Generation, life: s.Commands.Liveness(), kept: fds[wire.WorkerCheckpoint]}
	w.workers[s.Number] = p
	w.all = append(w.all, p)
	name := fmt.Sprintf("worker %d.%d", p.slot, p.gen)
	w.note("%s starts", name)
	p.render = w.start(name, func() { p.main(fds) })
	p.hold = w.start(name+" life", func() { p.life.Store(1) })
}

func (p *simWorker) main(fds []int) {
	var err error
	if p.sim, err = worker.NewSim(fds); err == nil {
		err = p.sim.Begin()
	}
	if err != nil {
		p.w.fail("%s: %v", p.render.name, err)
		return
	}
	p.maker = p.w.start(p.render.name+" maker", p.sim.BuildPlans)
	for {
		n := p.sim.Block()
		err := p.sim.Step()
		if err != nil {
			p.w.look(func() { p.w.mayEnd(p, n, err) })
			break
		}
		p.w.look(func() { p.w.published(p, n) })
	}
	p.w.kill(p)
}

// tasks are the process's threads.
func (p *simWorker) tasks() []*simTask {
	if p.maker == nil {
		return []*simTask{p.render, p.hold}
	}
	return []*simTask{p.render, p.hold, p.maker}
}

// stop stops the process, or continues it.
func (p *simWorker) stop(still bool) {
	p.render.frozen = still
	if p.maker != nil {
		p.maker.frozen = still
	}
}

// die is what a panic does in the place of os.Exit.
func (w *simWorld) die(string) {
	for _, p := range w.all {
		if slices.Contains(p.tasks(), w.running) {
			w.kill(p)
		}
	}
	w.leave()
}

// trap is called while a module renders or saves. Another process may run then, or this one panic.
func (w *simWorld) trap(rendering, bomb bool) {
	if w.running == nil {
		w.poisoned = w.poisoned || rendering && bomb
		return
	}
	w.yield()
	for _, p := range w.all {
		if rendering && p.render == w.running && (bomb || p.trapped) {
			w.panics[p.sim.Block()] = true
			w.note("%s panics in block %d, poison %t", p.render.name, p.sim.Block(), bomb)
			panic("trap")
		}
	}
}

// kill ends a worker where it is. The kernel decides when others learn of it.
func (w *simWorld) kill(p *simWorker) {
	if p.dead {
		return
	}
	w.note("%s ends", p.render.name)
	p.dead = true
	for _, t := range p.tasks() {
		t.over = true
	}
}

// kernel reports ended processes: first by the liveness word, unless its thread was the last to
// end, and then by the pidfd.
func (w *simWorld) kernel() {
	for _, p := range w.workers {
		if p == nil || !p.dead || p.reapable || !w.calm && !w.oneIn(4) {
			continue
		}
		if s := w.set.slots[p.slot]; s.Generation == p.gen && p.life.Load() == 1 && w.lives && !w.oneIn(8) {
			p.life.Store(0)
			continue
		}
		p.reapable = true
	}
}

func (p *simWorker) close() {
	if p.sim != nil {
		p.sim.Close()
		p.sim = nil
	}
	if p.kept >= 0 {
		_ = syscall.Close(p.kept)
		p.kept = -1
	}
}

// simAudio is an audio process: all of the real one but its device and its threads.
type simAudio struct {
	w       *simWorld
	gen     uint64
	words   shm.Playback
	journal shm.Journal
	sim     *audio.Sim
	dead    bool
	closed  bool
	call    *simTask
	beside  *simTask
	sound   simSound
}

// startAudioSim does what Process.launch does.
func (w *simWorld) startAudioSim() {
	a := &simAudio{w: w}
	r := w.set
	var err error
	a.words, err = shm.AttachPlayback(dup(r.mem.Control.FD()))
	if err == nil {
		a.journal, err = shm.AttachJournal(dup(r.mem.Journal.FD()))
	}
	if err != nil {
		w.fail("%v", err)
		return
	}
	a.gen = w.out.Generation() + 1
	a.sim = audio.NewSim(a.words, a.journal, w.period)
	a.sound = newSimSound(w)
	w.audio = a
	w.players = append(w.players, a)
	a.call = w.start(fmt.Sprintf("callback %d", a.gen), a.run)
	a.beside = w.start(fmt.Sprintf("audio %d", a.gen), a.obey)
	w.connectSim(a)
}

// connectSim does what Process.connect does.
func (w *simWorld) connectSim(a *simAudio) {
	ours, theirs, err := sys.SocketPair()
	if err != nil {
		w.fail("%v", err)
		return
	}
	w.sockets = append(w.sockets, ours)
	a.sim.Connect(theirs)
	if err := w.out.Connect(a.gen, ours); err != nil {
		w.fail("audio: %v", err)
	}
}

// hear does what Process.listen does.
func (w *simWorld) hear() {
	socket := w.out.Socket()
	for {
		if poll := []sys.PollFD{{FD: socket.FD()}}; sys.Poll(poll, nil, 0) == nil || !poll[0].Ready {
			return
		}
		n, _, err := wire.Receive[wire.Notice](socket)
		if errors.Is(err, io.EOF) {
			_ = socket.Close()
			return
		}
		if err != nil {
			w.fail("notice: %v", err)
			return
		}
		w.set.HandleNotice(w.out.Generation(), n)
	}
}

// run is the device's thread.
func (a *simAudio) run() {
	w := a.w
	for {
		if a.sim.Started() {
			n := w.period
			if w.oneIn(3) {
				n = 1 + w.rng.IntN(w.period)
			}
			if w.oneIn(40) { // the lead changes at any time
				a.sim.SetExtra(uint64(w.rng.IntN(4)))
			}
			a.sound.fill(a, n)
			if !w.gentle && !w.calm && w.oneIn(30) {
				a.flip()
			}
		}
		w.rest()
	}
}

// flip makes any ready worker active, without a reason.
func (a *simAudio) flip() {
	old := a.words.Active()
	if to := a.w.rng.IntN(len(a.w.set.slots)); old.Ready(to) && to != old.Slot() {
		a.w.note("flip to %d", to)
		a.words.Flip(old, to)
	}
}

// obey is the other threads of the process: orders, ended workers, old rings.
func (a *simAudio) obey() {
	for {
		if err := a.sim.HandleOrders(); err != nil {
			a.w.fail("audio: %v", err)
			return
		}
		if a.w.lives {
			a.sim.PollLiveness()
		}
		if err := a.sim.Check(); err != nil {
			a.w.fail("audio: %v", err)
			return
		}
		a.w.rest()
	}
}

// kill ends the audio process where it is.
func (a *simAudio) kill() {
	a.w.note("audio %d ends", a.gen)
	a.dead, a.call.over, a.beside.over = true, true, true
}

func (a *simAudio) close() {
	if a.closed {
		return
	}
	a.closed = true
	a.sim.Close()
	a.words.Close()
	a.journal.Close()
}
