package shm

import (
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/music-chronus/chronus/shm/sys"
)

// flipLog is how many of the last changes of active have their time on record.
const flipLog = 256

// Transport is what the callback is told to do.
type Transport uint32

// The callback plays silence without moving the clock, plays, or fades out and then idles.
const (
	Idle Transport = iota
	Play
	Fade
)

// engineWords is the body of the engine segment. Each group that one process writes has lines of its own.
type engineWords struct {
	active        atomic.Uint64
	_             [56]byte
	clock         atomic.Uint64
	_             [56]byte
	wake          atomic.Uint32
	_             [60]byte
	committed     atomic.Uint64
	_             [56]byte
	requestedLead atomic.Uint64 // lead that the user asked for; 0: automatic
	enginePID     atomic.Uint64 // pid of the engine process
	grace         atomic.Uint64 // nanoseconds that the others go on without an engine
	transport     atomic.Uint32
	_             [36]byte
	lead          atomic.Uint64 // this line is the callback's
	burst         atomic.Uint64 // frames that the device takes before a worker can answer
	extra         atomic.Uint64 // blocks of the lead for workers that were late
	mismatch      atomic.Uint64 // last block of which the callback saw two copies that differ, plus one
	_             [32]byte
	counters      counters
	_             [128 - unsafe.Sizeof(counters{})]byte
	mapped        [MaxSlots]atomic.Uint64
	flips         [flipLog]struct{ epoch, at atomic.Uint64 }
	heard         [Laps]atomic.Uint64
}

// counters are written by the callback alone.
type counters struct {
	callbacks, played, rescued, concealed, flips, deposed, xruns, faded, damaged, late, overruns atomic.Uint64
}

// The layout, checked at compile time: a group that moves does not build.
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

// View is the engine segment as a worker has it: for reading. What it returns may be out of
// date at once, but clock, committed and lead never fall.
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

// Active is the word as it is now.
func (v View) Active() Active {
	yield()
	return Active(v.w.active.Load())
}

// Clock is the number of the next block to play.
func (v View) Clock() uint64 {
	yield()
	return v.w.clock.Load()
}

// Committed is the highest Seq that every attached ring holds.
func (v View) Committed() uint64 {
	yield()
	return v.w.committed.Load()
}

// Lead is how many blocks workers may be ahead of the clock: at least 1, at most the ring. The
// callback raises and lowers it.
func (v View) Lead() uint64 {
	yield()
	return v.w.lead.Load()
}

// RequestedLead is the lead that the user asked for, in blocks; 0: automatic.
func (v View) RequestedLead() uint64 { return v.w.requestedLead.Load() }

// LeadParts says why the lead is what it is: the frames that the device takes before a worker can answer,
// and the blocks added for workers that were late.
func (v View) LeadParts() (burst int, extra uint64) { return int(v.w.burst.Load()), v.w.extra.Load() }

// Transport is what the callback is told to do.
func (v View) Transport() Transport {
	yield()
	return Transport(v.w.transport.Load())
}

// Grace is how long workers and audio process go on without an engine; 0: for ever.
func (v View) Grace() time.Duration { return time.Duration(v.w.grace.Load()) }

// WakeSeq reads the wake word. Read it before the conditions are tested, wait on that value.
func (v View) WakeSeq() uint32 {
	yield()
	return v.w.wake.Load()
}

// Wait sleeps until the wake word is no longer bell, or timeout.
func (v View) Wait(bell uint32, timeout time.Duration) { wait(&v.w.wake, bell, timeout) }

// Counters are the callback's: in blocks, but for Callbacks and Xruns.
type Counters struct {
	Callbacks uint64 `json:"callbacks"`
	Played    uint64 `json:"played"`    // blocks played, in order, each once
	Rescued   uint64 `json:"rescued"`   // of them, from a ring that is not the active one
	Concealed uint64 `json:"concealed"` // blocks' worth of time for which nobody had a block
	Flips     uint64 `json:"flips"`     // by the callback, for want of lead
	Deposed   uint64 `json:"deposed"`   // dead workers that the audio process took the ready bit of, before the engine
	Xruns     uint64 `json:"xruns"`     // as the device reports them
	Damaged   uint64 `json:"damaged"`   // copies of blocks that were not what their worker had written
	Late      uint64 `json:"late"`      // times that a living worker fell under the guard
	Overruns  uint64 `json:"overruns"`  // calls in which the device took more than the lead
}

