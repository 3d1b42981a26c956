package meter_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/internal/meter"
	"github.com/music-chronus/chronus/shm"
)

// engine is the words of an engine, as it and the callback see them.
func engine(t *testing.T) (shm.Geometry, shm.Control, shm.Playback) {
	t.Helper()
	g := shm.Geometry{Rate: 48000, Block: 64, Channels: 2, Guard: 2, Slots: 2, Ring: 64}
	c, err := shm.NewControl(g, 16)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Segment.Close)
	fd, err := syscall.Dup(c.FD())
	if err != nil {
		t.Fatal(err)
	}
	p, err := shm.AttachPlayback(fd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return g, c, p
}

// The reason of the lead names the device, the guard, late workers and the request.
func TestLeadReason(t *testing.T) {
	g, c, p := engine(t)
	block, guard := int(g.Block), uint64(g.Guard)
	for _, tt := range []struct {
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
		c.RequestLead(tt.asked)
		p.SetLead(tt.lead, tt.frames, tt.extra)
		if got := meter.LeadReason(c.View, g); !strings.Contains(got, tt.want) {
			t.Errorf("lead %d of %d frames, extra %d, asked %d: %q, want %q", c.Lead(), tt.frames, tt.extra, tt.asked, got, tt.want)
		}
	}
}

// A changed lead, and a device that takes more than it, are reported once a second at most.
func TestLeadReport(t *testing.T) {
	g, c, p := engine(t)
	var r meter.LeadReport
	now := time.Now()
	update := func() int {
		list := r.Update(now, true, c.View, g)
		now = now.Add(time.Second / 2)
		return len(list)
	}
	update()
	p.SetLead(c.Lead()+1, 64, 1)
	p.CountOverrun()
	if n := update(); n != 0 {
		t.Errorf("%d events within a second", n)
	}
	if n := update(); n != 2 {
		t.Errorf("%d events, want an overrun and a lead", n)
	}
	if n := update() + update() + update(); n != 0 {
		t.Errorf("%d events of what had been reported", n)
	}
}

// Faults of the sound and xruns are reported once a second at most, but not those of an engine
// before.
func TestSoundReport(t *testing.T) {
	var r meter.SoundReport
	now := time.Now()
	update := func(s shm.Sound, xruns uint64) int {
		now = now.Add(time.Second / 2)
		return len(r.Update(now, s, xruns, func(int) string { return "node" }))
	}
	for i, tt := range []struct {
		sound shm.Sound
		xruns uint64
		want  int
	}{
		{shm.Sound{}, 9, 0},
		{shm.Sound{Faults: 1, Limited: 1}, 10, 3},
		{shm.Sound{Faults: 2, Limited: 1}, 10, 0},
		{shm.Sound{Faults: 2, Limited: 1}, 10, 1},
		{shm.Sound{Faults: 2, Limited: 1}, 10, 0},
	} {
		if n := update(tt.sound, tt.xruns); n != tt.want {
			t.Errorf("step %d: %d events, want %d", i, n, tt.want)
		}
	}
}
