package actors

import (
	"strings"
	"testing"
	"time"
)

// The status says why the lead is what it is.
func TestLeadReason(t *testing.T) {
	r := diverging(t, 2, 12, 0)
	p := callback(t, r)
	block := int(r.geo.Block)
	guard := uint64(r.geo.Guard)
	for _, c := range []struct {
		asked  int
		lead   uint64
		frames int
		extra  uint64
		want   string
	}{
		{0, 2 + guard, block, 0, "twice the 1 blocks"},
		{0, 5 + guard, block, 3, "3 more since workers were late"},
		{3, 3, block, 0, "fixed at 3"},
		{3, 4 + guard, 2 * block, 0, "3 was asked for and is too short"},
		{0, 4 + guard, block, 0, "on its way down to"},
	} {
		r.control.RequestLead(c.asked)
		p.SetLead(c.lead, c.frames, c.extra)
		if got := leadReason(r.control.View, r.geo); !strings.Contains(got, c.want) {
			t.Errorf("lead %d of %d frames, extra %d, asked %d: %q, want %q", r.control.Lead(), c.frames, c.extra, c.asked, got, c.want)
		}
	}
}

// A lead that changes, and a device that takes more than it, are reported once a second at most.
func TestLeadIsReported(t *testing.T) {
	r := diverging(t, 2, 12, 0)
	var got []Event
	r.emit = func(e Event) { got = append(got, e) }
	p := callback(t, r)
	now := time.Now()
	look := func() int {
		got = nil
		r.tendLead(now)
		now = now.Add(leadNewsEvery / 2)
		return len(got)
	}
	r.plays = true
	look()
	p.SetLead(r.control.Lead()+1, 64, 1)
	p.CountOverrun()
	if n := look(); n != 0 {
		t.Errorf("%d events within a second", n)
	}
	if n := look(); n != 2 {
		t.Errorf("%d events, want an overrun and a lead: %v", n, got)
	}
	if n := look() + look() + look(); n != 0 {
		t.Errorf("%d events of what had been reported", n)
	}
}
