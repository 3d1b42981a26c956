package assemble

import (
	"log/slog"

	"github.com/music-chronus/chronus/actors/internal/meter"
	"github.com/music-chronus/chronus/actors/internal/runtimedir"
	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/dsp/patch"
)

// Sound is what an engine must know of a sound that an earlier engine began.
type Sound struct {
	Meter    *meter.Meter
	Values   *space.Values
	Dir      *runtimedir.Dir
	TookOver bool     // the sound was taken over
	Muted    *float64 // amp before the engine that is resumed was muted; nil: it was not
	Logger   *slog.Logger
	Failed   func(error) // the mute state could not be stored
}

// Restore gives the Meter the values of the sound, and restores that the engine was muted. Workers
// only see amp 0; they know neither that the engine is muted nor the level before. So the engine
// keeps both in its runtime directory and with the saved state.
func (s Sound) Restore() {
	v := s.Values
	seq := v.Plan().SeqNode()
	s.Meter.Begin(v.Param(0, patch.EngineAmp), seq != 0 && v.Param(seq, patch.SeqPlay) != patch.PlayStop)
	was, muted, err := 0.0, false, error(nil)
	switch {
	case s.TookOver:
		was, muted, err = s.Dir.Muted()
	case s.Muted != nil:
		was, muted, err = *s.Muted, true, runtimedir.CheckAmp(*s.Muted)
	}
	if err != nil {
		s.Logger.Warn("an engine before this one may have been muted; how loud it was cannot be read", "error", err)
		was, muted = 0, false
	}
	if muted {
		v.SetParam(0, patch.EngineAmp, 0)
	}
	saved := s.TookOver || !muted // so that a file which no longer applies is removed
	s.Meter.RestoreMuted(muted, was, saved, func(muted bool, amp float64) {
		if err := s.Dir.SaveMuted(muted, amp); err != nil {
			s.Failed(err)
		}
	})
}
