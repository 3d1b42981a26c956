package stream

import (
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream/internal/voicing"
)

func newControls(plan *patch.Plan) voicing.Controls {
	c, engine := voicing.NewControls(plan.Block), plan.Nodes()[0].Values
	c.Bend.Jump(engine[patch.EngineBend] / 12)
	c.Pressure.Jump(engine[patch.EnginePressure])
	c.Wheel.Jump(engine[patch.EngineWheel])
	return c
}

// wireVoices finds the signals that leave the voices: those that other nodes or the outputs hear.
func (s *Stream) wireVoices() {
	for i := range s.nodes {
		if s.nodes[i].group != patch.NoGroup {
			continue
		}
		for _, u := range s.nodes[i].units {
			for k := range u.in {
				s.addVoiceOutputs(u.in[k].from)
			}
		}
	}
	for c := range s.outs {
		s.addVoiceOutputs(s.outs[c].from)
	}
}

func (s *Stream) addVoiceOutputs(list []signal) {
	for _, sig := range list {
		for g := range s.voices {
			if sig.voice != nil {
				s.voices[g].AddOutput(sig.voice, sig.buf)
			}
		}
	}
}

// beginNote begins a note of a group, or ends it if the velocity is 0.
func (s *Stream) beginNote(group, key int, velocity float64) {
	g := &s.voices[group]
	if velocity == 0 {
		s.endNote(group, key)
		return
	}
	for i := range g.Len() { // the key may be played again before its note has ended
		if g.Voice(i).Plays(key) {
			s.releaseVoice(group, i)
		}
	}
	for u := range g.Unison() {
		i, woke := g.Begin(key, velocity, u)
		if woke {
			s.eachUnit(group, i, func(_ *node, u *unit) {
				u.Reset()
				u.clearBlock()
			})
			s.nodes[s.plan.NoteNode(group)].units[i].clearBlock()
		}
		s.gateVoice(group, i, true)
	}
	g.Began(key)
}

// endNote ends a note, or leaves it to the pedal.
func (s *Stream) endNote(group, key int) {
	g := &s.voices[group]
	for i := range g.Len() {
		switch v := g.Voice(i); {
		case !v.Plays(key):
		case s.controls.Pedal:
			v.Sustain()
		default:
			s.releaseVoice(group, i)
		}
	}
}

// endAllNotes ends all notes of a group, even if the pedal is down.
func (s *Stream) endAllNotes(group int) {
	for i := range s.voices[group].Len() {
		if s.voices[group].Voice(i).Held {
			s.releaseVoice(group, i)
		}
	}
}

// releaseVoice ends the note of voice i and closes its gates.
func (s *Stream) releaseVoice(group, i int) {
	s.voices[group].Voice(i).Release()
	s.gateVoice(group, i, false)
}

// setPedal moves the sustain pedal.
func (s *Stream) setPedal(on bool) {
	s.controls.Pedal = on
	for g := range s.voices {
		for i := range s.voices[g].Len() {
			if !on && s.voices[g].Voice(i).Sustained() {
				s.releaseVoice(g, i)
			}
		}
	}
}

func (s *Stream) gateVoice(group, i int, on bool) {
	s.eachUnit(group, i, func(n *node, u *unit) {
		if n.gated {
			u.Gate(on)
		}
	})
}

// eachUnit visits the modules of voice i. The probe names the node.
func (s *Stream) eachUnit(group, i int, visit func(n *node, u *unit)) {
	for k := range s.nodes {
		n := &s.nodes[k]
		if n.group != group || n.note {
			continue
		}
		s.probe.Store(uint64(k) + 1)
		for u := range n.width {
			visit(n, &n.units[i*n.width+u])
		}
	}
}
