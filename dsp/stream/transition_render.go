package stream

import (
	"errors"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/sequencer"
	"github.com/music-chronus/chronus/dsp/stream/internal/voicing"
)

// fadeSeconds is how long a transition lasts: old signals of an input fade out, new ones fade in.
const fadeSeconds = 0.01

// fade is what a transition does to a signal of an input.
type fade int8

const (
	steady fade = iota
	fadingIn
	fadingOut
)

// transition is the switch from an old stream, with another plan, to the stream that owns it. The
// transition says which nodes continue, what changes, and what is still heard of the old stream for
// fadeSeconds. A saved state contains none of it, so a stream cannot be saved during a transition.
type transition struct {
	old          *Stream
	predecessors []int    // by node: its node in the old plan; -1: new
	successors   []int    // by node of the old plan: its node in the new plan; -1: removed
	reused       [][]bool // by node and unit of the old stream: the new stream owns the unit

	groups []int // by voice group: its group in the old plan; -1: new
	gates  []newGate
	sets   []setting
	music  musicChange

	steps       []step
	inputs      []*input // those that fade
	heldSignals []heldSignal
	gains       []float32 // of signals that fade in, by frame of the block
	elapsed     int       // frames
	frames      int       // in all
}

// step is a node that is rendered in a transition, of the new stream or the old one.
type step struct {
	stream *Stream
	node   int
}

// setting is a parameter whose value differs in the new plan.
type setting struct {
	node, param int
	value       float64
}

// newGate is a new module of an existing voice. Its gate opens if the voice holds a note.
type newGate struct {
	voice *voicing.Voice
	unit  *unit
}

// heldSignal replaces a signal that fades out, by its last value, where rendering the signal
// further would make the new cables form a cycle.
type heldSignal struct{ value, of []float32 }

// musicChange is what a transition changes in the sequencer.
type musicChange struct {
	from     [sequencer.Tracks]int // by track: its track in the old plan; -1: new
	released []int                 // old tracks whose notes end
	patterns []patch.Pattern       // changed patterns
	bar      bool                  // the signature changes
}

var errInTransition = errors.New("save: the stream still fades from its previous plan; try again after 10 ms")

// InTransition tells whether the stream switched from another one less than 10 ms (fadeSeconds)
// ago. Save fails then.
func (s *Stream) InTransition() bool { return s.transition != nil }

// prepareGains computes the gains of the next block.
func (t *transition) prepareGains() {
	if t == nil {
		return
	}
	for k := range t.gains {
		t.gains[k] = min(1, float32(t.elapsed+k+1)/float32(t.frames))
	}
}

// done counts a block's frames and tells whether all fades have ended.
func (t *transition) done(frames int) bool {
	if t == nil {
		return false
	}
	t.elapsed += frames
	return t.elapsed >= t.frames
}

// endTransition drops the old stream.
func (s *Stream) endTransition() {
	if s.transition == nil {
		return
	}
	for _, in := range s.transition.inputs {
		in.blended = nil
	}
	s.transition = nil
}

// gather sums the sources of an input in the frames [from, to) of the block.
func (t *transition) gather(in *input, from, to int) []float32 {
	if t == nil || in.blended == nil {
		return in.gather(from, to)
	}
	t.blend(in.sum[from:to], in, from, to)
	return in.sum[from:to]
}

// blend sums the sources of an input, faded, into sum.
func (t *transition) blend(sum []float32, in *input, from, to int) {
	clear(sum)
	list := in.from
	if t != nil && in.blended != nil {
		list = in.blended
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
		case fadingIn:
			for k, v := range buf {
				sum[k] += float32(v * t.gains[from+k])
			}
		case fadingOut:
			for k, v := range buf {
				sum[k] += float32(v * (1 - t.gains[from+k]))
			}
		}
	}
}

// Switch ends this stream at a block boundary, after the command seq, and begins to, which
// PrepareTransition made from this stream. Commands due at the boundary's frame are applied first.
// The caller renders only to from then on. Switch allocates nothing.
func (s *Stream) Switch(to *Stream, seq uint64) {
	t := to.transition
	frame := s.block * uint64(s.plan.Block)
	s.endTransition()
	if s.music.seq != nil {
		s.music.seq.Advance(frame)
	}
	s.applyDue(frame)
	for i := range s.nodes {
		s.nodes[i].unmute()
	}
	for _, track := range t.music.released {
		s.releaseTrack(track)
	}
	to.block, to.seq = s.block, seq
	to.faults, to.ignored, to.faulty = s.faults, s.ignored, uint16(max(0, t.successors[s.faulty]))
	to.amp, to.limiter, to.controls, to.probe = s.amp, s.limiter, s.controls, s.probe
	to.pending = s.pending
	to.ignored += uint64(to.pending.translate(t.successors))
	for i, k := range t.predecessors {
		if k >= 0 {
			to.nodes[i].bypass = s.nodes[k].bypass
		}
	}
	for g, k := range t.groups {
		if k >= 0 {
			to.voices[g].Continue(&s.voices[k])
		}
	}
	for _, g := range t.gates {
		if g.voice.Held {
			g.unit.Gate(true)
		}
	}
	for _, h := range t.heldSignals {
		last := h.of[len(h.of)-1]
		for k := range h.value {
			h.value[k] = last
		}
	}
	to.takeMusic(s, frame)
	to.applySettings(frame)
	if len(t.inputs) == 0 {
		to.transition = nil // every input hears what it heard before
	}
}

// applySettings sets the parameters that differ in the new plan.
func (s *Stream) applySettings(frame uint64) {
	for _, c := range s.transition.sets {
		s.probe.Store(uint64(c.node) + 1)
		if s.nodes[c.node].pseudo {
			s.music.setParam(c.node-s.music.node-1, c.param, c.value, frame)
		} else {
			s.set(c.node, c.param, c.value)
		}
	}
	s.probe.Store(0)
}

// releaseTrack ends the note that a track plays.
func (s *Stream) releaseTrack(track int) {
	key, sounds := s.music.seq.Release(track)
	if group := s.music.tracks[track].Group; sounds && group != patch.NoGroup {
		s.endNote(group, key)
	}
}

// takeMusic takes the old stream's sequencer and gives it the new plan's tracks and patterns.
func (s *Stream) takeMusic(old *Stream, frame uint64) {
	change, plan := &s.transition.music, &s.plan.Music
	switch {
	case s.music.seq == nil:
		return
	case old.music.seq == nil:
		s.loadMusic(frame)
		return
	}
	s.music.seq = old.music.seq
	seq := s.music.seq
	for i := range change.patterns {
		must(seq.SetPattern(change.patterns[i].Number, &change.patterns[i].Pattern))
	}
	seq.Arrange(change.from)
	if change.bar {
		must(seq.SetSignature(plan.Bar[0], plan.Bar[1]))
	}
	for i := range plan.Tracks {
		t := &plan.Tracks[i]
		k := change.from[i]
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
