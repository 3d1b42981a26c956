package frontend

import (
	"errors"
	"testing"

	"github.com/music-chronus/chronus/actors/internal/drafts"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/osc"
)

// At most drafts.MaxInFlight status requests wait for the engine; the others are refused. An answer
// makes room again.
func TestRequestsAreBounded(t *testing.T) {
	h, e, near := handlerOf(t)
	h.view = h.f.tracker.View()
	refused := 0
	for i := range 2 * drafts.MaxInFlight {
		var err error
		if i%2 == 0 {
			err = h.take(&osc.Message{Address: []byte("/engine/status"), Time: osc.Immediately}, near)
		} else {
			err = scStatus(h, &osc.Message{}, near)
		}
		switch {
		case errors.Is(err, errQueries):
			refused++
		case err != nil:
			t.Fatal(err)
		}
	}
	if refused != drafts.MaxInFlight {
		t.Errorf("of %d %d are refused", 2*drafts.MaxInFlight, refused)
	}
	for range drafts.MaxInFlight {
		(<-e.requests).(statusRequest).done()
	}
	if n := h.f.requestsInFlight.Load(); n != 0 || h.askStatus(func(report.Status) {}) != nil {
		t.Errorf("%d still wait", n)
	}
}
