//go:build sim

package replica

import (
	"strings"

	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/dsp/stream"
	"github.com/music-chronus/chronus/shm"
)

// simCheck compares what is published and played with an uninterrupted render of the same
// decisions.
type simCheck struct {
	w         *simWorld
	reference *stream.Stream
	commands  []shm.Command // those committed, or about to be; the first has Seq 1
	seq       uint64        // the last that has entered the reference
	plan      uint64        // of the reference
	poisoned  bool          // a command in the reference's last block should have crashed every worker that rendered it
	decided   []shm.Decision
	blocks    [][]float32
	panics    map[uint64]bool      // blocks in which a worker panicked
	seen      uint64               // the clock
	fitted    [shm.MaxSlots]uint64 // the last generation that was ready
	copies    int                  // blocks published
	kept      uint64               // the block of the last checkpoint
	keeps     int                  // checkpoints taken
}

// published checks a block that p has just published.
func (c *simCheck) published(p *simWorker, n uint64) {
	w, name := c.w, p.render.name
	c.copies++
	head := w.set.mem.Journal.Head(p.slot)
	if !head.Of(p.gen) || head.Published() != n+1 {
		w.fail("%s published block %d, its head is %x", name, n, uint64(head))
		return
	}
	d, ok := w.set.mem.Journal.Decision(n)
	switch late := n < uint64(len(c.blocks)); {
	case ok && !d.Sealed():
		w.fail("%s published block %d unsealed: %v", name, n, d)
		return
	case !ok && !late:
		w.fail("%s published block %d undecided: %v", name, n, d)
		return
	case ok && !late:
		if !c.render(n, d) {
			return
		}
	case ok && d != c.decided[n]:
		w.fail("block %d was decided %v, and now %v", n, c.decided[n], d)
	}
	reader := w.set.slots[p.slot].Ring.AudioReader()
	hash, held := reader.Hash(n, head)
	want := shm.Hash(c.blocks[n])
	if got := shm.Hash(reader.Block(n)); !held || hash != want || got != want {
		w.fail("%s published block %d with hash %x, it is %x, the uninterrupted render's is %x", name, n, hash, got, want)
	}
}

// render makes the reference render its next block.
func (c *simCheck) render(n uint64, d shm.Decision) bool {
	w := c.w
	committed := w.set.mem.Control.Committed()
	switch {
	case n != uint64(len(c.blocks)):
		w.fail("block %d was published before block %d", n, len(c.blocks))
	case d.Seq() < c.seq || d.Seq() > committed:
		w.fail("block %d: %v, after %d, with %d committed", n, d, c.seq, committed)
	case d.Skip() && !c.panics[n]:
		w.fail("block %d leaves out commands, and nobody has panicked in it: %v", n, d)
	}
	for _, b := range w.batches {
		if b.from < d.Seq() && d.Seq() < b.to {
			w.fail("block %d: %v cuts the commands after %d up to %d", n, d, b.from, b.to)
		}
	}
	for ; c.seq < d.Seq() && w.failure == nil; c.seq++ {
		c.enter(n, c.amendedTo(c.seq+1, c.commands[c.seq]), d.Skip())
	}
	if w.failure != nil {
		return false
	}
	block := make([]float32, w.set.mem.Geometry.Block*w.set.mem.Geometry.Channels)
	if c.reference.Render(block); c.poisoned {
		w.fail("block %d was published with poison in it: %v", n, d)
		return false
	}
	c.blocks, c.decided = append(c.blocks, block), append(c.decided, d)
	return true
}

// amendedTo returns what an engine has put in the place of the command seq.
func (c *simCheck) amendedTo(seq uint64, m shm.Command) shm.Command {
	for _, r := range append(c.w.sets[:len(c.w.sets):len(c.w.sets)], c.w.set) {
		for _, a := range r.log.Amended() {
			if a.Seq == seq {
				m = a
			}
		}
	}
	return m
}

// mayEnd checks why a worker's loop has ended.
func (c *simCheck) mayEnd(p *simWorker, n uint64, err error) {
	c.w.note("%s: %v", p.render.name, err)
	d, ok := c.w.set.mem.Journal.Decision(n)
	switch text := err.Error(); {
	case c.w.gentle: // only a worker that others overtake while it is stopped has reason to end
		c.w.fail("%s: %v, decision %v", p.render.name, err, d)
	case strings.Contains(text, "decision changed") && (ok && d.Skip() || !ok):
	case strings.Contains(text, "reaches back") && !ok:
	default:
		c.w.fail("%s: %v, decision %v", p.render.name, err, d)
	}
}

