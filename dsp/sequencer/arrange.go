package sequencer

// Release returns the note that a track plays and forgets it. The caller ends the note, since no
// NoteOff comes.
func (s *Sequencer) Release(track int) (number int, sounds bool) {
	if track < 0 || track >= Tracks {
		return 0, false
	}
	t := &s.tracks[track]
	number, sounds = int(t.note.note), t.note.on
	t.note = note{}
	s.changed(t)
	return number, sounds
}

// Arrange gives each track the state of the track whose number from holds. An invalid number resets
// the track, as New makes it. Notes of tracks that no track takes get no NoteOff; call Release for
// them before.
func (s *Sequencer) Arrange(from [Tracks]int) {
	was := s.tracks
	for i := range s.tracks {
		if k := from[i]; k >= 0 && k < Tracks {
			s.tracks[i] = was[k]
		} else {
			s.tracks[i].reset()
		}
	}
	s.refreshAll()
}
