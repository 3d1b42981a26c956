package audio

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/wire"
)

// A ring stays mapped until the callback reads its successor, for any number of rings in between
// and any number of checks.
func TestRingOutlivesItsSuccessor(t *testing.T) {
	h := newHarness(t, &device{name: "one", period: testBlock})
	h.begin()
	h.run(4)
	first := h.p.rings.current[0].seg
	for gen := uint64(2); gen < 4; gen++ {
		h.remake(0, gen, h.journal.Published(0))
		h.hand(0)
		if err := h.p.check(); err != nil {
			t.Fatal(err)
		}
		if first.FD() < 0 {
			t.Fatalf("the ring was unmapped when generation %d was attached, before the callback had left it", gen)
		}
	}
	second := h.p.rings.previous[0][1].seg
	h.dev.call()
	if first.FD() < 0 || second.FD() < 0 {
		t.Error("a ring was unmapped by the callback")
	}
	_ = h.p.check()
	if first.FD() >= 0 || second.FD() >= 0 || len(h.p.rings.previous[0]) != 0 {
		t.Errorf("rings stay mapped though the callback reads generation %d", h.p.player.Reads(0))
	}
	if now := h.p.rings.current[0].seg; now.FD() < 0 || h.p.player.Reads(0) != 3 {
		t.Errorf("the callback reads generation %d, mapped: %t", h.p.player.Reads(0), now.FD() >= 0)
	}
}

// Generations in shared words, left by another process's callback, unmap nothing.
func TestRingOutlivesStaleWords(t *testing.T) {
	h := newHarness(t, &device{name: "one", period: testBlock})
	h.begin()
	h.run(1)
	first := h.p.rings.current[0].seg
	h.remake(0, 2, h.journal.Published(0))
	h.hand(0)
	h.p.words.SetMapped(0, 99)
	_ = h.p.check()
	if first.FD() < 0 {
		t.Error("the ring was unmapped though the callback still reads it")
	}
}

// A bad ring is refused and reported, and its descriptors are closed. The other rings play on, and
// the slot accepts its next ring.
func TestRefusesRing(t *testing.T) {
	h := newHarness(t, &device{name: "one", period: testBlock})
	h.order(wire.Order{Attach: &wire.AttachOrder{Slot: 0, Generation: 1}}, dup(t, h.slots[0].FD()))
	if n := h.refusal(0, 1); !strings.Contains(n, "device open: false") {
		t.Errorf("before a device is open: %s", n)
	}
	h.begin()
	h.run(4)
	other := h.journal.Geometry()
	other.Channels = 1
	made := func(g shm.Geometry, slot int) int {
		seg, _, err := shm.NewSlot(g, slot, 2)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(seg.Close)
		return seg.FD()
	}
	foreign, beyond, wild := made(other, 1), made(h.journal.Geometry(), 2), made(h.journal.Geometry(), 1<<20)
	plain, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	own := h.slots[1].FD()
	open := descriptors(t)
	for _, tt := range []struct {
		name string
		slot int
		gen  uint64
		fds  []int
		want string
	}{
		{"no descriptor", 1, 2, nil, "0 descriptors"},
		{"two descriptors", 1, 2, []int{own, own}, "2 descriptors"},
		{"closed", 1, 2, []int{-1}, "descriptor -1"},
		{"an ordinary file", 1, 2, []int{int(plain.Fd())}, "not sealed"},
		{"another segment", 1, 2, []int{h.journal.FD()}, "journal"},
		{"another slot", 0, 1, []int{own}, "slot 1"},
		{"no slot", -1, 1, []int{own}, "slot 1"},
		{"another generation", 1, 7, []int{own}, "generation 1"},
		{"another geometry", 1, 2, []int{foreign}, "Channels:1"},
		{"a slot beyond those of the engine", 2, 2, []int{beyond}, "slot 2"},
		{"a wild slot", 1 << 20, 2, []int{wild}, "slot 1048576"},
	} {
		h.notices = nil
		fds := make([]int, len(tt.fds))
		for i, fd := range tt.fds {
			if fds[i] = fd; fd >= 0 {
				fds[i] = dup(t, fd)
			}
		}
		h.order(wire.Order{Attach: &wire.AttachOrder{Slot: tt.slot, Generation: tt.gen}}, fds...)
		if n := h.refusal(tt.slot, tt.gen); !strings.Contains(n, tt.want) {
			t.Errorf("%s: %q, want it to name %q", tt.name, n, tt.want)
		}
	}
	if now := descriptors(t); now != open {
		t.Errorf("%d descriptors are open, %d were before the bad rings", now, open)
	}
	h.run(4)
	h.continues(h.dev.sound, 0)
	h.notices = nil
	h.remake(1, 2, h.journal.Published(1))
	h.hand(1)
	h.run(1)
	if len(h.notices) != 0 || h.control.Mapped(1) != 2 || h.control.Counters().Concealed != 0 {
		t.Errorf("notices %+v, generation %d is read, %+v", h.notices, h.control.Mapped(1), h.control.Counters())
	}
}

