//go:build sim

package replica

import (
	"time"

	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/shm"
)

// mayHurt reports whether another fault may be injected now. In a gentle run, the engine must have
// recovered from the last one.
func (w *simWorld) mayHurt() (ok bool) {
	w.look(func() {
		ok = w.inReach() && !w.engine.over && !w.adopting && !w.fragileNow() && (!w.gentle || w.whole() && w.full() && w.ticks > w.brokenAt+2)
	})
	return ok
}

// inReach reports whether the journal still reaches back to the checkpoint. A real journal of
// 65,536 blocks always does. All workers may end together at any time, so until it does, there are
// no faults and no haste.
func (w *simWorld) inReach() bool { return w.seen < w.set.checkpoint.last.Block+shm.Laps/3 }

// inReachNow is inReach for a task.
func (w *simWorld) inReachNow() (ok bool) {
	w.look(func() { ok = w.inReach() })
	return ok
}

// whole reports whether every worker is ready, and no process is stopped or ending.
func (w *simWorld) whole() bool {
	r := w.set
	if r.mem.Control.Active().ReadyCount() < len(r.slots) || r.mem.Control.Transport() != shm.Play || w.engine.frozen || w.engine.over || w.busy && w.adopting || w.audio.dead || !w.audio.sim.Started() || w.seq < w.bomb || w.change != nil && w.change.outcome != simGood {
		return false
	}
	for _, s := range r.slots {
		p := w.workers[s.Number]
		if s.Phase != slots.Ready || s.Generation != p.gen || p.dead || p.trapped || p.thawAt > 0 {
			return false
		}
	}
	return true
}

// call is how many blocks the device takes in one call.
func (w *simWorld) call() int {
	block := int(w.set.mem.Geometry.Block)
	return (w.period + block - 1) / block
}

// full reports whether every worker has its lead. A standby is one call behind, as is a worker just
// after its call.
func (w *simWorld) full() bool {
	r := w.set
	for _, s := range r.slots {
		if r.mem.Journal.Published(s.Number)+2*uint64(w.call()) < r.mem.Control.Clock()+r.mem.Control.Lead() {
			return false
		}
	}
	return true
}

// hurt injects a fault at random.
func (w *simWorld) hurt() {
	if !w.oneIn(w.trouble) || !w.mayHurt() {
		return
	}
	w.faults++
	p := w.workers[w.rng.IntN(len(w.set.slots))]
	if w.oneIn(2) {
		p = w.workers[w.set.mem.Control.Active().Slot()]
	}
	if p == nil || p.dead {
		return
	}
	switch w.rng.IntN(17) {
	case 0, 1, 2, 3:
		w.kill(p)
	case 4, 5, 6:
		w.halt(p)
	case 7:
		p.trapped = true
	case 8:
		if !w.audio.dead {
			w.audio.kill()
		}
	case 9:
		w.note("the engine stops")
		w.engine.frozen, w.engineAt = true, w.ticks+1+w.rng.IntN(12)
	case 10:
		w.killSome(2)
	case 11:
		if w.oneIn(3) {
			w.killSome(len(w.set.slots))
		}
	case 12:
		w.overtake()
	case 13, 14:
		w.killEngine()
	case 15, 16:
		w.spoiling = true
	}
}

// spoil flips a bit in the ring of a starting worker, once the worker has mapped it. The audio
// process refuses such a ring.
func (w *simWorld) spoil() {
	if !w.spoiling || w.engine.over || w.adopting {
		return
	}
	for _, s := range w.set.slots {
		if p := w.workers[s.Number]; s.Phase == slots.Starting && p.gen == s.Generation && !p.dead && p.sim != nil && p.maker == nil {
			w.note("the ring of %s is spoiled", p.render.name)
			s.Next.Spoil()
			w.spoiling = false
			w.spoils++
			return
		}
	}
}

