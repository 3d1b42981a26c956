package resources

import (
	"github.com/music-chronus/chronus/actors/internal/replica"
	"github.com/music-chronus/chronus/actors/internal/runtimedir"
	"github.com/music-chronus/chronus/actors/internal/statefile"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm"
)

// recall reads the state that an earlier engine saved.
func (r *Resources) recall(geo shm.Geometry) (err error) {
	cfg := &r.cfg
	r.saved, cfg.Resume, err = statefile.Recall(cfg.StateFile, cfg.Resume, geo, cfg.Samples, cfg.Modules, cfg.Logger)
	if err == nil && cfg.Resume {
		cfg.Patch, cfg.PatchName = []byte(r.saved.Patch), r.saved.Name
	}
	return err
}

// lastGood returns the last good patch that an earlier engine saved; "": none.
func (r *Resources) lastGood() string {
	if r.saved == nil {
		return ""
	}
	return r.saved.LastGood
}

// savedState implements statefile.Source.
type savedState struct {
	*replica.Set
	r *Resources
}

// Describe implements statefile.Source.
func (s savedState) Describe(st *statefile.State) {
	st.Rate, st.Block, st.Channels = s.r.cfg.Rate, s.r.cfg.Block, s.r.cfg.Channels
	st.Values, st.Muted = s.r.Frontend.View().Changed(), s.r.Meter.MutedFrom()
}

// SaveFailed implements statefile.Source.
func (s savedState) SaveFailed(err error) { s.r.saveFailed("state on disk", err) }

// saveFailed reports that something could not be saved.
func (r *Resources) saveFailed(what string, err error) {
	r.listener.Event(report.SaveFailed{What: what, Err: err})
}

// restoreValues restores the values of a sound that an earlier engine began: from its saved state,
// and from the commands since the checkpoint. Values of that engine's last second may be missing,
// though they are heard.
func (r *Resources) restoreValues() {
	view := r.Frontend.View()
	_, _, text := r.Set.Current()
	continues := r.saved != nil && r.saved.Patch == string(text) &&
		(r.cfg.Resume || r.Set.TookOver() && r.saved.N <= r.Set.Clock()+uint64(r.Set.Memory().Geometry.Ring))
	if continues {
		view.Restore(r.saved.Values)
	}
	for _, command := range r.Set.Commands() {
		r.Frontend.Record(command)
	}
	r.beginMeter(view.Values())
	r.restoreMuted(view.Values(), r.Set.TookOver(), continues && r.cfg.Resume)
}

// beginMeter gives the meter the values of a sound that an earlier engine began.
func (r *Resources) beginMeter(v *space.Values) {
	seq := v.Plan().SeqNode()
	r.Meter.Begin(v.Param(0, patch.EngineAmp), seq != 0 && v.Param(seq, patch.SeqPlay) != patch.PlayStop)
}

// restoreMuted restores the muting of an earlier engine whose sound was taken over or resumed.
// Workers only see amp 0; they know neither that the engine is muted nor the level before. So the
// engine keeps both in its runtime directory and with the saved state.
func (r *Resources) restoreMuted(values *space.Values, tookOver, resumed bool) {
	was, muted, err := 0.0, false, error(nil)
	switch {
	case tookOver:
		was, muted, err = r.dir.Muted()
	case resumed && r.saved.Muted != nil:
		was, muted, err = *r.saved.Muted, true, runtimedir.CheckAmp(*r.saved.Muted)
	}
	if err != nil {
		r.cfg.Logger.Warn("an engine before this one may have been muted; its level cannot be read", "error", err)
		was, muted = 0, false
	}
	if muted {
		values.SetParam(0, patch.EngineAmp, 0)
	}
	saved := tookOver || !muted // so that a file which no longer applies is removed
	r.Meter.RestoreMuted(muted, was, saved, func(muted bool, amp float64) {
		if err := r.dir.SaveMuted(muted, amp); err != nil {
			r.saveFailed("that it is muted", err)
		}
	})
}
