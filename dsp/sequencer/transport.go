package sequencer

import "math"

// planned is a start or stop that is to come.
type planned struct {
	on     bool
	resume bool // continue where the transport stopped
	frame  uint64
}

// bar is the length of a bar, and where bars are counted from.
type bar struct {
	count, unit uint32
	origin      int64 // the pulse of a bar line
	number      int64 // the number of that line's bar, from 0
}

func (b *bar) length() int64 { return int64(b.count) * 4 * PulsesPerBeat / int64(b.unit) }

// next returns the first bar line at or after a pulse.
func (b *bar) next(pulse int64) int64 {
	n := b.length()
	return min(b.origin+(max(pulse-b.origin, 0)+n-1)/n*n, maxPulse)
}

// reach returns the first pulse that can still be played.
func (s *Sequencer) reach() int64 {
	if !s.rolling {
		return s.resting
	}
	return s.tempo.position(s.now).up()
}

// Start starts at beat 0 at a frame. Playing notes end. A start or stop that is planned for that
// frame or later is cancelled. In all commands a past frame means the present one.
func (s *Sequencer) Start(frame uint64) error { return s.plan(frame, &s.start, planned{on: true}) }

// Continue starts at a frame, where the last stop was.
func (s *Sequencer) Continue(frame uint64) error {
	return s.plan(frame, &s.start, planned{on: true, resume: true})
}

// Stop ends all notes at a frame and keeps the position. Tracks take their queued patterns.
func (s *Sequencer) Stop(frame uint64) error { return s.plan(frame, &s.stop, planned{on: true}) }

func (s *Sequencer) plan(frame uint64, where *planned, p planned) error {
	if frame > maxFrame {
		return ErrFrame
	}
	p.frame = max(frame, s.now)
	for _, old := range []*planned{&s.start, &s.stop} {
		if old.on && old.frame >= p.frame {
			*old = planned{}
		}
	}
	*where = p
	s.applyPlanned(s.now)
	s.findDue()
	return nil
}

// Rewind moves the position to beat 0. If the transport is rolling, it continues from there.
func (s *Sequencer) Rewind() {
	if s.rolling {
		s.roll(s.now, false)
	} else {
		s.toBeginning()
	}
	s.findDue()
}

// applyPlanned applies the starts and stops that are planned up to a frame.
func (s *Sequencer) applyPlanned(frame uint64) {
	for range 2 {
		start, stop := s.start.on && s.start.frame <= frame, s.stop.on && s.stop.frame <= frame
		switch {
		case stop && !(start && s.start.frame < s.stop.frame):
			s.halt(s.stop.frame)
			s.stop = planned{}
		case start:
			p := s.start
			s.start = planned{}
			s.roll(p.frame, p.resume)
		}
	}
}

// halt stops at a frame, the present one or a missed one.
func (s *Sequencer) halt(frame uint64) {
	if s.rolling {
		s.resting = s.tempo.position(frame).up()
	}
	s.rolling = false
	s.endAll()
	s.refreshAll()
}

// endAll ends all notes and takes the queued patterns.
func (s *Sequencer) endAll() {
	for i := range s.tracks {
		t := &s.tracks[i]
		t.note.cut = t.note.on
		if t.when != 0 {
			t.swap()
		}
	}
}

// roll starts at a frame, the present one or a missed one.
func (s *Sequencer) roll(frame uint64, resume bool) {
	if resume && s.rolling {
		return
	}
	if !resume {
		s.toBeginning()
	}
	s.rolling = true
	s.tempo.anchor(frame, s.resting)
	s.refreshAll()
}

func (s *Sequencer) toBeginning() {
	s.endAll()
	s.resting, s.bar.origin, s.bar.number = 0, 0, 0
	for i := range s.tracks {
		t := &s.tracks[i]
		t.origin, t.k, t.first = 0, 0, 0
	}
}

// SetTempo sets the tempo in bpm from a frame on, without moving the position. Changes planned for
// that frame or later are dropped, so a tempo map is set in the order of its frames.
func (s *Sequencer) SetTempo(frame uint64, bpm float64) error { return s.setTempo(frame, bpm, 0) }

