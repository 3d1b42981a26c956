//go:build sim

package replica

import (
	"fmt"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/launch"
	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/actors/internal/survivors"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// simEngines are the engines of a run: the first, and those that took over from one another.
type simEngines struct {
	sets         []*Set // of those that are gone
	busy         bool   // the engine must not be killed: it plays the kernel's part
	nextEngineAt int    // the tick at which another takes over
	fragile      uint64 // the block of the checkpoint at the take-over: until the next one, not all workers may end
	adopted      bool
	sockets      []*sys.Socket
	engines      int
	adopting     bool
}

// killEngine kills the engine, wherever it is. Its processes play on. The commands since the
// checkpoint must still be in the rings: real rings hold 16,384, those of the simulation fewer.
func (w *simWorld) killEngine() {
	r := w.set
	if w.busy || w.engine.over || !w.whole() || w.spoiled() || w.fragileNow() || r.log.Last()+4 > r.checkpoint.last.Seq+shm.CommandEntries {
		return
	}
	w.note("the engine ends")
	w.engine.over, w.nextEngineAt = true, w.ticks+1+w.rng.IntN(12)
	if !w.gentle && w.oneIn(2) {
		w.killSome(1)
	}
}

// fragileNow reports whether no checkpoint has been taken since an engine took over.
func (w *simWorld) fragileNow() bool { return w.adopted && w.set.checkpoint.last.Block == w.fragile }

// takeOver is an engine that takes over.
func (w *simWorld) takeOver() {
	w.busy, w.adopting = true, true
	old := w.set
	cfg := old.cfg
	cfg.Lead, cfg.Resume = 0, true // rings here are shorter than of a lead that was asked for
	left := w.survivors()
	mem, err := Usable(left)
	if err != nil {
		w.fail("take over: %v", err)
		return
	}
	out := w.output(mem)
	r, err := TakeOver(cfg, mem, nil, left, simOutput{out, w}, simObserver{w})
	if err != nil {
		w.fail("take over: %v", err)
		return
	}
	w.out = out
	r.isStopped = old.isStopped
	r.pool.Simulate(nil)
	r.lastTick = w.now
	for _, s := range r.slots {
		s.Since, s.Progress.At = w.now, w.now
	}
	w.sets, w.set = append(w.sets, old), r
	w.adopted, w.fragile, w.adopting = true, r.checkpoint.last.Block, false
	w.checkCommands(old)
	w.endStrays()
	w.connectSim(w.audio)
	w.note("event: %v, at command %d, plan %d", r.life.news[0], r.log.Last(), r.plans.Current().Number)
	w.busy = false
	w.serve()
}

// survivors is what survivors.Find would find.
func (w *simWorld) survivors() *survivors.Survivors {
	r := w.set
	take := func(s *shm.Segment) *shm.Segment {
		t, err := shm.Adopt(dup(s.FD()))
		if err != nil {
			w.fail("take: %v", err)
		}
		return t
	}
	h := &survivors.Survivors{
		Control: take(r.mem.Control.Segment), Journal: take(r.mem.Journal.Segment),
		Checkpoints: take(r.mem.Checkpoints.Segment), Plans: take(r.mem.Plans.Segment),
	}
	for _, s := range r.slots {
		if s.Ring != nil {
			h.Rings = append(h.Rings, take(s.Ring))
		}
		if p := w.workers[s.Number]; p != nil && !p.dead && p.gen == s.Generation {
			ring := s.Ring
			if s.Next != nil {
				ring = s.Next
			}
			h.Workers = append(h.Workers, &survivors.Survivor{
				Role: survivors.RoleWorker, Process: sys.Process{FD: -1}, Slot: take(ring), Snapshot: take(s.Snapshot),
			})
		}
	}
	return h
}

// checkCommands compares the commands that were taken over with those that were sent. Any number of
// the last ones may be missing.
func (w *simWorld) checkCommands(old *Set) {
	last := w.set.log.Last()
	if last < old.mem.Control.Committed() || last > uint64(len(w.commands)) {
		w.fail("an engine takes over %d commands; %d were committed, %d sent", last, old.mem.Control.Committed(), len(w.commands))
		return
	}
	w.commands = w.commands[:last]
	for _, b := range w.batches {
		b.to = min(b.to, last)
	}
	if w.bomb > last {
		w.bomb = 0
	}
	w.change = nil
	for _, c := range w.set.log.Commands() {
		want := w.commands[c.Seq-1]
		want.Seq = c.Seq
		if c != want && w.amendedTo(c.Seq, want) != c {
			w.fail("an engine takes over command %+v, it was %+v", c, want)
		}
	}
}

// endStrays ends the workers without a slot.
func (w *simWorld) endStrays() {
	for _, s := range w.set.slots {
		p := w.workers[s.Number]
		if p == nil || s.Phase != slots.Empty {
			continue
		}
		w.kill(p)
		w.drop(p.tasks()...)
		p.close()
		w.spawnAt[s.Number] = w.now
	}
}

// closeEngines unmaps the segments of all engines but the last.
func (w *simWorld) closeEngines() {
	for _, r := range w.sets {
		for _, s := range r.slots {
			s.Release()
			launch.CloseSegment(&s.Ring)
		}
		for _, s := range []*shm.Segment{r.mem.Control.Segment, r.mem.Journal.Segment, r.mem.Checkpoints.Segment, r.mem.Plans.Segment} {
			s.Close()
		}
	}
	for _, s := range w.sockets {
		_ = s.Close()
	}
}

// startNextEngine starts the engine that takes over, when it is time.
func (w *simWorld) startNextEngine() {
	if w.engine.over && w.ticks >= w.nextEngineAt {
		w.engines++
		w.engine = w.start(fmt.Sprint("engine ", w.engines), w.takeOver)
	}
}

// simBatch are commands that enter together: those in (from, to].
type simBatch struct{ from, to uint64 }

// sendTogether enters commands that were resolved with the current plan.
func (w *simWorld) sendTogether(list []shm.Command) {
	from := uint64(len(w.commands))
	var b commandlog.Batch
	for _, c := range list {
		c.Plan = w.set.plans.Current().Number
		w.commands = append(w.commands, c)
		b.Requests = append(b.Requests, commandlog.Request{Commands: []shm.Command{c}})
	}
	b.Plan = w.set.plans.Current().Number
	w.batches = append(w.batches, &simBatch{from, uint64(len(w.commands))})
	if in, err := w.set.enter(b); err != nil {
		w.commands, w.batches = w.commands[:from], w.batches[:len(w.batches)-1]
	} else if in.last != uint64(len(w.commands)) {
		w.fail("the last of %d commands was numbered %d", len(w.commands), in.last)
	}
}
