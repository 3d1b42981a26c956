package frontend

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/osc"
)

// Each kind of event has its own address, and OSC types for its fields.
func TestEventMessages(t *testing.T) {
	seen := map[string]bool{}
	for _, ev := range report.Kinds() {
		address, args := eventMessage(ev)
		if _, err := osc.Encode(address, args...); err != nil || seen[address] {
			t.Errorf("%T: %s %v: %v", ev, address, args, err)
		}
		seen[address] = true
		if a, usage := EventUsage(ev); a != address || len(strings.Fields(usage)) != len(args) {
			t.Errorf("%s: %q", a, usage)
		}
	}
	address, args := eventMessage(report.WorkerFailed{Slot: 1, PID: 7, Err: fmt.Errorf("no\x00memory%s", strings.Repeat("!", maxEventText)), After: time.Second / 4})
	if got := fmt.Sprint(address, args); got != "/event/worker_failed[1 7 no memory"+strings.Repeat("!", maxEventText-9)+" 0.25]" {
		t.Error(got)
	}
	if address, args = eventMessage(report.PatchChanged{Name: "song", Commit: report.Commit{Number: 3, Block: 10, Frame: 640}}); fmt.Sprint(address, args) != "/event/patch_changed[song 3 10 640]" {
		t.Error(address, args)
	}
}
