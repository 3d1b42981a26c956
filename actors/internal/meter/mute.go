package meter

// mute is whether the engine is muted. Workers only see amp 0; they know neither that the engine is
// muted nor the level before. An engine that takes over, or resumes, must know both.
type mute struct {
	on    bool
	was   float64                       // amp before the engine was muted
	saved bool                          // on, as last given to store
	store func(muted bool, amp float64) // nil: nothing is stored
}

// save stores what has changed.
func (m *mute) save() {
	if m.store != nil && m.on != m.saved {
		m.saved = m.on
		m.store(m.on, m.was)
	}
}

// Mute records that the engine is to be muted, or not, and returns the amp to set. ok is false if
// the engine is in that state already.
func (m *Meter) Mute(on bool) (amp float64, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case on == m.mute.on:
		return 0, false
	case on:
		m.mute.was, m.mute.on = m.amp, true
		return 0, true
	}
	m.mute.on = false
	return m.mute.was, true
}

// SetMuted corrects what Mute recorded, if the command that Mute asked for was refused.
func (m *Meter) SetMuted(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mute.on = on
}

// MutedFrom returns the amp before the engine was muted; nil: it is not muted.
func (m *Meter) MutedFrom() *float64 {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.mute.on {
		return nil
	}
	was := m.mute.was
	return &was
}

// RestoreMuted sets where the mute state is stored, and what an engine before this one left: muted,
// the amp before that, and whether store has that state already.
func (m *Meter) RestoreMuted(muted bool, was float64, saved bool, store func(muted bool, amp float64)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mute.store = store
	m.mute.saved = saved
	if muted {
		m.amp, m.mute.was, m.mute.on = 0, was, true
	}
	m.mute.save()
}
