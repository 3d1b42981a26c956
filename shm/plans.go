package shm

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/shm/interleave"
	"github.com/music-chronus/chronus/shm/sys"
)

// Plans is how many texts of patches a store holds: that of the state which is kept, that of the present, and those between. They are few, since the state
// is kept every second.
const Plans = 16

// ErrNoPlan: a store does not hold the plan of that number, or not whole.
var ErrNoPlan = errors.New("no such plan")

// plansWords is the body of the segment: the number of the plan that plays, and the texts, each in the place of its number modulo Plans.
type plansWords struct {
	current atomic.Uint64
	_       [56]byte
	texts   [Plans]textWords
}

// textWords is one text. number is cleared first and stored last.
type textWords struct {
	number, size, hash atomic.Uint64
	_                  [40]byte
	bytes              [TextMax]byte
}

const plansSize = int(unsafe.Sizeof(plansWords{}))

// PlanStore is the segment that carries the texts of patches to the workers, and to an engine after this one. The engine writes.
type PlanStore struct{ *Segment }

// NewPlanStore makes the segment. The engine owns it.
func NewPlanStore(g Geometry) (PlanStore, error) {
	s, err := create(KindPlans, g, 0, 0, plansSize)
	return PlanStore{s}, err
}

// Put keeps a text as the plan of a number, above 0, in the place of the one Plans before.
func (p PlanStore) Put(number uint64, text []byte) error {
	if len(text) > TextMax {
		return fmt.Errorf("patch of %d bytes; the most are %d", len(text), TextMax)
	}
	t := &at[plansWords](p.Segment, 0).texts[number%Plans]
	interleave.Yield()
	t.number.Store(0)
	interleave.Yield()
	t.size.Store(uint64(len(text)))
	copy(t.bytes[:], text)
	interleave.Yield()
	t.hash.Store(xxhash.Sum64(text))
	interleave.Yield()
	t.number.Store(number)
	return nil
}

// SetCurrent says which plan plays, for workers that start and for an engine after this one.
func (p PlanStore) SetCurrent(number uint64) {
	interleave.Yield()
	at[plansWords](p.Segment, 0).current.Store(number)
}

// PlanReader is a worker's side.
type PlanReader struct{ seg *Segment }

// AttachPlans maps a store for reading and takes over fd.
func AttachPlans(fd int) (PlanReader, error) {
	s, err := attach(fd, KindPlans, false)
	return PlanReader{s}, err
}

// Segment is the mapping.
func (p PlanReader) Segment() *Segment { return p.seg }

// Reader reads from the same store.
func (p PlanStore) Reader() PlanReader { return PlanReader{p.Segment} }

// Current is the number of the plan that plays.
func (p PlanReader) Current() uint64 {
	interleave.Yield()
	return at[plansWords](p.seg, 0).current.Load()
}

// Last is the highest number of a plan that is, or was, there.
func (p PlanReader) Last() (number uint64) {
	for i := range Plans {
		number = max(number, at[plansWords](p.seg, 0).texts[i].number.Load())
	}
	return max(number, p.Current())
}

// Text is a copy of the text of a plan. ErrNoPlan if it is not there, or not whole.
func (p PlanReader) Text(number uint64) ([]byte, error) {
	t := &at[plansWords](p.seg, 0).texts[number%Plans]
	interleave.Yield()
	if size := t.size.Load(); t.number.Load() == number && number > 0 && size <= TextMax {
		interleave.Yield()
		text := append([]byte(nil), t.bytes[:size]...)
		interleave.Yield()
		if xxhash.Sum64(text) == t.hash.Load() && t.number.Load() == number {
			return text, nil
		}
	}
	return nil, fmt.Errorf("plan %d: %w", number, ErrNoPlan)
}

// RequestPlan asks the worker to make the plan of a number ready, to follow the one of another, while it goes on.
func (c CommandWriter) RequestPlan(number, after uint64) {
	interleave.Yield()
	c.w.requestedAfter.Store(after)
	interleave.Yield()
	c.w.requestedPlan.Store(number)
	interleave.Yield()
	c.w.planWake.Add(1)
	sys.FutexWake(&c.w.planWake)
}

// PlanReady tells whether the worker has made the plan of a number ready; err says why it refused.
func (c CommandWriter) PlanReady(number uint64) (made bool, err error) {
	interleave.Yield()
	if c.w.reportedPlan.Load() != number {
		return false, nil
	}
	interleave.Yield()
	if n := min(c.w.planError.size.Load(), planErrorMax); n > 0 {
		return false, errors.New(string(c.w.planError.bytes[:n]))
	}
	return true, nil
}

// RequestedPlan is the number of the plan that the engine wants ready, 0: none, and of the one that it is to follow.
func (c CommandReader) RequestedPlan() (number, after uint64) {
	interleave.Yield()
	number = c.w.requestedPlan.Load() // stored after the other
	interleave.Yield()
	return number, c.w.requestedAfter.Load()
}

// PlanWakeSeq reads the word that is bumped when a plan is wanted.
func (c CommandReader) PlanWakeSeq() uint32 {
	interleave.Yield()
	return c.w.planWake.Load()
}

// AwaitPlanRequest sleeps until the bell is no longer at bell, or timeout. Go's scheduler is told.
func (c CommandReader) AwaitPlanRequest(bell uint32, timeout time.Duration) {
	interleave.Sleep(&c.w.planWake, bell, timeout)
}

// WakePlanBuilder wakes who sleeps in AwaitWant.
func (c CommandReader) WakePlanBuilder() {
	interleave.Yield()
	c.w.planWake.Add(1)
	sys.FutexWake(&c.w.planWake)
}

// LastPlan is the number of the plan that Make was last called with.
func (c CommandReader) LastPlan() uint64 { return c.w.reportedPlan.Load() }

// ReportPlan says that the plan of a number is ready, or, with an error, refused.
func (c CommandReader) ReportPlan(number uint64, err error) {
	n := 0
	if err != nil {
		n = copy(c.w.planError.bytes[:], err.Error())
	}
	interleave.Yield()
	c.w.planError.size.Store(uint64(n))
	interleave.Yield()
	c.w.reportedPlan.Store(number)
}
