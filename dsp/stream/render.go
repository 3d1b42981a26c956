package stream

import (
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream/internal/voicing"
)

// Render renders the next block into out: the plan's Block times Channels samples, interleaved.
// Commands take effect at their exact frames. Render allocates nothing.
func (s *Stream) Render(out []float32) {
	n := s.plan.Block
	for i := range s.nodes {
		s.nodes[i].unmute()
	}
	s.transition.prepareGains()
	start := s.block * uint64(n)
	for at := 0; at < n; {
		s.applyEvents(start + uint64(at))
		end := uint64(n)
		for _, next := range [...]func() (uint64, bool){s.pending.next, s.music.next} {
			if frame, ok := next(); ok {
				end = min(end, frame-start)
			}
		}
		s.renderPiece(at, int(end))
		at = int(end)
	}
	s.renderFeedback()
	for g := range s.voices {
		s.voices[g].SleepSilent(n)
	}
	s.limiter.CountBlock()
	s.fanOut(out)
	s.block++
	if s.transition.done(n) {
		s.endTransition()
	}
}

// applyEvents applies what is due at a frame: commands first, then events of the sequencer.
func (s *Stream) applyEvents(frame uint64) {
	if s.music.seq != nil {
		s.music.seq.Advance(frame)
	}
	s.applyDue(frame)
	if s.music.seq != nil {
		s.music.seq.Take(frame, s.music.deliver)
	}
}

// renderPiece renders the frames [from, to) of the block. No event falls between them.
func (s *Stream) renderPiece(from, to int) {
	s.controls.Prepare(from, to)
	if s.transition == nil {
		for _, i := range s.plan.Order() {
			s.renderNode(s, i, from, to)
		}
	} else {
		for _, step := range s.transition.steps {
			s.renderNode(step.stream, step.node, from, to)
		}
	}
	s.probe.Store(0)
	left, right := s.mix[0][from:to], s.mix[1][from:to]
	s.transition.blend(left, &s.outs[0], from, to)
	s.transition.blend(right, &s.outs[1], from, to)
	for k := range left {
		amp := s.amp.Next()
		left[k] = float32(float64(float64(left[k]) * amp))
		right[k] = float32(float64(float64(right[k]) * amp))
	}
	s.limiter.Process(left, right)
}

// renderNode renders node i of this stream, or of the old stream in a transition.
func (s *Stream) renderNode(of *Stream, i, from, to int) {
	n, index := &of.nodes[i], i
	if of == s {
		s.probe.Store(uint64(i) + 1)
	} else {
		index = 0 // the new plan does not have the node
		s.probe.Store(0)
	}
	if n.feedback {
		return // renderFeedback wrote its output after the last block
	}
	for k := range n.units {
		if of != s && s.transition.reused[i][k] {
			continue
		}
		var v *voicing.Voice
		if n.group != patch.NoGroup {
			if v = of.voices[n.group].Voice(k / n.width); !v.Awake {
				continue
			}
		}
		if n.note {
			v.Render(&s.controls, n.units[k].out, from, to)
		} else {
			s.renderUnit(n, &n.units[k], index, from, to)
		}
	}
}

// renderUnit renders one module of node i.
func (s *Stream) renderUnit(n *node, u *unit, i, from, to int) {
	for k := range u.in {
		u.ins[k] = s.transition.gather(&u.in[k], from, to)
	}
	for k := range u.out {
		u.outs[k] = u.out[k][from:to]
	}
	switch {
	case u.mute:
		u.clear()
		return
	case n.bypass:
		n.passThrough(u)
		return
	}
	u.Render(u.ins, u.outs)
	for _, out := range u.outs {
		if !finite(out) {
			s.onFault(u, i)
			return
		}
	}
}

// onFault silences a unit of node i for the rest of the block and resets its state.
func (s *Stream) onFault(u *unit, i int) {
	u.clear()
	u.Reset()
	u.mute = true
	s.faults++
	s.faulty = uint16(i)
}

// maxMagnitude is the largest sample of a node. Only unstable filters exceed it.
const maxMagnitude = 1e6

// finite tells whether every sample is a number up to maxMagnitude.
func finite(x []float32) bool {
	for _, v := range x {
		if !(v <= maxMagnitude && v >= -maxMagnitude) {
			return false
		}
	}
	return true
}

// fanOut writes the mix to the channels: left and right alternate, a single channel gets the mean.
func (s *Stream) fanOut(out []float32) {
	c := s.plan.Channels
	for f, left := range s.mix[0] {
		right := s.mix[1][f]
		if c == 1 {
			out[f] = float32(left*0.5) + float32(right*0.5)
			continue
		}
		for k := range c {
			if k%2 == 0 {
				out[f*c+k] = left
			} else {
				out[f*c+k] = right
			}
		}
	}
}

// renderFeedback lets every feedback node take what it gives in the next block. The first pass
// reads all inputs before the second writes any output, so that none hears another's next block.
func (s *Stream) renderFeedback() {
	for pass := range 2 {
		s.feedbackPass(s, pass)
		if s.transition != nil {
			s.feedbackPass(s.transition.old, pass)
		}
	}
}

func (s *Stream) feedbackPass(of *Stream, pass int) {
	for i := range of.nodes {
		n := &of.nodes[i]
		if !n.feedback {
			continue
		}
		for k := range n.units {
			switch u := &n.units[k]; {
			case of != s && s.transition.reused[i][k]:
			case pass == 0:
				copy(u.next, s.transition.gather(&u.in[0], 0, s.plan.Block))
			default:
				copy(u.out[0], u.next)
			}
		}
	}
}