// spoiled reports whether the ring of a slot is spoiled: no engine could take it over.
func (w *simWorld) spoiled() bool {
	for _, s := range w.set.slots {
		if s.Ring != nil && s.Ring.Spoiled() || s.Next != nil && s.Next.Spoiled() {
			return true
		}
	}
	return false
}

// killSome kills up to n workers at once; in a gentle run one.
func (w *simWorld) killSome(n int) {
	if w.gentle {
		n = 1
	}
	first := w.rng.IntN(len(w.set.slots))
	for i := range min(n, len(w.set.slots)) {
		if p := w.workers[(first+i)%len(w.set.slots)]; p != nil {
			w.kill(p)
		}
	}
}

// overtake stops the active worker and makes its successor panic. When the first continues, its
// block may have another decision.
func (w *simWorld) overtake() {
	if w.gentle {
		return
	}
	active := w.set.mem.Control.Active().Slot()
	for _, s := range w.set.slots {
		switch p := w.workers[s.Number]; {
		case p == nil || p.dead:
		case s.Number == active:
			w.halt(p)
			p.thawAt = w.ticks + 4 + w.rng.IntN(8)
		case w.oneIn(2):
			p.trapped = true
		}
	}
}

// halt stops a worker, which goes on some ticks later if it is not killed meanwhile.
func (w *simWorld) halt(p *simWorker) {
	w.note("%s is stopped", p.render.name)
	p.stop(true)
	p.thawAt = w.ticks + 1 + w.rng.IntN(1<<w.rng.IntN(6))
}

// nextTick wakes the tasks that rest, and continues processes that were stopped for long enough.
func (w *simWorld) nextTick() {
	w.ticks++
	w.now = w.now.Add(w.pace)
	if !w.whole() {
		w.brokenAt = w.ticks
	}
	w.tick()
	w.startNextEngine()
	if w.engine.frozen && w.ticks >= w.engineAt {
		w.engine.frozen = false
	}
	for _, p := range w.workers {
		if p != nil && p.thawAt > 0 && w.ticks >= p.thawAt {
			p.thawAt = 0
			p.stop(false)
			if !p.dead {
				w.note("%s goes on", p.render.name)
			}
		}
	}
}

// storm injects faults until so many blocks are played.
func (w *simWorld) storm(blocks uint64, turns int) {
	for range turns {
		if w.failure != nil || w.seen >= blocks {
			return
		}
		w.kernel()
		w.hurt()
		w.spoil()
		if hasty := !w.gentle && w.inReach() && w.oneIn(w.haste); hasty || !w.turn() {
			w.nextTick()
		}
		w.observe()
	}
}

// settle injects no more faults. Within a bounded number of ticks, every worker must be ready,
// every command must have entered, and no block may be concealed any more.
func (w *simWorld) settle() {
	w.calm, w.trouble, w.music, w.spur, w.pace = true, 0, 0, 0, 50*time.Millisecond
	w.engineAt, w.nextEngineAt = 0, 0
	for _, p := range w.workers {
		if p != nil {
			p.thawAt, p.trapped = min(p.thawAt, 1), false // where the node is bypassed, a trap would wait for ever
		}
	}
	const patience, quiet = 1000, 8
	good, concealed := 0, uint64(0)
	for limit := w.ticks + patience; w.ticks < limit && good < quiet && w.failure == nil; w.observe() {
		w.kernel()
		if w.turn() {
			continue
		}
		good++
		if n := w.set.mem.Control.Counters().Concealed; !w.whole() || w.seq < uint64(len(w.commands)) || n > concealed || w.plansLeft() != "" {
			good, concealed = 0, n
		}
		w.nextTick()
	}
	if good < quiet {
		w.fail("not whole after %d calm ticks: %v, %d of %d commands in, plans: %q%v", patience, w.set.mem.Control.Active(), w.seq, len(w.commands), w.plansLeft(), w.simSched)
	}
	for _, c := range w.spurned {
		select {
		case <-c.told:
		case <-time.After(10 * time.Second):
			w.fail("plan %d was left out, and nobody was told", c.Number)
		}
	}
}