// A bad ring is also refused if there is no engine to notify.
func TestRefusesRingUnheard(t *testing.T) {
	h := newHarness(t, &device{name: "one", period: testBlock})
	h.begin()
	h.deaf = true
	h.order(wire.Order{Attach: &wire.AttachOrder{Slot: 1, Generation: 2}})
	h.run(3)
	h.continues(h.dev.sound, 0)
}

// A ring that is attached already is not mapped twice, and an older one does not come back. Neither
// is an error.
func TestAttachAgain(t *testing.T) {
	h := newHarness(t, &device{name: "one", period: testBlock})
	h.begin()
	h.run(2)
	h.notices = nil
	old := h.slots[0]
	defer old.Close()
	h.remake(0, 2, h.journal.Published(0))
	h.hand(0)
	h.run(2)
	_ = h.p.check()
	open, now := descriptors(t), h.p.rings.current[0]
	h.hand(0)
	h.order(wire.Order{Attach: &wire.AttachOrder{Slot: 0, Generation: 1}}, dup(t, old.FD()))
	h.run(2)
	_ = h.p.check()
	if h.p.rings.current[0] != now || len(h.p.rings.previous[0]) != 0 || h.control.Mapped(0) != 2 || descriptors(t) != open || len(h.notices) != 0 {
		t.Errorf("generation %d is read, %d rings kept, notices %+v", h.control.Mapped(0), len(h.p.rings.previous[0]), h.notices)
	}
	h.continues(h.dev.sound, 0)
}

// attach starts to watch the worker of its ring.
func TestAttachWatchesLiveness(t *testing.T) {
	h := newHarness(t, &device{name: "one", period: testBlock})
	h.begin()
	d := h.p.rings.liveness
	h.slots[0].Liveness().Store(1)
	d.poll(nil)
	h.slots[0].Liveness().Store(0)
	d.poll(nil)
	if a := h.control.Active(); a.Slot() != 1 || a.Ready(0) {
		t.Errorf("the worker of slot 0 has died, and active is %v", a)
	}
}

// The callback causes no page fault, not even in the first lap of the rings and of its own words.
func TestCallbackDoesNotFault(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const laps = 3 // a signal of Go's runtime to this thread may fault once on its stack
	var faults []int64
	for range laps {
		faults = append(faults, faultsOfALap(t))
	}
	if least := slices.Min(faults); least > 0 {
		t.Errorf("the callback took %v page faults in its first lap, want 0 in one of %d", faults, laps)
	}
}

// faultsOfALap counts the page faults of Fill in the first lap of the heard log and of the rings.
func faultsOfALap(t *testing.T) (n int64) {
	const ring = 512
	h := stageHarness(newStageOf(t, shm.Geometry{Rate: 48000, Block: testBlock, Channels: 2, Slots: 2, Ring: ring, Guard: 2}, 2),
		&device{name: "one", period: testBlock})
	h.control.RaiseLead(ring)
	h.begin()
	h.run(1)
	out := make([]float32, 2*testBlock*ring/4)
	clear(out)
	for h.control.Clock() < shm.Laps+ring {
		h.fillUp(0)
		h.fillUp(1)
		before := faults(t)
		h.dev.fill(out)
		n += faults(t) - before
	}
	if c := h.control.Counters(); c.Concealed > 0 {
		t.Fatalf("%+v", c)
	}
	return n
}

// faults returns the page faults of this thread.
func faults(t *testing.T) int64 {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_THREAD, &u); err != nil {
		t.Fatal(err)
	}
	return u.Minflt + u.Majflt
}

// descriptors returns the number of open files of this process.
func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