// fit checks that a worker which has just become ready holds all that may be played from now on.
func (c *simCheck) fit(s *slots.Slot) {
	w, r := c.w, c.w.set
	clock, head, active := r.mem.Control.Clock(), r.mem.Journal.Head(s.Number), r.mem.Control.Active().Slot()
	for n := clock; n < head.Published(); n++ {
		if !s.Ring.AudioReader().Holds(n, head) {
			w.fail("worker %d became ready at clock %d, with head %d, and does not hold block %d", s.Number, clock, head.Published(), n)
		}
	}
	if clock > 0 && r.mem.Control.Mapped(s.Number) != s.Generation {
		w.fail("worker %d became ready, and the callback has no ring of it", s.Number)
	}
	// Others may have published since the worker became ready, but not much if all keep up.
	if w.gentle && clock > 0 && head.Published()+uint64(w.call())+1 < r.mem.Journal.Published(active) {
		w.fail("worker %d became ready at %d, when the active one was at %d", s.Number, head.Published(), r.mem.Journal.Published(active))
	}
}

// observe checks what was played since the last call.
func (c *simCheck) observe() {
	w := c.w
	if b := w.set.checkpoint.last.Block; b > c.kept {
		c.kept, c.keeps = b, c.keeps+1
	}
	clock := w.set.mem.Control.Clock()
	if clock < c.seen || clock > uint64(len(c.blocks)) {
		w.fail("the clock went from %d to %d, with %d blocks published", c.seen, clock, len(c.blocks))
		return
	}
	for ; c.seen < clock; c.seen++ {
		hash, ok := w.set.mem.Control.Heard(c.seen)
		if want := shm.Hash(c.blocks[c.seen]); !ok || hash != want {
			w.fail("block %d was heard with hash %x, %t, the uninterrupted render's is %x", c.seen, hash, ok, want)
			return
		}
	}
	for _, s := range w.set.slots {
		if s.Generation != c.fitted[s.Number] && w.set.mem.Control.Active().Ready(s.Number) {
			c.fitted[s.Number] = s.Generation
			c.fit(s)
		}
		if !w.adopting && s.Phase == slots.Ready && !s.Condemned && !s.Exiting && s.Commands.Tail() < w.set.mem.Control.Committed() {
			w.fail("%d commands are committed, and the ring of worker %d has %d", w.set.mem.Control.Committed(), s.Number, s.Commands.Tail())
			return
		}
	}
	if n := w.set.mem.Control.Counters().Concealed; w.gentle && n > 0 {
		w.fail("%d blocks were concealed, with one failure at a time", n)
	}
}

// simSound is what a device should receive: all of each block, once, in order.
type simSound struct {
	w     *simWorld
	left  []simFrame // of the block being played
	faded int        // frames that may still be faded
	out   []float32
}

type simFrame struct {
	value float32
	known bool // not concealed, not faded
}

func newSimSound(w *simWorld) simSound { return simSound{w: w, out: make([]float32, w.period)} }

// fill takes n frames of the player, and compares them.
func (s *simSound) fill(a *simAudio, n int) {
	w := s.w
	var clock, concealed uint64
	read := func() { clock, concealed = w.set.mem.Control.Clock(), w.set.mem.Control.Counters().Concealed }
	w.look(read)
	first, before := clock, concealed
	a.sim.Fill(s.out[:n])
	w.look(read)
	played, hidden := int(clock-first), int(concealed-before)
	block := int(w.set.mem.Geometry.Block)
	need := max(0, (n-len(s.left)+block-1)/block)
	if need > 0 && played+hidden == 0 {
		return // idle
	}
	if played+hidden != need {
		w.fail("%d frames took %d blocks and %d concealed, not %d", n, played, hidden, need)
		return
	}
	for i := range need {
		s.add(first+uint64(i), hidden == 0)
	}
	for i, v := range s.out[:n] {
		if f := s.left[i]; f.known && f.value != v {
			w.fail("frame %d of a call at block %d is %g, it should be %g", i, first, v, f.value)
			return
		}
	}
	s.left = append(s.left[:0], s.left[n:]...)
}

// add appends block n, or a concealed one.
func (s *simSound) add(n uint64, held bool) {
	const fade = 40 // frames, 5 ms
	if !held {
		s.faded = fade
	}
	for i := range int(s.w.set.mem.Geometry.Block) {
		f := simFrame{}
		if held {
			f = simFrame{s.w.blocks[n][i], s.faded == 0}
			s.faded = max(0, s.faded-1)
		}
		s.left = append(s.left, f)
	}
}
