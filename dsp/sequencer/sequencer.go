// Package sequencer turns patterns, tempo and a transport into events at exact frames. Musical positions are whole pulses of a beat, and
// the frame of each is computed from the beginning of the present tempo, in integers, never by adding rounded steps: nothing drifts.
//
// Whoever renders asks Next for the frame of the next event, renders up to it, and has Take give the events. Commands, at their frames,
// come before the events of the same frame: Advance, then the commands, then Take.
package sequencer

import "errors"

// What commands refuse. Nothing has changed then.
var (
	ErrFrame     = errors.New("frames are below 2^62")
	ErrTempo     = errors.New("tempi are 20 to 400 bpm")
	ErrTempoRamp = errors.New("a tempo ramp lasts 1 to 2^29 frames")
	ErrTempoMap  = errors.New("64 changes of tempo are planned already; a ramp counts as two")
	ErrTrack     = errors.New("tracks are 0 to 15")
	ErrNumber    = errors.New("patterns are 0 to 127")
	ErrPattern   = errors.New("no pattern: Check says why")
	ErrStep      = errors.New("no step of the pattern, or none that can be")
	ErrWhen      = errors.New("a pattern is taken at the next bar, at the end, or at once")
	ErrDivision  = errors.New("a step is 1/24 to 6 beats, a whole number of pulses")
	ErrSteps     = errors.New("a track has 1 to 64 steps, or 0: as many as its pattern")
	ErrSwing     = errors.New("swing is 0.5 to 0.75")
	ErrTranspose = errors.New("a track is transposed by -60 to 60 semitones")
	ErrSignature = errors.New("a bar is 1 to 32 of 1/1, 1/2, 1/4, 1/8, 1/16 or 1/32")
)

// Kind is what an event is.
type Kind uint8

// The kinds, in the order in which they come at one frame.
const (
	NoteOff Kind = iota + 1
	Param
	NoteOn
)

// Event is what happens to a track at a frame. At one frame offs come first, then values, then ons, each by the number of the track, a
// track's values by lane. A track sounds one note at a time: its off comes, at a later frame, before the next on.
type Event struct {
	Frame    uint64
	Kind     Kind
	Track    int
	Note     int     // of NoteOn and NoteOff: 0 to 127
	Velocity float64 // of NoteOn: 0 to 1
	Lane     int     // of Param
	Value    float64 // of Param
}

// Sequencer has all patterns, the tracks that play them, the tempo and the transport. One goroutine uses it.
type Sequencer struct {
	now      uint64 // all before it is past
	due      uint64 // the first frame at which there is something to do, of now or later
	tempo    tempoMap
	rolling  bool
	resting  int64 // the pulse where it stopped
	start    planned
	stop     planned
	bar      bar
	tracks   [Tracks]track
	patterns [Patterns]Pattern
}

// New makes a stopped sequencer at frame 0: 120 bpm, 4/4, no track has a pattern, all patterns are 16 rests. The rate, in Hz, is rounded to a
// whole number and bent to 8000 to 768000.
func New(rate float64) *Sequencer {
	if !(rate > 8000) {
		rate = 8000
	}
	s := &Sequencer{tempo: tempoMap{rate: uint64(min(rate, 768000) + 0.5)}}
	s.Reset()
	return s
}

// Reset makes it as New made it. Notes that sound get no off.
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

// Next is the first frame at which Take has something to do; it may turn out to be a rest. Not ok: nothing will happen before a command.
func (s *Sequencer) Next() (frame uint64, ok bool) { return s.due, s.due != never }

// Advance says that the present frame is this one: commands act from here. What was due before and never taken is left out, but for
// the offs, which come now.
func (s *Sequencer) Advance(frame uint64) {
	if frame <= s.now || frame > maxFrame {
		return
	}
	if s.due >= frame {
		s.now = frame
		return
	}
	s.turn(frame - 1)
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

// Take gives the events of a frame, the present one or a later one, and makes the frame after it the present one.
// Without anything due at the frame it is Advance.
func (s *Sequencer) Take(frame uint64, yield func(Event)) {
	if frame < s.now || frame > maxFrame {
		return
	}
	if s.Advance(frame); s.due > frame {
		return
	}
	s.turn(frame)
	for i := range s.tracks {
		s.changePattern(&s.tracks[i], frame)
	}
	for i := range s.tracks {
		s.giveOff(i, frame, yield)
	}
	for i := range s.tracks {
		s.giveValues(i, frame, yield)
	}
	s.now = frame + 1
	for i := range s.tracks {
		if t := &s.tracks[i]; t.stepDue <= frame {
			s.play(i, frame, yield)
			s.refresh(t)
		} else if t.offDue <= frame {
			s.refresh(t)
		}
	}
	s.findDue()
}

// changePattern lets a track take what is queued if this is the frame.
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

// giveOff ends a track's note if its time is over, or a step comes that does not hold it.
func (s *Sequencer) giveOff(i int, frame uint64, yield func(Event)) {
	t := &s.tracks[i]
	if !t.note.on || t.offDue > frame && (t.stepDue > frame || s.step(t, t.k).Trig == Tie) {
		return
	}
	yield(Event{Frame: frame, Kind: NoteOff, Track: i, Note: int(t.note.note)})
	t.note = note{}
}

// giveValues gives the values of a track's step.
func (s *Sequencer) giveValues(i int, frame uint64, yield func(Event)) {
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

// play begins a step's note, if it has one, or holds on to the one before, and goes to the next step.
func (s *Sequencer) play(i int, frame uint64, yield func(Event)) {
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

// refreshAll finds what is due of every track, after a change of all.
func (s *Sequencer) refreshAll() {
	for i := range s.tracks {
		s.refresh(&s.tracks[i])
	}
	s.findDue()
}

// findDue finds the first of what is due.
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
