package core

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
func (c *Core) recall(geo shm.Geometry) (err error) {
	cfg := &c.cfg
	c.saved, cfg.Resume, err = statefile.Recall(cfg.StateFile, cfg.Resume, geo, cfg.Samples, cfg.Modules, cfg.Logger)
	if err == nil && cfg.Resume {
		cfg.Patch, cfg.PatchName = []byte(c.saved.Patch), c.saved.Name
	}
	return err
}

// lastGood returns the last good patch that an earlier engine saved; "": none.
func (c *Core) lastGood() string {
	if c.saved == nil {
		return ""
	}
	return c.saved.LastGood
}

// savedState implements statefile.Source.
type savedState struct {
	*replica.Set
	c *Core
}

// Describe implements statefile.Source.
func (s savedState) Describe(st *statefile.State) {
	st.Rate, st.Block, st.Channels = s.c.cfg.Rate, s.c.cfg.Block, s.c.cfg.Channels
	st.Values, st.Muted = s.c.Frontend.View().Changed(), s.c.Meter.MutedFrom()
}

// SaveFailed implements statefile.Source.
func (s savedState) SaveFailed(err error) { s.c.saveFailed("state on disk", err) }

// saveFailed reports that something could not be saved.
func (c *Core) saveFailed(what string, err error) {
	c.listener.Event(report.SaveFailed{What: what, Err: err})
}

// restoreValues restores the values of a sound that an earlier engine began: from its saved state,
// and from the commands since the checkpoint. Values of that engine's last second may be missing,
// though they are heard.
func (c *Core) restoreValues() {
	view := c.Frontend.View()
	_, _, text := c.Set.Current()
	continues := c.saved != nil && c.saved.Patch == string(text) &&
		(c.cfg.Resume || c.Set.TookOver() && c.saved.N <= c.Set.Clock()+uint64(c.Set.Memory().Geometry.Ring))
	if continues {
		view.Restore(c.saved.Values)
	}
	for _, command := range c.Set.Commands() {
		c.Frontend.Record(command)
	}
	c.beginMeter(view.Values())
	c.restoreMuted(view.Values(), c.Set.TookOver(), continues && c.cfg.Resume)
}

// beginMeter gives the meter the values of a sound that an earlier engine began.
func (c *Core) beginMeter(v *space.Values) {
	seq := v.Plan().SeqNode()
	c.Meter.Begin(v.Param(0, patch.EngineAmp), seq != 0 && v.Param(seq, patch.SeqPlay) != patch.PlayStop)
}

// restoreMuted restores the muting of an earlier engine whose sound was taken over or resumed.
// Workers only see amp 0; they know neither that the engine is muted nor the level before. So the
// engine keeps both in its runtime directory and with the saved state.
func (c *Core) restoreMuted(values *space.Values, tookOver, resumed bool) {
	was, muted, err := 0.0, false, error(nil)
	switch {
	case tookOver:
		was, muted, err = c.dir.Muted()
	case resumed && c.saved.Muted != nil:
		was, muted, err = *c.saved.Muted, true, runtimedir.CheckAmp(*c.saved.Muted)
	}
	if err != nil {
		c.cfg.Logger.Warn("an engine before this one may have been muted; its level cannot be read", "error", err)
		was, muted = 0, false
	}
	if muted {
		values.SetParam(0, patch.EngineAmp, 0)
	}
	saved := tookOver || !muted // so that a file which no longer applies is removed
	c.Meter.RestoreMuted(muted, was, saved, func(muted bool, amp float64) {
		if err := c.dir.SaveMuted(muted, amp); err != nil {
			c.saveFailed("that it is muted", err)
		}
	})
}
