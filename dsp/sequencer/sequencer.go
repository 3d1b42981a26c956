// Package sequencer turns patterns, tempo and a transport into events at exact frames. A musical
// position is a whole number of pulses. Each pulse's frame is computed in integers from the
// beginning of the present tempo, never by adding rounded steps, so positions do not drift.
//
// The caller renders up to the frame that Next returns and then calls Take for its events. At each
// frame the order is Advance, then commands, then Take.
package sequencer

import "errors"

// The errors of commands. A command that returns one has changed nothing.
var (
	ErrFrame     = errors.New("frame: must be below 2^62")
	ErrTempo     = errors.New("tempo: must be 20 to 400 bpm")
	ErrTempoRamp = errors.New("tempo ramp: must last 1 to 2^29 frames")
	ErrTempoMap  = errors.New("tempo: 64 changes are planned already (a ramp counts as two); send this one later")
	ErrTrack     = errors.New("track: must be 0 to 15")
	ErrNumber    = errors.New("pattern number: must be 0 to 127")
	ErrPattern   = errors.New("pattern: invalid; Pattern.Check returns the reason")
	ErrStep      = errors.New("step: invalid, or not in the pattern")
	ErrWhen      = errors.New("when: must be AtBar, AtEnd or AtOnce")
	ErrDivision  = errors.New("division: must be 1/24 to 6 beats and a whole number of pulses")
	ErrSteps     = errors.New("steps of a track: must be 1 to 64, or 0 for as many as its pattern has")
	ErrSwing     = errors.New("swing: must be 0.5 to 0.75")
	ErrTranspose = errors.New("transpose: must be -60 to 60 semitones")
	ErrSignature = errors.New("signature: must be a count of 1 to 32 and a unit of 1, 2, 4, 8, 16 or 32")
)

// Kind is the kind of an event.
type Kind uint8

// The kinds, in their order at one frame.
const (
	NoteOff Kind = iota + 1
	Param
	NoteOn
)

// Event is an event of a track at a frame. At one frame NoteOff events come first, then Param, then
// NoteOn, each in the order of tracks, and a track's values by lane. A track plays one note at a
// time: its NoteOff precedes the next NoteOn.
type Event struct {
	Frame    uint64
	Kind     Kind
	Track    int
	Note     int     // of NoteOn and NoteOff, 0 to 127
	Velocity float64 // of NoteOn, 0 to 1
	Lane     int     // of Param
	Value    float64 // of Param
}

// Sequencer holds all patterns, the tracks that play them, the tempo and the transport. One
// goroutine uses it.
type Sequencer struct {
	now      uint64 // the present frame: all earlier ones are past
	due      uint64 // the first frame, from now on, at which something is due
	tempo    tempoMap
	rolling  bool
	resting  int64 // the pulse where the transport stopped
	start    planned
	stop     planned
	bar      bar
	tracks   [Tracks]track
	patterns [Patterns]Pattern
}

// New makes a stopped sequencer at frame 0, with 120 bpm, 4/4, no pattern on any track, and
// patterns of 16 rests. The rate in Hz is rounded to a whole number and clamped to 8000 to 768000.
func New(rate float64) *Sequencer {
	if !(rate > 8000) {
		rate = 8000
	}
	s := &Sequencer{tempo: tempoMap{rate: uint64(min(rate, 768000) + 0.5)}}
	s.Reset()
	return s
}

// Reset puts the sequencer back to where New left it. Playing notes get no NoteOff.
func (s *Sequencer) Reset() {
	s.now, s.due, s.rolling, s.resting = 0, never, false, 0
	s.start, s.stop, s.bar = planned{}, planned{}, bar{count: 4, unit: 4}
	s.tempo.reset()
	for i := range s.tracks {
		s.tracks[i].reset()
	}
	silent := Step{Gate: Whole / 2, Probability: Whole}
	for i := range s.patterns {
		p := &s.patterns[i]
		p.N, p.Base, p.Soft, p.Loud, p.Seed = 16, 60, 700, Whole, 0
		for k := range p.Steps {
			p.Steps[k] = silent
		}
	}
}

// Next returns the first frame at which Take has work; there may be no event. ok is false if
// nothing happens before the next command.
func (s *Sequencer) Next() (frame uint64, ok bool) { return s.due, s.due != never }

