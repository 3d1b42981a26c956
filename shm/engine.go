package shm

import (
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/music-chronus/chronus/shm/interleave"
	"github.com/music-chronus/chronus/shm/sys"
)

// flipLog is the number of changes of active whose time is recorded.
const flipLog = 256

// Transport tells the callback what to do.
type Transport uint32

// Idle plays silence and keeps the clock. Fade fades out, then idles.
const (
	Idle Transport = iota
	Play
	Fade
)

// engineWords is the body of the engine segment. Words of different writers lie on different cache
// lines.
type engineWords struct {
	active        atomic.Uint64
	_             [56]byte
	clock         atomic.Uint64
	_             [56]byte
	wake          atomic.Uint32
	_             [60]byte
	committed     atomic.Uint64
	_             [56]byte
	requestedLead atomic.Uint64 // lead set by the user, in blocks; 0: automatic
	enginePID     atomic.Uint64 // of the engine process
	grace         atomic.Uint64 // how long the others go on without an engine, ns
	transport     atomic.Uint32
	_             [36]byte
	lead          atomic.Uint64 // this cache line belongs to the callback
	burst         atomic.Uint64 // frames that the device takes before a worker can answer
	extra         atomic.Uint64 // blocks of the lead for workers that were late
	mismatch      atomic.Uint64 // last block with two different copies, plus 1; 0: none
	_             [32]byte
	counters      counters
	_             [128 - unsafe.Sizeof(counters{})]byte
	mapped        [MaxSlots]atomic.Uint64
	flips         [flipLog]struct{ epoch, at atomic.Uint64 }
	heard         [Laps]atomic.Uint64
}

// counters has the callback as its only writer.
type counters struct {
	callbacks, played, rescued, concealed, flips, deposed, xruns, faded, damaged, late, overruns atomic.Uint64
}

// The layout is checked at compile time: a group that moves does not build.
var (
	_ = [1]struct{}{}[unsafe.Offsetof(engineWords{}.clock)-1*line]
	_ = [1]struct{}{}[unsafe.Offsetof(engineWords{}.wake)-2*line]
	_ = [1]struct{}{}[unsafe.Offsetof(engineWords{}.committed)-3*line]
	_ = [1]struct{}{}[unsafe.Offsetof(engineWords{}.requestedLead)-4*line]
	_ = [1]struct{}{}[unsafe.Offsetof(engineWords{}.lead)-5*line]
	_ = [1]struct{}{}[unsafe.Offsetof(engineWords{}.counters)-6*line]
	_ = [1]struct{}{}[unsafe.Offsetof(engineWords{}.mapped)-8*line]
	_ = [1]struct{}{}[unsafe.Offsetof(engineWords{}.heard)%line]
)

// View is the engine segment as a worker has it, read-only. Its values may be outdated at once.
// Clock and Committed never fall.
type View struct {
	*Segment
	w *engineWords
}

// AttachView maps the engine segment read-only and takes over fd.
func AttachView(fd int) (View, error) {
	s, err := attach(fd, KindEngine, false)
	if err != nil {
		return View{}, err
	}
	return View{s, at[engineWords](s, 0)}, nil
}

// Active returns the active word.
func (v View) Active() Active {
	interleave.Yield()
	return Active(v.w.active.Load())
}

// Clock returns the number of the next block to play.
func (v View) Clock() uint64 {
	interleave.Yield()
	return v.w.clock.Load()
}

// Committed returns the highest Seq that every attached command ring holds.
func (v View) Committed() uint64 {
	interleave.Yield()
	return v.w.committed.Load()
}

// Lead returns how many blocks workers may be ahead of the clock, from 1 to the ring's size. The
// callback raises and lowers it.
func (v View) Lead() uint64 {
	interleave.Yield()
	return v.w.lead.Load()
}

// RequestedLead returns the lead that the user asked for, in blocks; 0: automatic.
func (v View) RequestedLead() uint64 { return v.w.requestedLead.Load() }

// LeadParts returns what the lead is made of: the frames that the device takes before a worker can
// answer, and the blocks added for late workers.
func (v View) LeadParts() (burst int, extra uint64) { return int(v.w.burst.Load()), v.w.extra.Load() }

// Transport returns what the callback is told to do.
func (v View) Transport() Transport {
	interleave.Yield()
	return Transport(v.w.transport.Load())
}

// Grace returns how long workers and audio process go on without an engine; 0: for ever.
func (v View) Grace() time.Duration { return time.Duration(v.w.grace.Load()) }

// WakeSeq returns the wake word. Read it before testing a condition, then pass it to Wait.
func (v View) WakeSeq() uint32 {
	interleave.Yield()
	return v.w.wake.Load()
}

