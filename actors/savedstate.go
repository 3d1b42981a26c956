package actors

import (
	"github.com/music-chronus/chronus/actors/internal/replica"
	"github.com/music-chronus/chronus/actors/internal/statefile"
	"github.com/music-chronus/chronus/actors/report"
)

// savedState implements statefile.Source.
type savedState struct {
	*replica.Set
	e *Engine
}

// Describe implements statefile.Source.
func (s savedState) Describe(st *statefile.State) {
	st.Rate, st.Block, st.Channels = s.e.cfg.Rate, s.e.cfg.Block, s.e.cfg.Channels
	st.Values, st.Muted = s.e.frontend.View().Changed(), s.e.meter.MutedFrom()
}

// SaveFailed implements statefile.Source.
func (s savedState) SaveFailed(err error) {
	s.e.emit(report.SaveFailed{What: "state on disk", Err: err})
}

// lastGood is the last good patch that an earlier engine saved; "": none.
func (e *Engine) lastGood() string {
	if e.saved == nil {
		return ""
	}
	return e.saved.LastGood
}
