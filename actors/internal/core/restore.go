package core

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/music-chronus/chronus/actors/internal/runtimedir"
	"github.com/music-chronus/chronus/actors/internal/statefile"
	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm"
)

// recall reads the state that an earlier engine saved. Resume needs all of it; any other start needs
// the last good patch.
func (c *Core) recall(geo shm.Geometry) error {
	if c.cfg.StateFile == "" {
		if c.cfg.Resume {
			return errors.New("resume: no state file is named: give --state")
		}
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(c.cfg.StateFile), 0o700); err != nil {
		return fmt.Errorf("state file: %w: choose another with --state", err)
	}
	s, err := statefile.Read(c.cfg.StateFile)
	if err == nil && c.cfg.Resume {
		err = s.Check(geo, c.cfg.Samples, c.cfg.Modules)
	}
	switch {
	case err == nil:
		c.saved = &s
	case errors.Is(err, os.ErrNotExist):
		if c.cfg.Resume {
			c.cfg.Resume = false
			c.cfg.Logger.Warn("nothing has been saved yet; the patch starts from its beginning", "file", c.cfg.StateFile)
		}
	case c.cfg.Resume:
		return fmt.Errorf("resume from %s: %w", c.cfg.StateFile, err)
	default:
		c.cfg.Logger.Warn("the saved state cannot be read, and will be written anew", "error", err)
	}
	if c.cfg.Resume {
		c.cfg.Patch, c.cfg.PatchName = []byte(s.Patch), s.Name
	}
	return nil
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
	failed := c.saveFailed("that it is muted")
	c.Meter.RestoreMuted(muted, was, saved, func(muted bool, amp float64) {
		if err := c.dir.SaveMuted(muted, amp); err != nil {
			failed(err)
		}
	})
}
