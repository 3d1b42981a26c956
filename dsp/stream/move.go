package stream

import (
	"errors"
	"math"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/sequencer"
)

// fadeSeconds is how long what a cable brought no more fades out, and what it brings now fades in.
const fadeSeconds = 0.01

// fade is what becomes of a signal while a stream moves.
type fade int8

const (
	steady fade = iota
	coming
	going
)

// move is a stream taking over from another: what goes on, what changes, and for fadeSeconds what is still heard of the old one. Nothing of it is
// saved: a state is of a stream that has settled.
type move struct {
	old   *Stream
	kin   []int    // by node: the node of the old plan that it goes on as; -1: it is new
	heirs []int    // by node of the old plan: the other way
	stays [][]bool // by node and unit of the old stream: it is the new one's now

	groups []int // by group of voices: the old one that it goes on as; -1: it is new
	gates  []heldGate
	sets   []setting
	music  musicMove

	turns  []turn
	inputs []*input // that fade
	frozen []frozen
	up     []float32 // the gain of what comes, by frame of the block
	done   int       // frames
	frames int       // in all
}

// turn is a node that is rendered, of the new stream or the old one.
type turn struct {
	of   *Stream
	node int
}

// setting is a parameter that has another value in the new plan.
type setting struct {
	node, param int
	value       float64
}

// heldGate is a new module of a voice: its gate is open if the voice's is.
type heldGate struct {
	voice *voice
	unit  *unit
}

// frozen stands in for a signal that goes, and can be rendered no more since the new cables would then go round: its last value.
type frozen struct{ value, of []float32 }

// musicMove is what changes for the sequencer.
type musicMove struct {
	from     [sequencer.Tracks]int // by track: the old one that it goes on as; -1: it is new
	released []int                 // old tracks whose notes end
	patterns []patch.Pattern       // that are others now
	bar      bool                  // another signature
}

var errMoving = errors.New("the stream is still moving on from another: it can be saved once that is over")

// InTransition tells whether the stream has taken over from another less than fadeSeconds ago. It cannot be saved then.
func (s *Stream) InTransition() bool { return s.move != nil }

// prepare computes the gains of the block that is to be rendered.
func (m *move) prepare() {
	if m == nil {
		return
	}
	for k := range m.up {
		m.up[k] = min(1, float32(m.done+k+1)/float32(m.frames))
	}
}

// over counts a block's frames, and tells whether all fades have ended with it.
func (m *move) over(frames int) bool {
	if m == nil {
		return false
	}
	m.done += frames
	return m.done >= m.frames
}

// settle forgets the old stream.
func (s *Stream) settle() {
	if s.move == nil {
		return
	}
	for _, in := range s.move.inputs {
		in.via = nil
	}
	s.move = nil
}

// gather is what an input hears in the frames [from, to) of the block.
func (m *move) gather(in *input, from, to int) []float32 {
	if m == nil || in.via == nil {
		return in.gather(from, to)
	}
	m.blend(in.sum[from:to], in, from, to)
	return in.sum[from:to]
}

// blend sums what an input hears.
func (m *move) blend(sum []float32, in *input, from, to int) {
	clear(sum)
	list := in.from
	if m != nil && in.via != nil {
		list = in.via
	}
	for i := range list {
		sig := &list[i]
		if sig.silent() {
			continue
		}
		switch buf := sig.buf[from:to]; sig.fade {
		case steady:
			for k, v := range buf {
				sum[k] += v
			}
		case coming:
			for k, v := range buf {
				sum[k] += float32(v * m.up[from+k])
			}
		case going:
			for k, v := range buf {
				sum[k] += float32(v * (1 - m.up[from+k]))
			}
		}
	}
}

// Switch ends this stream at a block boundary: the one that was made by Follow goes on in its place, as after the command seq. What is due at the boundary's frame
// is carried out before. It allocates nothing.
func (s *Stream) Switch(to *Stream, seq uint64) {
	m := to.move
	frame := s.block * uint64(s.plan.Block)
	s.settle()
	if s.music.seq != nil {
		s.music.seq.Advance(frame)
	}
	s.applyDue(frame)
	for i := range s.nodes {
		s.nodes[i].hear()
	}
	for _, t := range m.music.released {
		s.releaseTrack(t)
	}
	to.block, to.seq = s.block, seq
	to.faults, to.ignored, to.faulty = s.faults, s.ignored, uint16(max(0, m.heirs[s.faulty]))
	to.amp, to.guard, to.all, to.probe = s.amp, s.guard, s.all, s.probe
	to.pending = s.pending
	to.ignored += uint64(to.pending.translate(m.heirs))
	for i, k := range m.kin {
		if k >= 0 {
			to.nodes[i].bypass = s.nodes[k].bypass
		}
	}
	for g, k := range m.groups {
		if k >= 0 {
			to.voices[g].count, to.voices[g].last = s.voices[k].count, s.voices[k].last
		}
	}
	for _, h := range m.gates {
		if h.voice.held {
			h.unit.Gate(true)
		}
	}
	for _, f := range m.frozen {
		last := f.of[len(f.of)-1]
		for k := range f.value {
			f.value[k] = last
		}
	}
	to.takeMusic(s, frame)
	for _, c := range m.sets {
		to.probe.Store(uint64(c.node) + 1)
		if to.nodes[c.node].pseudo {
			to.music.conduct(c.node-to.music.node-1, c.param, c.value, frame)
		} else {
			to.set(c.node, c.param, c.value)
		}
	}
	to.probe.Store(0)
	if len(m.inputs) == 0 {
		to.move = nil // nothing is heard that was not
	}
}

// releaseTrack ends the note that a track sounds.
func (s *Stream) releaseTrack(track int) {
	key, sounds := s.music.seq.Release(track)
	if group := s.music.tracks[track].Group; sounds && group != patch.NoGroup {
		s.endNote(group, key)
	}
}

// takeMusic lets the sequencer go on, with the new plan's tracks and patterns.
func (s *Stream) takeMusic(old *Stream, frame uint64) {
	m, plan := &s.move.music, &s.plan.Music
	switch {
	case s.music.seq == nil:
		return
	case old.music.seq == nil:
		s.compose(frame)
		return
	}
	s.music.seq = old.music.seq
	seq := s.music.seq
	for i := range m.patterns {
		must(seq.SetPattern(m.patterns[i].Number, &m.patterns[i].Pattern))
	}
	seq.Arrange(m.from)
	if m.bar {
		must(seq.SetSignature(plan.Bar[0], plan.Bar[1]))
	}
	for i := range plan.Tracks {
		t := &plan.Tracks[i]
		k := m.from[i]
		if k < 0 || old.plan.Music.Tracks[k].Division != t.Division {
			must(seq.SetDivision(i, t.Division))
		}
		must(seq.SetSteps(i, t.Steps))
		if k < 0 {
			must(seq.SetSwing(i, t.Swing))
			must(seq.SetTranspose(i, t.Transpose))
			must(seq.SetMute(i, t.Mute))
			must(seq.Assign(i, t.Pattern, sequencer.AtBar))
		}
	}
}

// translate gives the commands that wait the numbers that their nodes have in another plan, and drops those whose nodes are gone.
func (p *pending) translate(heirs []int) (dropped int) {
	n := p.n
	p.n = 0
	for _, c := range p.list[:n] { // put overwrites nothing that has not been read: what is kept is never more
		if k := heirs[c.Node]; k < 0 || k > math.MaxUint16 {
			dropped++
			continue
		} else {
			c.Node = uint16(k)
		}
		p.put(c)
	}
	return dropped
}