// Advance sets the present frame, where commands act. Events that were due before and not taken are
// dropped, except that NoteOff events come now.
func (s *Sequencer) Advance(frame uint64) {
	if frame <= s.now || frame > maxFrame {
		return
	}
	if s.due >= frame {
		s.now = frame
		return
	}
	s.applyPlanned(frame - 1)
	s.now = frame
	reach := s.reach()
	for i := range s.tracks {
		t := &s.tracks[i]
		if !s.rolling {
			break
		}
		if t.when == AtBar && t.switchAt < reach {
			t.swapAtBar()
		}
		if t.pattern != None && t.start(t.k) < reach {
			t.align(reach)
			t.note.cut = t.note.cut || t.note.held
		}
	}
	s.refreshAll()
}

// Take yields the events of a frame, the present one or a later one, and makes the following frame
// the present one. If nothing is due at the frame, Take equals Advance.
func (s *Sequencer) Take(frame uint64, yield func(Event)) {
	if frame < s.now || frame > maxFrame {
		return
	}
	if s.Advance(frame); s.due > frame {
		return
	}
	s.applyPlanned(frame)
	for i := range s.tracks {
		s.changePattern(&s.tracks[i], frame)
	}
	for i := range s.tracks {
		s.endNote(i, frame, yield)
	}
	for i := range s.tracks {
		s.setLanes(i, frame, yield)
	}
	s.now = frame + 1
	for i := range s.tracks {
		if t := &s.tracks[i]; t.stepDue <= frame {
			s.playStep(i, frame, yield)
			s.refresh(t)
		} else if t.offDue <= frame {
			s.refresh(t)
		}
	}
	s.findDue()
}

// changePattern lets a track take its queued pattern at this frame, if it is due.
func (s *Sequencer) changePattern(t *track, frame uint64) {
	switch {
	case t.swapDue <= frame:
		t.swapAtBar()
	case t.when == AtEnd && t.stepDue <= frame && s.index(t, t.k) == 0:
		t.first = t.k
		t.swap()
	default:
		return
	}
	s.refresh(t)
}

// endNote ends a track's note if its gate has ended, or if the step that begins does not hold it.
func (s *Sequencer) endNote(i int, frame uint64, yield func(Event)) {
	t := &s.tracks[i]
	if !t.note.on || t.offDue > frame && (t.stepDue > frame || s.step(t, t.k).Trig == Tie) {
		return
	}
	yield(Event{Frame: frame, Kind: NoteOff, Track: i, Note: int(t.note.note)})
	t.note = note{}
}

// setLanes yields the values of a track's step.
func (s *Sequencer) setLanes(i int, frame uint64, yield func(Event)) {
	t := &s.tracks[i]
	if t.stepDue > frame || t.mute {
		return
	}
	step := s.step(t, t.k)
	for lane, v := range step.Values {
		if step.has(lane) {
			yield(Event{Frame: frame, Kind: Param, Track: i, Lane: lane, Value: float64(v)})
		}
	}
}

// playStep begins a step's note, if it has one, or holds the last note, and moves to the next step.
func (s *Sequencer) playStep(i int, frame uint64, yield func(Event)) {
	t := &s.tracks[i]
	step, p := s.step(t, t.k), &s.patterns[t.pattern]
	if (step.Trig == Hit || step.Trig == Accent) && !t.mute && p.sounds(i, t.number(), step.Probability) {
		t.note = note{on: true, note: int32(max(0, min(p.Base+int(step.Note)+int(t.shift), 127)))}
		velocity := p.Soft
		if step.Trig == Accent {
			velocity = p.Loud
		}
		yield(Event{Frame: frame, Kind: NoteOn, Track: i, Note: int(t.note.note), Velocity: float64(velocity) / Whole})
	}
	if t.note.on {
		from := t.start(t.k)
		t.note.off = from + ((t.start(t.k+1)-from)*int64(step.Gate)+Whole-1)/Whole
		t.note.held = s.step(t, t.k+1).Trig == Tie
	}
	t.k++
}

// refreshAll updates what is due of every track.
func (s *Sequencer) refreshAll() {
	for i := range s.tracks {
		s.refresh(&s.tracks[i])
	}
	s.findDue()
}

// findDue finds the first frame at which something is due.
func (s *Sequencer) findDue() {
	s.due = never
	if s.start.on {
		s.due = s.start.frame
	}
	if s.stop.on {
		s.due = min(s.due, s.stop.frame)
	}
	for i := range s.tracks {
		t := &s.tracks[i]
		s.due = min(s.due, t.stepDue, t.offDue, t.swapDue)
	}
}
