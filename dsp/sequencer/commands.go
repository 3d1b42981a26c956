package sequencer

// SetPattern replaces a pattern. Tracks that play it continue with the new one from their next
// steps.
func (s *Sequencer) SetPattern(number int, p *Pattern) error {
	if number < 0 || number >= Patterns {
		return ErrNumber
	}
	if _, fault := p.fault(); fault != "" {
		return ErrPattern
	}
	q := &s.patterns[number]
	*q = *p
	for i := range q.Steps {
		if i >= q.N {
			q.Steps[i] = Step{Gate: Whole / 2, Probability: Whole}
		}
		q.Steps[i].tidy()
	}
	return nil
}

// SetStep replaces a step of a pattern. Steps count from 0.
func (s *Sequencer) SetStep(number, index int, step Step) error {
	switch {
	case number < 0 || number >= Patterns:
		return ErrNumber
	case index < 0 || index >= s.patterns[number].N || step.fault() != "":
		return ErrStep
	}
	step.tidy()
	s.patterns[number].Steps[index] = step
	return nil
}

// Step returns a step of a pattern. Steps count from 0. ok is false if there is no such step.
func (s *Sequencer) Step(number, index int) (step Step, ok bool) {
	if number < 0 || number >= Patterns || index < 0 || index >= s.patterns[number].N {
		return step, false
	}
	return s.patterns[number].Steps[index], true
}

// Pattern copies a pattern to p.
func (s *Sequencer) Pattern(number int, p *Pattern) error {
	if number < 0 || number >= Patterns {
		return ErrNumber
	}
	*p = s.patterns[number]
	return nil
}

// Assign makes a track play a pattern, or None, from a moment on. Assign replaces a pattern that is
// queued. While the transport is stopped the moment is now. A track that plays None has no end, so
// AtEnd means AtBar.
func (s *Sequencer) Assign(track, number int, when When) error {
	switch {
	case track < 0 || track >= Tracks:
		return ErrTrack
	case number != None && (number < 0 || number >= Patterns):
		return ErrNumber
	case when < AtBar || when > AtOnce:
		return ErrWhen
	}
	t := &s.tracks[track]
	if when == AtEnd && t.pattern == None {
		when = AtBar
	}
	idle := t.pattern == None
	t.queued, t.when = int32(number), when
	switch {
	case when == AtOnce || !s.rolling:
		t.swap()
		if idle {
			t.align(s.reach())
			t.first = min(t.first, t.k)
		}
	case when == AtBar:
		t.switchAt = s.bar.next(s.reach())
	}
	s.changed(t)
	return nil
}

func (s *Sequencer) changed(t *track) {
	s.refresh(t)
	s.findDue()
}

// SetDivision sets the length of a track's steps. The track continues on the new grid as if it had
// used it since its grid began.
func (s *Sequencer) SetDivision(track int, d Division) error {
	if track < 0 || track >= Tracks {
		return ErrTrack
	}
	if _, ok := d.pulses(); !ok {
		return ErrDivision
	}
	t := &s.tracks[track]
	t.div, t.first = d, 0
	t.measure()
	t.align(s.reach())
	s.changed(t)
	return nil
}

// SetSteps sets the number of steps of a track's cycle: it cuts the pattern, or appends rests. 0
// means the pattern's own number.
func (s *Sequencer) SetSteps(track, n int) error {
	switch {
	case track < 0 || track >= Tracks:
		return ErrTrack
	case n < 0 || n > MaxSteps:
		return ErrSteps
	}
	s.tracks[track].steps = int32(n)
	return nil
}

// SetSwing sets where in a pair of steps the second begins, from 0.5, in the middle, to 0.75. The
// share is rounded to a millionth.
func (s *Sequencer) SetSwing(track int, share float64) error {
	switch {
	case track < 0 || track >= Tracks:
		return ErrTrack
	case !(share >= 0.5 && share <= 0.75):
		return ErrSwing
	}
	t := &s.tracks[track]
	t.swing = uint32(float64(share*perUnit) + 0.5)
	t.measure()
	s.changed(t)
	return nil
}

// SetTranspose moves a track's notes by -60 to 60 semitones, from the next note on. Notes are
// clamped to 0 to 127.
func (s *Sequencer) SetTranspose(track, semitones int) error {
	switch {
	case track < 0 || track >= Tracks:
		return ErrTrack
	case semitones < -60 || semitones > 60:
		return ErrTranspose
	}
	s.tracks[track].shift = int32(semitones)
	return nil
}

// SetMute mutes a track: its note ends and it gives no events, while its steps continue.
func (s *Sequencer) SetMute(track int, mute bool) error {
	if track < 0 || track >= Tracks {
		return ErrTrack
	}
	t := &s.tracks[track]
	t.mute = mute
	t.note.cut = t.note.cut || t.note.on && mute
	s.changed(t)
	return nil
}

// Playing returns the pattern that a track plays, the pattern that is queued (None: none is), and
// the next step of its cycle.
func (s *Sequencer) Playing(track int) (pattern, queued, step int, err error) {
	if track < 0 || track >= Tracks {
		return None, None, 0, ErrTrack
	}
	t := &s.tracks[track]
	if t.pattern != None {
		step = s.index(t, t.k)
	}
	return int(t.pattern), int(t.queued), step, nil
}
