//go:build sim

package actors

import (
	"fmt"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// simEngines are the engines of a run: the first, and those that took over from one another.
type simEngines struct {
	rigs     []*rig // of those that are gone
	busy     bool   // the engine is where it must not be killed: it plays the kernel's part
	heirAt   int    // the tick at which another takes over
	fragile  uint64 // the block of the snapshot that was kept when it did: until another is kept, all must not die
	adopted  bool
	sockets  []*sys.Socket
	engines  int
	adopting bool
}

// bereave kills the engine, wherever it is. Its processes play on. What it has not said about commands since the kept snapshot must still be in
// the rings, as it always is where they hold 16,384.
func (w *simWorld) bereave() {
	r := w.rig
	if w.busy || w.engine.over || !w.whole() || w.spoiled() || w.fragileNow() || r.log.Last()+4 > r.kept.Seq+shm.CommandEntries {
		return
	}
	w.note("the engine ends")
	w.engine.over, w.heirAt = true, w.ticks+1+w.rng.IntN(12)
	if !w.gentle && w.oneIn(2) {
		w.killSome(1)
	}
}

// fragileNow tells whether no snapshot has been kept since an engine took over.
func (w *simWorld) fragileNow() bool { return w.adopted && w.rig.kept.Block == w.fragile }

// succeed is an engine that takes over.
func (w *simWorld) succeed() {
	w.busy, w.adopting = true, true
	old := w.rig
	cfg := old.cfg
	cfg.Lead, cfg.Resume = 0, true // rings here are shorter than of a lead that was asked for
	r, err := adopt(cfg, nil, w.heritage(), w.told)
	if err != nil {
		w.fail("adopt: %v", err)
		return
	}
	r.cfg = old.cfg
	r.isStopped, r.spareAudio, r.stocking = old.isStopped, old.spareAudio, true
	r.looked = w.now
	for _, s := range r.slots {
		s.since, s.movedAt = w.now, w.now
	}
	w.rigs, w.rig = append(w.rigs, old), r
	w.adopted, w.fragile, w.adopting = true, r.kept.Block, false
	w.inheritCommands(old)
	w.endStrays()
	w.connectSim(w.audio)
	w.note("event: %v, at command %d, plan %d", r.news[0], r.log.Last(), r.present.number)
	w.busy = false
	w.serve()
}

// heritage is what inherit would find.
func (w *simWorld) heritage() *heritage {
	r := w.rig
	take := func(s *shm.Segment) *shm.Segment {
		t, err := shm.Adopt(dup(s.FD()))
		if err != nil {
			w.fail("take: %v", err)
		}
		return t
	}
	h := &heritage{control: take(r.control.Segment), journal: take(r.journal.Segment), kept: take(r.store.Segment), plans: take(r.plans.Segment)}
	for _, s := range r.slots {
		if s.ring != nil {
			h.rings = append(h.rings, take(s.ring))
		}
		if p := w.workers[s.number]; p != nil && !p.dead && p.gen == s.gen {
			ring := s.ring
			if s.next != nil {
				ring = s.next
			}
			h.workers = append(h.workers, &heir{member{Role: workerChild}, sys.Process{FD: -1}, take(ring), take(s.snap)})
		}
	}
	return h
}

// inheritCommands compares the commands that were taken over with those that were sent: of the last, any number.
func (w *simWorld) inheritCommands(old *rig) {
	last := w.rig.log.Last()
	if last < old.control.Committed() || last > uint64(len(w.commands)) {
		w.fail("an engine takes over %d commands; %d were committed, %d sent", last, old.control.Committed(), len(w.commands))
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
	for _, c := range w.rig.log.Commands() {
		want := w.commands[c.Seq-1]
		want.Seq = c.Seq
		if c != want && w.amendedTo(c.Seq, want) != c {
			w.fail("an engine takes over command %+v, it was %+v", c, want)
		}
	}
}

// endStrays ends who has no place.
func (w *simWorld) endStrays() {
	for _, s := range w.rig.slots {
		p := w.workers[s.number]
		if p == nil || s.phase != empty {
			continue
		}
		w.kill(p)
		w.drop(p.tasks()...)
		p.close()
		w.spawnAt[s.number] = w.now
	}
}

// closeEngines unmaps what engines before the last had.
func (w *simWorld) closeEngines() {
	for _, r := range w.rigs {
		for _, s := range r.slots {
			s.release()
			closeSegment(&s.ring)
		}
		for _, s := range []*shm.Segment{r.control.Segment, r.journal.Segment, r.store.Segment, r.plans.Segment} {
			s.Close()
		}
	}
	for _, s := range w.sockets {
		_ = s.Close()
	}
}

// comeHeirs begins an engine that takes over, when it is time.
func (w *simWorld) comeHeirs() {
	if w.engine.over && w.ticks >= w.heirAt {
		w.engines++
		w.engine = w.start(fmt.Sprint("engine ", w.engines), w.succeed)
	}
}

// simBatch are commands that enter together: those in (from, to].
type simBatch struct{ from, to uint64 }

// sendTogether enters commands that were resolved with the present plan.
func (w *simWorld) sendTogether(list []shm.Command) {
	from := uint64(len(w.commands))
	var b commandlog.Batch
	for _, c := range list {
		c.Plan = w.rig.present.number
		w.commands = append(w.commands, c)
		b.Requests = append(b.Requests, commandlog.Request{Commands: []shm.Command{c}})
	}
	b.Plan = w.rig.present.number
	w.batches = append(w.batches, &simBatch{from, uint64(len(w.commands))})
	if in, err := w.rig.enter(b); err != nil {
		w.commands, w.batches = w.commands[:from], w.batches[:len(w.batches)-1]
	} else if in.last != uint64(len(w.commands)) {
		w.fail("the last of %d commands was numbered %d", len(w.commands), in.last)
	}
}