// Counters reads the playback counters; each is exact, together they are of one moment only when nothing plays.
func (v View) Counters() Counters {
	c := &v.w.counters
	return Counters{c.callbacks.Load(), c.played.Load(), c.rescued.Load(), c.concealed.Load(), c.flips.Load(), c.deposed.Load(), c.xruns.Load(), c.damaged.Load(), c.late.Load(), c.overruns.Load()}
}

// Mapped is the generation of slot's rings that the callback reads, 0 for none.
func (v View) Mapped(slot int) uint64 {
	yield()
	return v.w.mapped[slot].Load()
}

// LastMismatch is the last block of which the callback saw two different copies; ok is false if it never has.
func (v View) LastMismatch() (n uint64, ok bool) {
	n = v.w.mismatch.Load()
	return n - min(n, 1), n > 0
}

// Faded tells whether a fade-out asked for by the transport has ended in silence.
func (v View) Faded() bool { return v.w.counters.faded.Load() != 0 }

// FlippedAt is when active changed to epoch, in sys.Monotonic nanoseconds; ok is false if that is no longer on record.
func (v View) FlippedAt(epoch uint64) (at int64, ok bool) {
	f := &v.w.flips[epoch%flipLog]
	at = int64(f.at.Load())
	return at, f.epoch.Load() == epoch
}

// Heard is the hash of block n as the callback played it; ok is false if n is not played yet or too long ago.
func (v View) Heard(n uint64) (hash uint64, ok bool) {
	hash = v.w.heard[n%Laps].Load()
	c := v.Clock()
	return hash, n < c && n+Laps > c
}

// swap is the one CAS on active, with its time put on record for whoever asks what a failover took.
func (v View) swap(old, new Active) bool {
	yield()
	if !v.w.active.CompareAndSwap(uint64(old), uint64(new)) {
		return false
	}
	f := &v.w.flips[new.Epoch()%flipLog]
	f.at.Store(uint64(sys.Monotonic()))
	f.epoch.Store(new.Epoch())
	return true
}

func (v View) wakeAll() {
	yield()
	v.w.wake.Add(1)
	sys.FutexWake(&v.w.wake)
}

