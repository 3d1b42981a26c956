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

// beginMeter gives the meter the values of a sound that an earlier engine has begun.
func (e *Engine) beginMeter(v *space.Values) {
	seq := v.Plan().SeqNode()
	e.meter.Begin(v.Param(0, patch.EngineAmp), seq != 0 && v.Param(seq, patch.SeqPlay) != patch.PlayStop)
}

// restoreMuted restores that an engine before this one was muted: one whose sound was taken over,
// or one that is resumed. Workers only see amp 0; they know neither that the engine is muted nor the
// level before. So the engine keeps both in its runtime directory and with the saved state.
func (e *Engine) restoreMuted(values *space.Values, tookOver, resumed bool) {
	was, muted, err := 0.0, false, error(nil)
	switch {
	case tookOver:
		was, muted, err = e.dir.muted()
	case resumed && e.saved.Muted != nil:
		was, muted, err = *e.saved.Muted, true, checkAmp(*e.saved.Muted)
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
		if err := e.dir.saveMuted(muted, amp); err != nil {
			e.emit(report.SaveFailed{What: "that it is muted", Err: err})
		}
	})
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