// Wait sleeps while the wake word is seq, for at most timeout.
func (v View) Wait(seq uint32, timeout time.Duration) { interleave.Wait(&v.w.wake, seq, timeout) }

// Counters are the counters of the callback, in blocks unless noted.
type Counters struct {
	Callbacks uint64 `json:"callbacks"`
	Played    uint64 `json:"played"`    // each once, in order
	Rescued   uint64 `json:"rescued"`   // of those, from the ring of a standby
	Concealed uint64 `json:"concealed"` // played without a block: faded, then silence
	Flips     uint64 `json:"flips"`     // by the callback, since the lead fell to the guard
	Deposed   uint64 `json:"deposed"`   // workers that the audio process removed before the engine did
	Xruns     uint64 `json:"xruns"`     // as the device reports them
	Damaged   uint64 `json:"damaged"`   // copies that differ from what their worker wrote
	Late      uint64 `json:"late"`      // times that a living worker fell below the guard
	Overruns  uint64 `json:"overruns"`  // calls in which the device took more than the lead
}

// Counters returns the counters of the callback. Each is exact. While sound plays they may be of
// different moments.
func (v View) Counters() Counters {
	c := &v.w.counters
	return Counters{
		Callbacks: c.callbacks.Load(), Played: c.played.Load(), Rescued: c.rescued.Load(),
		Concealed: c.concealed.Load(), Flips: c.flips.Load(), Deposed: c.deposed.Load(), Xruns: c.xruns.Load(),
		Damaged: c.damaged.Load(), Late: c.late.Load(), Overruns: c.overruns.Load(),
	}
}

// Mapped returns the generation of slot's ring that the callback reads; 0: none.
func (v View) Mapped(slot int) uint64 {
	interleave.Yield()
	return v.w.mapped[slot].Load()
}

// LastMismatch returns the last block of which the callback saw two different copies. ok is false
// if all were equal.
func (v View) LastMismatch() (n uint64, ok bool) {
	n = v.w.mismatch.Load()
	return n - min(n, 1), n > 0
}

// Faded reports whether the fade of transport Fade has ended in silence.
func (v View) Faded() bool { return v.w.counters.faded.Load() != 0 }

// FlippedAt returns when active got this epoch, in nanoseconds of sys.Monotonic. ok is false if
// later changes have overwritten the record.
func (v View) FlippedAt(epoch uint64) (at int64, ok bool) {
	f := &v.w.flips[epoch%flipLog]
	at = int64(f.at.Load())
	return at, f.epoch.Load() == epoch
}

// Heard returns the hash of block n as the callback played it. ok is false if n is still to be
// played, or is older than Laps blocks.
func (v View) Heard(n uint64) (hash uint64, ok bool) {
	hash = v.w.heard[n%Laps].Load()
	c := v.Clock()
	return hash, n < c && n+Laps > c
}

// swap is the only CAS on active. It records the time, from which the engine computes failover
// times.
func (v View) swap(old, new Active) bool {
	interleave.Yield()
	if !v.w.active.CompareAndSwap(uint64(old), uint64(new)) {
		return false
	}
	f := &v.w.flips[new.Epoch()%flipLog]
	f.at.Store(uint64(sys.Monotonic()))
	f.epoch.Store(new.Epoch())
	return true
}

func (v View) wakeAll() {
	interleave.Yield()
	v.w.wake.Add(1)
	sys.FutexWake(&v.w.wake)
}

// removeWorker clears slot's ready bit and, if slot is active, activates its successor, in one CAS.
// It reports whether anything changed.
func (v View) removeWorker(slot, slots int, head func(int) uint64) bool {
	for {
		old := v.Active()
		to := old.Slot()
		if to == slot {
			if successor, ok := old.Successor(slot, slots, 0, head); ok {
				to = successor
			}
		}
		if to == old.Slot() && !old.Ready(slot) {
			return false
		}
		if v.swap(old, old.Without(slot, to)) {
			v.wakeAll()
			return true
		}
	}
}

// AwaitOrphan returns when no engine process has lived for grace: then the caller's process should
// end. With grace 0 it never returns. Call it on a goroutine of its own.
func (v View) AwaitOrphan(grace time.Duration) error {
	if grace == 0 {
		select {}
	}
	for {
		pid := v.w.enginePID.Load()
		if err := sys.AwaitExit(int(pid)); err != nil {
			return fmt.Errorf("watch engine process %d: %w", pid, err)
		}
		for gone := time.Now(); v.w.enginePID.Load() == pid; time.Sleep(grace / 64) {
			if time.Since(gone) >= grace {
				return nil
			}
		}
	}
}
