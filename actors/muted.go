package actors

import (
	"github.com/music-chronus/chronus/actors/internal/runtimedir"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/dsp/patch"
)

// beginMeter gives the meter the values of a sound that an earlier engine has begun.
func (e *Engine) beginMeter(v *space.Values) {
	seq := v.Plan().SeqNode()
	e.meter.Begin(v.Param(0, patch.EngineAmp), seq != 0 && v.Param(seq, patch.SeqPlay) != patch.PlayStop)
}

// restoreMuted restores that an engine before this one was muted: one whose sound was taken over,
// or one that is resumed. Workers only see amp 0; they know neither that the engine is muted nor
// the level before. So the engine keeps both in its runtime directory and with the saved state.
func (e *Engine) restoreMuted(values *space.Values, tookOver, resumed bool) {
	was, muted, err := 0.0, false, error(nil)
	switch {
	case tookOver:
		was, muted, err = e.dir.Muted()
	case resumed && e.saved.Muted != nil:
		was, muted, err = *e.saved.Muted, true, runtimedir.CheckAmp(*e.saved.Muted)
	}
	if err != nil {
		e.cfg.Logger.Warn("an engine before this one may have been muted; how loud it was cannot be read", "error", err)
		was, muted = 0, false
	}
	if muted {
		values.SetParam(0, patch.EngineAmp, 0)
	}
	saved := tookOver || !muted // so that a file which no longer applies is removed
	e.meter.RestoreMuted(muted, was, saved, func(muted bool, amp float64) {
		if err := e.dir.SaveMuted(muted, amp); err != nil {
			e.emit(report.SaveFailed{What: "that it is muted", Err: err})
		}
	})
}