// RampSeconds moves the tempo to bpm in a linear ramp, beginning at a frame.
func (s *Sequencer) RampSeconds(frame uint64, bpm, seconds float64) error {
	n := float64(seconds*float64(s.tempo.rate)) + 0.5
	if !(n >= 1 && n <= maxRamp) {
		return ErrTempoRamp
	}
	return s.setTempo(frame, bpm, uint32(n))
}

// RampBeats is RampSeconds with a duration in beats of the ramp itself, rounded to a whole frame.
func (s *Sequencer) RampBeats(frame uint64, bpm, beats float64) error {
	if !(bpm >= MinTempo && bpm <= MaxTempo) {
		return ErrTempo
	}
	from := float64(s.tempo.bpm(max(frame, s.now))) / perBPM
	return s.RampSeconds(frame, bpm, float64(beats*120)/(from+bpm))
}

func (s *Sequencer) setTempo(frame uint64, bpm float64, ramp uint32) error {
	switch {
	case frame > maxFrame:
		return ErrFrame
	case !(bpm >= MinTempo && bpm <= MaxTempo):
		return ErrTempo
	}
	if err := s.tempo.set(s.now, max(frame, s.now), uint32(float64(bpm*perBPM)+0.5), ramp); err != nil {
		return err
	}
	s.refreshAll()
	return nil
}

// SetSignature makes a bar count notes of 1/unit long, from the present bar on. A beat is a quarter
// note whatever the unit.
func (s *Sequencer) SetSignature(count, unit int) error {
	b := bar{count: uint32(count), unit: uint32(unit)}
	if count != int(b.count) || unit != int(b.unit) || !b.valid() {
		return ErrSignature
	}
	reach := s.reach()
	n := max(reach-s.bar.origin, 0) / s.bar.length()
	b.origin, b.number = s.bar.origin+n*s.bar.length(), s.bar.number+n
	s.bar = b
	for i := range s.tracks {
		if t := &s.tracks[i]; t.when == AtBar {
			t.switchAt = b.next(reach)
		}
	}
	s.refreshAll()
	return nil
}

func (b *bar) valid() bool {
	return b.count >= 1 && b.count <= 32 && b.unit >= 1 && b.unit <= 32 && b.unit&(b.unit-1) == 0
}

// Position is a position in the music.
type Position struct {
	Rolling bool
	Bar     int64   // from 0
	Beat    float64 // in the bar, in quarter notes from 0
	Tempo   float64 // bpm
}

// Position returns the position at a frame, the present one or a later one, if no command comes
// before.
func (s *Sequencer) Position(frame uint64) Position {
	p := s.resting
	if s.rolling {
		p = s.tempo.position(frame).pulse
	}
	p = max(p-s.bar.origin, 0)
	return Position{
		Rolling: s.rolling, Bar: s.bar.number + p/s.bar.length(), Beat: float64(p%s.bar.length()) / PulsesPerBeat,
		Tempo: float64(s.tempo.bpm(frame)) / perBPM,
	}
}

// BeatAt returns the beat at a frame of the present tempo or a planned one. Beats count from 0 at
// the start. The error is at most a pulse.
func (s *Sequencer) BeatAt(frame uint64) float64 {
	if !s.rolling {
		return float64(s.resting) / PulsesPerBeat
	}
	return float64(s.tempo.position(frame).pulse) / PulsesPerBeat
}

// FrameAt returns the frame in which a beat falls, rounded to a pulse. ok is false if the transport
// is stopped, or if the beat lies before the present tempo.
func (s *Sequencer) FrameAt(beat float64) (frame uint64, ok bool) {
	p := math.Floor(float64(beat*PulsesPerBeat) + 0.5)
	if !s.rolling || !(p >= float64(s.tempo.seg[0].begin.up()) && p < maxPulse) {
		return 0, false
	}
	f := s.tempo.frameOf(int64(p))
	return f, f != never
}
