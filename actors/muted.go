package actors

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/dsp/patch"
)

// That an engine is muted, and how loud it was, is known to no worker: they have an amp of 0. So the engine keeps it in its runtime directory, for one
// that takes its sound over, and with the saved state, for one that resumes: else nobody could give the sound back as loud as it was.

// mute says what the amp is to be set to; ok is false if it is as it is to be.
func (r *rig) mute(on bool) (amp float64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.meter
	switch {
	case on == m.muted:
		return 0, false
	case on:
		m.was, m.muted = m.amp, true
		return 0, true
	}
	m.muted = false
	return m.was, true
}

// setMuted puts right what mute noted, if that could not be done.
func (r *rig) setMuted(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.meter.muted = on
}

// keepMuted puts on record what has changed.
func (m *meter) keepMuted() {
	if m.keep != nil && m.muted != m.kept {
		m.kept = m.muted
		m.keep(m.muted, m.was)
	}
}

// mutedFrom is the amp before the engine was muted; nil: it is not.
func (r *rig) mutedFrom() *float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.meter == nil || !r.meter.muted {
		return nil
	}
	was := r.meter.was
	return &was
}

// rememberMuted takes over that an engine before this one was muted, whose sound goes on, or which is resumed.
func (e *Engine) rememberMuted(values *space.Values, resumed bool) {
	m := e.rig.meter
	m.keep = func(muted bool, was float64) {
		if err := e.dir.saveMuted(muted, was); err != nil {
			e.emit(report.SaveFailed{What: "that it is muted", Err: err})
		}
	}
	was, muted, err := 0.0, false, error(nil)
	switch {
	case e.rig.adopted:
		was, muted, err = e.dir.muted()
	case resumed && e.saved.Muted != nil:
		was, muted, err = *e.saved.Muted, true, checkAmp(*e.saved.Muted)
	}
	if err != nil {
		e.cfg.Logger.Warn("an engine before this one may have been muted; how loud it was cannot be read", "error", err)
		was, muted = 0, false
	}
	m.kept = e.rig.adopted || !muted // what an engine that is not taken over has put there is to go
	if muted {
		values.SetParam(0, patch.EngineAmp, 0)
		m.amp, m.was, m.muted = 0, was, true
	}
	m.keepMuted()
}

// mutedFile has the amp from before the engine was muted; there is none while it is not.
const mutedFile = "muted"

func (d *runtimeDir) saveMuted(muted bool, was float64) error {
	if !muted {
		if err := os.Remove(d.file(mutedFile)); !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	return d.replace(mutedFile, strconv.AppendFloat(nil, was, 'g', -1, 64))
}

// muted is what saveMuted has put on record.
func (d *runtimeDir) muted() (was float64, ok bool, err error) {
	b, err := os.ReadFile(d.file(mutedFile))
	if errors.Is(err, os.ErrNotExist) {
		return 0, false, nil
	}
	if err == nil {
		was, err = strconv.ParseFloat(strings.TrimSpace(string(b)), 64)
	}
	if err == nil {
		err = checkAmp(was)
	}
	if err != nil {
		return 0, false, fmt.Errorf("%s: %w", d.file(mutedFile), err)
	}
	return was, true, nil
}

// checkAmp is an error for what is no amp of an engine.
func checkAmp(x float64) error {
	if !(x >= 0 && x <= 1) {
		return fmt.Errorf("an amp of %g: it is 0 to 1", x)
	}
	return nil
}
