package fault_test

import (
	"testing"

	"github.com/music-chronus/chronus/actors/internal/fault"
)

// A failover lasts from the kill, or else from the detection, until every worker is ready.
func TestHistory(t *testing.T) {
	var h fault.History
	standby := fault.Worker{Slot: 1, Generation: 3, PID: 7}
	h.WorkerEnded(standby, "signal: killed", 5_000, 0)
	h.AllReady(9_000)
	killed := fault.Worker{Slot: 0, Generation: 2, PID: 6, KilledAt: 10_000}
	h.WorkerEnded(killed, "signal: killed", 12_000, 13_000)
	h.AllReady(20_000)
	h.AllReady(30_000)
	list := h.List()
	if f := list[0]; f.FromKill || f.DetectUS != 0 || f.FlipUS != 0 || f.RedundantUS != 4 {
		t.Errorf("the standby: %+v", f)
	}
	if f := list[1]; !f.FromKill || f.DetectUS != 2 || f.FlipUS != 3 || f.RedundantUS != 10 {
		t.Errorf("the active worker: %+v", f)
	}
	if h.Count() != 2 || h.Flips() != 0 {
		t.Errorf("%d failovers, %d flips", h.Count(), h.Flips())
	}
}

// The end of a worker completes the failover that a flip by the callback began, if the engine
// killed the worker because of it.
func TestCallbackFlip(t *testing.T) {
	for _, condemned := range []bool{true, false} {
		var h fault.History
		w := fault.Worker{Slot: 0, Generation: 2, PID: 6}
		h.CallbackFlipped(w, "no lead left", 11_000, 10_000, false)
		w.Condemned = condemned
		h.WorkerEnded(w, "hung", 14_000, 0)
		want := 2
		if condemned {
			want = 1
		}
		if list := h.List(); len(list) != want || list[want-1].Cause != "hung" {
			t.Errorf("condemned %t: %+v", condemned, list)
		}
	}
}

// Only the last 4,096 failovers are on record; all are counted.
func TestHistoryIsBounded(t *testing.T) {
	var h fault.History
	for i := range 5000 {
		h.WorkerEnded(fault.Worker{PID: i}, "", 1, 0)
	}
	if list := h.List(); len(list) != 4096 || list[0].PID != 904 || h.Count() != 5000 {
		t.Errorf("%d failovers from process %d on, %d counted", len(list), list[0].PID, h.Count())
	}
}
