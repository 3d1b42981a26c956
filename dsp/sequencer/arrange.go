package sequencer

// Release forgets the note that a track sounds: whoever asks ends it, and no off comes.
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

// Arrange makes each track what another one was, by number; a number that there is not: as New made it. The notes of tracks that nobody takes
// get no off: Release them before.
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
