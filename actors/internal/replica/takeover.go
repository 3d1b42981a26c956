package replica

import (
	"bytes"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/actors/internal/memory"
	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/actors/internal/survivors"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
)

// generationGap keeps the generations of a new engine apart from those that the engine before had
// given, and that are not yet visible in shared memory.
const generationGap = 16

// Usable returns the shared memory of an engine that was lost, if its workers can be taken over.
// The error is survivors.ErrUnusable, with the reason.
func Usable(s *survivors.Survivors) (m memory.Memory, err error) {
	if s.Control == nil || s.Journal == nil || s.Checkpoints == nil || s.Plans == nil {
		return m, fmt.Errorf("%w: no process holds its words", survivors.ErrUnusable)
	}
	if len(s.Rings) == 0 && !slices.ContainsFunc(s.Workers, func(x *survivors.Survivor) bool { return x.Slot != nil }) {
		return m, fmt.Errorf("%w: none of its processes has any sound", survivors.ErrUnusable)
	}
	return memory.TakeOver(s.Control, s.Journal, s.Plans, s.Checkpoints), nil
}

// TakeOver returns a Set of the workers that another engine left, in its memory. text is the
// requested patch. Until it returns without an error, nothing has been changed. The error is
// survivors.ErrUnusable, with a reason, or says in what the request differs from what plays.
func TakeOver(cfg Config, mem memory.Memory, text []byte, s *survivors.Survivors, out Output, obs Observer) (*Set, error) {
	r := newSet(cfg, mem, out, obs)
	c := r.mem.Control
	if c.Transport() != shm.Play {
		return nil, fmt.Errorf("%w: it had not begun to play, or was about to end", survivors.ErrUnusable)
	}
	var err error
	if r.checkpoint.last, err = r.mem.Checkpoints.Last(); err != nil {
		return nil, fmt.Errorf("%w: %w", survivors.ErrUnusable, err)
	}
	origin := r.checkpoint.last.Origin
	if err := survivors.Check(cfg.RuntimeDir, cfg.Geometry, mem.Geometry, origin == xxhash.Sum64(text) || cfg.Resume); err != nil {
		return nil, err
	}
	if err := r.takeOverPlan(); err != nil {
		return nil, err
	}
	s.Control, s.Journal, s.Checkpoints, s.Plans = nil, nil, nil, nil
	r.restore(s)
	return r, nil
}

// restore makes this process the engine, restores the slots and the log, and connects to the audio
// process.
func (r *Set) restore(s *survivors.Survivors) {
	c := r.mem.Control
	r.life.tookOver = true
	r.register()
	now := time.Now()
	for i := range int(r.mem.Geometry.Slots) {
		r.slots = append(r.slots, r.restoreSlot(i, s, now))
	}
	r.restoreLog(s)
	r.finishBroadcast()
	r.restoreCurrent()
	for _, x := range r.slots {
		if x.Phase == slots.Empty {
			c.RemoveWorker(x.Number, r.mem.Journal) // it may have ended unnoticed
		}
	}
	c.RequestLead(r.cfg.Lead)
	r.active = c.Active()
	news := report.TookOver{Audio: s.Audio != nil, Block: c.Clock()}
	for _, x := range r.slots {
		if x.Phase != slots.Empty {
			news.Workers++
		}
	}
	r.life.news = append(r.life.news, news)
	r.killStrays(s)
	if s.Audio != nil {
		r.out.TakeOver(&s.Audio.Process)
	} else {
		r.out.TakeOver(nil)
	}
	s.Close()
}

// takeOverPlan makes the plan of the checkpoint the current one.
func (r *Set) takeOverPlan() error {
	v := r.plans.TakeOver(r.checkpoint.last.Plan, r.checkpoint.last.Text)
	if text, err := r.mem.Plans.Reader().Text(v.Number); err != nil || !bytes.Equal(text, v.Text) {
		return fmt.Errorf("%w: plan %d is not the patch that plays: %v", survivors.ErrUnusable, v.Number, err)
	}
	return nil
}

// restoreSlot returns slot i with its worker, if it has one that was let go. Other workers are
// killed.
func (r *Set) restoreSlot(i int, from *survivors.Survivors, now time.Time) *slots.Slot {
	known := max(r.mem.Control.Mapped(i), r.mem.Journal.Status(i).Generation)
	x, gen, highest := from.Worker(i, known)
	s := &slots.Slot{Number: i, Generation: highest}
	if x != nil {
		s.TakeOver(x, gen, r.mem, now)
	}
	if s.Phase == slots.Empty {
		s.Generation += generationGap
		s.Retired.Head = r.mem.Journal.Published(i)
		s.Ring = from.TakeRing(i)
	}
	return s
}

// finishBroadcast puts the commands that the engine before had put into some rings into all, and
// commits them. Their requesters may never have been answered, but the next command must have a
// number that no ring has.
func (r *Set) finishBroadcast() {
	before := r.log.Last()
	for _, s := range r.slots.FinishBroadcast(&r.log) {
		r.condemn(s, "lacks commands after the take-over")
	}
	if r.log.Last() > before {
		r.log.Join(r.log.Last() - before)
		r.mem.Control.Commit(r.log.Last())
	}
}

// killStrays kills the processes without a slot.
func (r *Set) killStrays(from *survivors.Survivors) {
	for _, x := range from.Workers {
		if !slices.ContainsFunc(r.slots, func(s *slots.Slot) bool { return s.Phase != slots.Empty && s.Process == x.Process }) {
			_ = x.Process.Signal(syscall.SIGKILL)
			_ = x.Process.Close()
		}
	}
}
