package shm

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/music-chronus/chronus/shm/sys"
)

var testGeometry = Geometry{Rate: 48000, Block: 64, Channels: 2, Slots: 2, Ring: 8, Guard: 2}

// words makes the engine segment and the journal, in their roles.
func words(t *testing.T, g Geometry) (Control, Playback, Journal) {
	t.Helper()
	c, err := NewControl(g, 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	j, err := NewJournal(g)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(j.Close)
	p, err := AttachPlayback(dup(t, c.FD()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return c, p, j
}

func dup(t *testing.T, fd int) int {
	t.Helper()
	n, err := syscall.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func recorder(t *testing.T, j Journal, slot int, gen uint64) Recorder {
	t.Helper()
	r, err := AttachRecorder(dup(t, j.FD()), slot, gen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func TestGeometryCheck(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Geometry)
		ok     bool
	}{
		{"as it is", func(*Geometry) {}, true},
		{"rate 0", func(g *Geometry) { g.Rate = 0 }, false},
		{"rate 1 MHz", func(g *Geometry) { g.Rate = 1e6 }, false},
		{"block 15", func(g *Geometry) { g.Block = 15 }, false},
		{"block 4097", func(g *Geometry) { g.Block = 4097 }, false},
		{"no channels", func(g *Geometry) { g.Channels = 0 }, false},
		{"nine replicas", func(g *Geometry) { g.Slots = 9 }, false},
		{"ring 12", func(g *Geometry) { g.Ring = 12 }, false},
		{"guard as long as the ring", func(g *Geometry) { g.Guard = 8 }, false},
		{"64 channels of 4096", func(g *Geometry) { g.Block, g.Channels = 4096, 64 }, true},
	} {
		g := testGeometry
		tt.change(&g)
		if err := g.Check(); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestRingFor(t *testing.T) {
	for lead, want := range map[int]uint32{2: 4, 3: 8, 4: 8, 5: 16, 8: 16, 9: 32, 67: 256} {
		if got := RingFor(lead); got != want {
			t.Errorf("lead %d: ring %d, want %d", lead, got, want)
		}
	}
}

func TestAttachRefuses(t *testing.T) {
	_, _, j := words(t, testGeometry)
	unsealed := func() int {
		f, err := os.Create(filepath.Join(t.TempDir(), "file"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := f.Truncate(1 << 20); err != nil {
			t.Fatal(err)
		}
		return dup(t, int(f.Fd()))
	}
	changed := func(change func(*header)) int {
		c, err := NewJournal(testGeometry)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		change(c.header())
		return dup(t, c.FD())
	}
	for _, tt := range []struct {
		name string
		fd   int
		want error
	}{
		{"not sealed", unsealed(), ErrCorrupt},
		{"another version", changed(func(h *header) { h.Version++ }), ErrStale},
		{"no magic", changed(func(h *header) { h.Magic = 0 }), ErrCorrupt},
		{"another kind", changed(func(h *header) { h.Kind = KindSlot }), ErrCorrupt},
		{"size beyond the file", changed(func(h *header) { h.Size += 4096 }), ErrCorrupt},
		{"geometry that cannot be", changed(func(h *header) { h.Geometry.Ring = 7 }), ErrCorrupt},
	} {
		if _, err := AttachJournal(tt.fd); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if _, err := AttachRecorder(dup(t, j.FD()), 2, 1); !errors.Is(err, ErrCorrupt) {
		t.Errorf("slot 2 of 2: %v", err)
	}
	slot, _, err := NewSlot(testGeometry, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer slot.Close()
	slot.header().Geometry.Ring = 16 // then it should be larger
	if _, err := AttachSlot(dup(t, slot.FD()), false); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a slot too small for its geometry: %v", err)
	}
}

func TestSealed(t *testing.T) {
	c, _, _ := words(t, testGeometry)
	if err := syscall.Ftruncate(c.FD(), 4096); err == nil {
		t.Error("the segment shrank")
	}
	ro, err := c.ReadOnlyFD()
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(ro)
	size, _ := sys.Size(ro)
	if _, err := sys.Map(ro, size, true); err == nil {
		t.Error("a read-only descriptor was mapped for writing")
	}
}

// Attaching a segment allocates next to nothing: the audio process attaches one for each new
// worker, without a garbage collector.
func TestAttachHeap(t *testing.T) {
	slot, _, err := NewSlot(testGeometry, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer slot.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const times = 20
	for range times {
		s, err := AttachSlot(dup(t, slot.FD()), false)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = s.AudioReader(), s.Liveness()
		s.Close()
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / times; each > 4096 {
		t.Errorf("%d bytes of heap for each attaching", each)
	}
}