// removeWorker takes slot's ready bit and, if it is active, names the heir, in one CAS. It is false if there was
// nothing to take and nobody to name.
func (v View) removeWorker(slot, slots int, head func(int) uint64) bool {
	for {
		old := v.Active()
		to := old.Slot()
		if to == slot {
			if heir, ok := old.Successor(slot, slots, 0, head); ok {
				to = heir
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

// Control is the engine segment as the engine process has it.
type Control struct{ View }

// NewControl makes the engine segment. Slot 0 is active, nobody is ready. lead is the first lead, in
// blocks, until the callback knows its device.
func NewControl(g Geometry, lead int) (Control, error) {
	s, err := create(KindEngine, g, 0, 0, int(unsafe.Sizeof(engineWords{})))
	if err != nil {
		return Control{}, err
	}
	c := Control{View{s, at[engineWords](s, 0)}}
	c.w.lead.Store(uint64(lead))
	return c, nil
}

// BeginAt makes block n the first that is played, after command seq. Before any process has been started.
func (c Control) BeginAt(n, seq uint64) {
	c.w.clock.Store(n)
	c.w.committed.Store(seq)
}

// Swap changes active from old to new, wakes all, and reports whether it won.
func (c Control) Swap(old, new Active) bool {
	if !c.swap(old, new) {
		return false
	}
	c.wakeAll()
	return true
}

// RemoveWorker takes the ready bit of a slot whose worker has ended and, if it is active, names the ready
// slot with the highest head, in one CAS.
func (c Control) RemoveWorker(slot int, j Journal) {
	c.removeWorker(slot, int(c.Geometry().Slots), j.Published)
}

// Commit says that every attached ring holds all commands up to seq. It never lowers.
func (c Control) Commit(seq uint64) {
	yield()
	if seq > c.w.committed.Load() {
		c.w.committed.Store(seq)
	}
}

// RequestLead says which lead the user asked for, in blocks; 0: automatic.
func (c Control) RequestLead(lead int) { c.w.requestedLead.Store(uint64(lead)) }

// RaiseLead raises the lead, in blocks, up to the size of the rings: for the workers to fill before
// the callback, whose word this is, is first called.
func (c Control) RaiseLead(lead int) {
	if l := uint64(lead); l > c.w.lead.Load() && l <= uint64(c.Geometry().Ring) {
		c.w.lead.Store(l)
	}
}

// SetTransport tells the callback what to do.
func (c Control) SetTransport(t Transport) {
	yield()
	c.w.transport.Store(uint32(t))
}

// Wake wakes all workers.
func (c Control) Wake() { c.wakeAll() }

// Playback is the engine segment as the callback has it.
type Playback struct{ View }

// AttachPlayback maps the engine segment for the audio process and takes over fd.
func AttachPlayback(fd int) (Playback, error) {
	s, err := attach(fd, KindEngine, true)
	if err != nil {
		return Playback{}, err
	}
	return Playback{View{s, at[engineWords](s, 0)}}, nil
}

// Advance says that block n = clock was copied, and what was heard.
func (p Playback) Advance(hash uint64, rescued bool) {
	n := p.w.clock.Load()
	yield()
	p.w.heard[n%Laps].Store(hash)
	p.w.counters.played.Add(1)
	if rescued {
		p.w.counters.rescued.Add(1)
	}
	yield()
	p.w.clock.Store(n + 1)
}

// Flip changes active to another slot for want of lead.
func (p Playback) Flip(old Active, to int) {
	if p.swap(old, old.WithActive(to)) {
		p.w.counters.flips.Add(1)
	}
}

// RemoveWorker is Control's, for the audio process: it learns of a death as soon as anybody.
func (p Playback) RemoveWorker(slot int, j Journal) {
	if p.removeWorker(slot, int(p.Geometry().Slots), j.Published) {
		p.w.counters.deposed.Add(1)
	}
}

// EndCall ends a callback: wakes all.
func (p Playback) EndCall() {
	p.w.counters.callbacks.Add(1)
	p.wakeAll()
}

// SetLead sets the lead and the reasons for it; see Lead and Pace. A lower lead takes nothing from
// what is published, and a higher one is at most the ring: no block that may be played is written over.
func (p Playback) SetLead(lead uint64, burst int, extra uint64) {
	p.w.burst.Store(uint64(burst))
	p.w.extra.Store(extra)
	yield()
	p.w.lead.Store(max(1, min(lead, uint64(p.Geometry().Ring))))
}

// CountLate counts a living worker that fell under the guard.
func (p Playback) CountLate() { p.w.counters.late.Add(1) }

// CountOverrun counts a call in which the device took more than the lead.
func (p Playback) CountOverrun() { p.w.counters.overruns.Add(1) }

// Wake wakes all workers.
func (p Playback) Wake() { p.wakeAll() }

// CountConcealed counts a block's worth of time for which nobody had a block.
func (p Playback) CountConcealed() { p.w.counters.concealed.Add(1) }

// SetMismatch says that two rings hold different copies of block n.
func (p Playback) SetMismatch(n uint64) { p.w.mismatch.Store(n + 1) }

// CountDamaged counts a copy of a block that was passed over since it is not what its worker wrote.
func (p Playback) CountDamaged() { p.w.counters.damaged.Add(1) }

// AddXruns counts what the device reported.
func (p Playback) AddXruns(n uint64) { p.w.counters.xruns.Add(n) }

// SetMapped says which generation of slot's rings the callback reads from now on.
func (p Playback) SetMapped(slot int, gen uint64) {
	yield()
	p.w.mapped[slot].Store(gen)
}

// SetFaded says that the fade-out asked for by the transport has ended in silence. The transport
// never leaves Fade, so the word is never taken back.
func (p Playback) SetFaded() { p.w.counters.faded.Store(1) }

// Touch reads a word of every page of the segment, so that no later access by this process faults.
func (p Playback) Touch() { p.touch(0, p.m.Len()-headerSize) }
