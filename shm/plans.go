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

// Plans is the number of texts that a PlanStore holds: from the plan of the checkpoint to the
// present plan. The engine takes a checkpoint every second, so few plans lie between them.
const Plans = 16

// ErrNoPlan is returned when the store does not hold an intact plan of the number.
var ErrNoPlan = errors.New("plan not found")

// plansWords is the body of the segment: the number of the present plan, and the texts. The text of
// plan n lies at n mod Plans.
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

// PlanStore is the segment that carries the texts of patches to the workers and to the next engine
// process. The engine writes it.
type PlanStore struct{ *Segment }

// NewPlanStore makes the segment. The engine owns it.
func NewPlanStore(g Geometry) (PlanStore, error) {
	s, err := create(KindPlans, g, 0, 0, plansSize)
	return PlanStore{s}, err
}

// Put stores a text as plan number, above 0. It overwrites plan number-Plans.
func (p PlanStore) Put(number uint64, text []byte) error {
	if len(text) > TextMax {
		return fmt.Errorf("patch of %d bytes: the limit is %d", len(text), TextMax)
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

// SetCurrent records which plan plays, for workers that start and for the next engine process.
func (p PlanStore) SetCurrent(number uint64) {
	interleave.Yield()
	at[plansWords](p.Segment, 0).current.Store(number)
}

// PlanReader is a plan store as a worker has it.
type PlanReader struct{ seg *Segment }

// AttachPlans maps a store for reading and takes over fd.
func AttachPlans(fd int) (PlanReader, error) {
	s, err := attach(fd, KindPlans, false)
	return PlanReader{s}, err
}

// Segment returns the mapping.
func (p PlanReader) Segment() *Segment { return p.seg }

// Reader returns a reader of the same store.
func (p PlanStore) Reader() PlanReader { return PlanReader{p.Segment} }

// Current returns the number of the plan that plays.
func (p PlanReader) Current() uint64 {
	interleave.Yield()
	return at[plansWords](p.seg, 0).current.Load()
}

// Last returns the highest number of all plans in the store.
func (p PlanReader) Last() (number uint64) {
	for i := range Plans {
		number = max(number, at[plansWords](p.seg, 0).texts[i].number.Load())
	}
	return max(number, p.Current())
}

// Text returns a copy of a plan's text, or ErrNoPlan.
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

// RequestPlan asks the worker to prepare plan number as the successor of plan after. The worker
// goes on rendering meanwhile.
func (c CommandWriter) RequestPlan(number, after uint64) {
	interleave.Yield()
	c.w.requestedAfter.Store(after)
	interleave.Yield()
	c.w.requestedPlan.Store(number)
	interleave.Yield()
	c.w.planWake.Add(1)
	sys.FutexWake(&c.w.planWake)
}

// PlanReady reports whether the worker has prepared plan number. err says why it rejected the plan.
func (c CommandWriter) PlanReady(number uint64) (ready bool, err error) {
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

// RequestedPlan returns the number of the plan that the engine requests, 0 for none, and of the
// plan before it.
func (c CommandReader) RequestedPlan() (number, after uint64) {
	interleave.Yield()
	number = c.w.requestedPlan.Load() // stored after requestedAfter
	interleave.Yield()
	return number, c.w.requestedAfter.Load()
}

// PlanWakeSeq returns the word that counts requests of a plan. Read it before RequestedPlan, then
// pass it to AwaitPlanRequest.
func (c CommandReader) PlanWakeSeq() uint32 {
	interleave.Yield()
	return c.w.planWake.Load()
}

// AwaitPlanRequest sleeps while the word is seq, for at most timeout. It tells Go's scheduler.
func (c CommandReader) AwaitPlanRequest(seq uint32, timeout time.Duration) {
	interleave.Sleep(&c.w.planWake, seq, timeout)
}

// WakePlanBuilder ends AwaitPlanRequest.
func (c CommandReader) WakePlanBuilder() {
	interleave.Yield()
	c.w.planWake.Add(1)
	sys.FutexWake(&c.w.planWake)
}

// LastPlan returns the number of the last reported plan.
func (c CommandReader) LastPlan() uint64 { return c.w.reportedPlan.Load() }

// ReportPlan reports that plan number is ready or, with an error, rejected.
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
