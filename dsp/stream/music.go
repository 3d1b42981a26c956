package stream

import (
	"math"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/sequencer"
)

// music is the sequencer of a stream and the tracks that it plays.
type music struct {
	seq     *sequencer.Sequencer // nil: the patch has no tracks
	tracks  []patch.Track
	node    int // the sequencer's index; the tracks' nodes follow
	deliver func(sequencer.Event)
	edited  sequencer.Pattern // lets an edit allocate nothing
}

func (s *Stream) newMusic() {
	m := &s.plan.Music
	if len(m.Tracks) == 0 {
		return
	}
	s.music = music{seq: sequencer.New(float64(s.plan.Rate)), tracks: m.Tracks, node: s.plan.SeqNode(),
		deliver: s.applyEvent}
	s.loadMusic(0)
}

// must panics on errors that the plan's compiler has ruled out.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// loadMusic resets the sequencer, at a frame, to the patch's music.
func (s *Stream) loadMusic(frame uint64) {
	seq, m := s.music.seq, &s.plan.Music
	seq.Reset()
	seq.Advance(frame)
	must(seq.SetTempo(frame, m.Tempo))
	must(seq.SetSignature(m.Bar[0], m.Bar[1]))
	for i := range m.Patterns {
		must(seq.SetPattern(m.Patterns[i].Number, &m.Patterns[i].Pattern))
	}
	for i, t := range m.Tracks {
		must(seq.SetDivision(i, t.Division))
		must(seq.SetSteps(i, t.Steps))
		must(seq.SetSwing(i, t.Swing))
		must(seq.SetTranspose(i, t.Transpose))
		must(seq.SetMute(i, t.Mute))
		must(seq.Assign(i, t.Pattern, sequencer.AtOnce))
	}
	if m.Play {
		must(seq.Start(frame))
	}
}

// next returns the frame of the sequencer's next event.
func (m *music) next() (frame uint64, ok bool) {
	if m.seq == nil {
		return 0, false
	}
	return m.seq.Next()
}

// setParam sets a parameter of the sequencer (track -1) or of a track at a frame, and returns false
// if the sequencer rejects the value.
func (m *music) setParam(track, param int, value float64, frame uint64) bool {
	var err error
	switch {
	case track < 0 && param == patch.SeqBPM:
		err = m.seq.SetTempo(frame, value)
	case track < 0 && value == patch.PlayStart:
		err = m.seq.Start(frame)
	case track < 0 && value == patch.PlayContinue:
		err = m.seq.Continue(frame)
	case track < 0:
		err = m.seq.Stop(frame)
	case param == patch.TrackPattern:
		err = m.seq.Assign(track, int(value), sequencer.AtBar)
	case param == patch.TrackNow:
		err = m.seq.Assign(track, int(value), sequencer.AtOnce)
	case param == patch.TrackMute:
		err = m.seq.SetMute(track, value > 0)
	case param == patch.TrackSwing:
		err = m.seq.SetSwing(track, value)
	default:
		err = m.seq.SetTranspose(track, int(math.Round(value)))
	}
	return err == nil
}

// edit applies a command for a pattern or the tempo, and returns false if the sequencer rejects it.
func (m *music) edit(c Command) bool {
	if c.Kind == Ramp {
		return m.seq.RampSeconds(c.Frame, c.Value, float64(c.Param)/10) == nil
	}
	number, k := int(c.Param>>6), int(c.Param&63)
	if math.IsNaN(c.Value) || number >= sequencer.Patterns {
		return false
	}
	if c.Kind == Steps {
		return m.resize(number, c.Value)
	}
	step, ok := m.seq.Step(number, k)
	if !ok {
		return true // the sender does not know how many steps the pattern has
	}
	switch v := max(0, c.Value); {
	case c.Kind == Trig && v <= float64(sequencer.Tie):
		step.Trig = sequencer.Trig(v)
	case c.Kind == StepNote:
		step.Note = int8(max(-127, min(127, c.Value)))
	case c.Kind == StepGate && v <= 1:
		step.Gate = uint16(math.Floor(float64(v*sequencer.Whole) + 0.5))
	case c.Kind == StepChance && v <= 1:
		step.Probability = uint16(math.Floor(float64(v*sequencer.Whole) + 0.5))
	default:
		return false
	}
	return m.seq.SetStep(number, k, step) == nil
}

// resize changes the number of steps of a pattern.
func (m *music) resize(number int, steps float64) bool {
	if !(steps >= 1 && steps <= sequencer.MaxSteps) || m.seq.Pattern(number, &m.edited) != nil {
		return false
	}
	m.edited.N = int(steps)
	return m.seq.SetPattern(number, &m.edited) == nil
}

// applyEvent applies an event of the sequencer.
func (s *Stream) applyEvent(e sequencer.Event) {
	t := &s.music.tracks[e.Track]
	switch {
	case e.Kind == sequencer.Param && e.Lane < len(t.Targets):
		n, p := t.Targets[e.Lane][0], t.Targets[e.Lane][1]
		desc := s.plan.Nodes()[n].Desc
		lo, hi := desc.Params[p].Range(float64(s.plan.Rate))
		s.probe.Store(uint64(n) + 1)
		s.set(n, p, max(lo, min(hi, e.Value)))
	case t.Group == patch.NoGroup:
	case e.Kind == sequencer.NoteOn:
		s.probe.Store(uint64(s.plan.NoteNode(t.Group)) + 1)
		s.beginNote(t.Group, e.Note, max(e.Velocity, 1.0/sequencer.Whole))
	case e.Kind == sequencer.NoteOff:
		s.probe.Store(uint64(s.plan.NoteNode(t.Group)) + 1)
		s.endNote(t.Group, e.Note)
	}
	s.probe.Store(0)
}
