package shm

import (
	"time"
	"unsafe"

	"github.com/music-chronus/chronus/shm/interleave"
)

// Control is the engine segment as the engine process has it.
type Control struct{ View }

// NewControl makes the engine segment. Slot 0 is active, and no slot is ready. lead holds, in
// blocks, until the callback has measured its device.
func NewControl(g Geometry, lead int) (Control, error) {
	s, err := create(KindEngine, g, 0, 0, int(unsafe.Sizeof(engineWords{})))
	if err != nil {
		return Control{}, err
	}
	c := Control{View{s, at[engineWords](s, 0)}}
	c.w.lead.Store(uint64(lead))
	return c, nil
}

// BeginAt makes block n the first that is played, after command seq. Call it before any process
// starts.
func (c Control) BeginAt(n, seq uint64) {
	c.w.clock.Store(n)
	c.w.committed.Store(seq)
}

// Swap changes active from old to new and wakes all waiters. It reports whether old was current.
func (c Control) Swap(old, new Active) bool {
	if !c.swap(old, new) {
		return false
	}
	c.wakeAll()
	return true
}

// RemoveWorker clears the ready bit of a slot whose worker has ended. If that slot is active, the
// same CAS activates the ready slot with the highest head.
func (c Control) RemoveWorker(slot int, j Journal) {
	c.removeWorker(slot, int(c.Geometry().Slots), j.Published)
}

// Commit declares that every attached command ring holds all commands up to seq. Committed never
// falls.
func (c Control) Commit(seq uint64) {
	interleave.Yield()
	if seq > c.w.committed.Load() {
		c.w.committed.Store(seq)
	}
}

// RequestLead sets the lead that the user asked for, in blocks; 0: automatic.
func (c Control) RequestLead(lead int) { c.w.requestedLead.Store(uint64(lead)) }

// RaiseLead raises the lead, in blocks, up to the ring's size. Call it before the first callback,
// so that workers render ahead; later the callback owns the word.
func (c Control) RaiseLead(lead int) {
	if l := uint64(lead); l > c.w.lead.Load() && l <= uint64(c.Geometry().Ring) {
		c.w.lead.Store(l)
	}
}

// SetTransport tells the callback what to do.
func (c Control) SetTransport(t Transport) {
	interleave.Yield()
	c.w.transport.Store(uint32(t))
}

// Wake wakes all waiters.
func (c Control) Wake() { c.wakeAll() }

// SetEngine records the pid of the engine process.
func (c Control) SetEngine(pid int) { c.w.enginePID.Store(uint64(pid)) }

// SetGrace sets how long workers and audio process go on without an engine; 0: for ever.
func (c Control) SetGrace(d time.Duration) { c.w.grace.Store(uint64(d)) }
