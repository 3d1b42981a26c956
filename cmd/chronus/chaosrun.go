package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/shm/sys"
)

// redundantWait is how long an engine may take to be fully redundant again.
const redundantWait = 30 * time.Second

// chaosRun does the faults of a plan to one engine, one at a time, and listens.
type chaosRun struct {
	client        *client
	plan          *faultPlan
	seed          uint64
	engineCommand string
	log           io.Writer // what the engine command prints
	progress      func(done time.Duration)

	dice    *rand.Rand
	osc     string // where the engine listens
	start   actors.Status
	began   time.Time
	first   int64 // of the beginning, sys.Monotonic
	offset  int64 // blocks played less the clock: 0 unless something was doubled or lost
	wave    waveform
	restart <-chan error // the end of the engine command
	takes   []*take
	take    *take // the one that is being recorded
	changed atomic.Uint64
	faults  []faultRecord
	gaps    []gap

	last      actors.Status // after the last fault
	elsewhere uint64        // blocks concealed between faults
}

// gap is a time for which nothing was there to be played, before a block.
type gap struct {
	take   int
	before uint64 // block
	blocks uint64 // long
}

// errTimeOver ends the walk through a plan that has a limit of time.
var errTimeOver = errors.New("the time is over")

// run does the plan. The report is good even with an error: then it tells what was done until then.
func (r *chaosRun) run(ctx context.Context) (planReport, error) {
	r.dice = rand.New(rand.NewPCG(r.seed, r.seed))
	var err error
	limited, cancel := context.WithTimeout(ctx, redundantWait)
	defer cancel()
	if err := r.client.redundant(limited); err != nil {
		return planReport{}, fmt.Errorf("not every worker is ready: %w", err)
	}
	if r.start, err = r.client.status(ctx); err != nil {
		return planReport{}, err
	}
	if err := r.plan.fits(len(r.start.Workers), r.engineCommand); err != nil {
		return planReport{}, err
	}
	r.began, r.first, r.osc = time.Now(), sys.Monotonic(), r.start.OSC
	r.offset = r.steady(ctx, r.start, 0)
	// The tape outlives an interrupt: what was done is told even then.
	if err := r.startTake(context.WithoutCancel(ctx), r.start.Clock, false); err != nil {
		return planReport{}, err
	}
	r.last = r.start
	err = r.plan.walk(func(s *faultStep) error { return r.step(ctx, s) })
	if errors.Is(err, errTimeOver) {
		err = nil
	}
	return r.finish(err)
}

// finish ends the tape and makes the report.
func (r *chaosRun) finish(failure error) (planReport, error) {
	if errors.Is(failure, context.Canceled) {
		failure = errors.New("interrupted")
	}
	ctx, cancel := context.WithTimeout(context.Background(), replyWait)
	defer cancel()
	after, err := r.client.status(ctx)
	clock := after.Clock
	if err != nil {
		r.take.cut.Store(true)
		failure = also(failure, err)
	} else {
		r.between(after)
	}
	if err := r.endTake(clock); err != nil {
		failure = also(failure, err)
	}
	return r.report(failure), nil
}

// also is both errors in one line.
func also(a, b error) error {
	if a == nil {
		return b
	}
	return fmt.Errorf("%w; %w", a, b)
}

// step waits for a step's time and does its fault.
func (r *chaosRun) step(ctx context.Context, s *faultStep) error {
	k, pause := s.choose(r.dice)
	at := time.Now().Add(pause)
	if s.timed {
		at = r.began.Add(s.at)
	}
	if over := r.began.Add(r.plan.until); r.plan.until > 0 && !at.Before(over) {
		_ = r.sleep(ctx, over)
		return errTimeOver
	}
	if err := r.sleep(ctx, at); err != nil {
		return err
	}
	return r.inflict(ctx, k, s.length)
}

func (r *chaosRun) sleep(ctx context.Context, until time.Time) error {
	select {
	case <-time.After(time.Until(until)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// inflict does one fault, waits until the engine is redundant again, and puts on record what it did to the sound.
func (r *chaosRun) inflict(ctx context.Context, k *faultKind, length time.Duration) error {
	if r.take.over() {
		return fmt.Errorf("tape: %w", orEOF(r.take.err))
	}
	number := len(r.faults) + 1
	before, err := r.redundant(ctx)
	if err != nil {
		return fmt.Errorf("before fault %d (%s): %w", number, k.name, err)
	}
	r.between(before)
	h := &harm{before: before, beforeAt: time.Now(), length: length}
	h.faultRecord = faultRecord{N: number, Kind: k.name, Take: len(r.takes) - 1, Block: before.Clock}
	told := func(err error) error { return fmt.Errorf("fault %d (%s): %w", h.N, k.name, err) }
	if err := k.inflict(ctx, r, h); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return told(err)
	}
	h.At = float64(h.at-r.first) / 1e9
	for _, v := range h.victims {
		h.PIDs = append(h.PIDs, v.pid)
	}
	after, err := r.mended(ctx, h)
	if err == nil && after.PID != before.PID {
		err = r.changeEngine(ctx, h, after)
	}
	r.judge(ctx, h, after)
	r.last = after
	r.faults = append(r.faults, h.faultRecord)
	r.gaps = append(r.gaps, h.gaps...)
	if r.progress != nil {
		r.progress(time.Since(r.began))
	}
	if err != nil && ctx.Err() == nil {
		err = told(err)
	}
	return err
}

// between notes what was concealed since the last fault was over, which is this machine's doing.
func (r *chaosRun) between(st actors.Status) {
	if n := less(st.Concealed, r.last.Concealed); st.PID == r.last.PID && n > 0 {
		r.elsewhere += n
		r.gaps = append(r.gaps, gap{len(r.takes) - 1, st.Clock, n})
	}
}

// redundant waits for full redundancy and returns the status of then.
func (r *chaosRun) redundant(ctx context.Context) (actors.Status, error) {
	for {
		st, err := awaitRedundant(ctx, r.client)
		if err != nil || st.Redundant {
			return st, err
		}
	}
}

// mended waits until the fault has been noticed, every replica is ready again, and the sound goes on.
func (r *chaosRun) mended(ctx context.Context, h *harm) (last actors.Status, err error) {
	limited, cancel := context.WithTimeout(ctx, redundantWait)
	defer cancel()
	last = h.before
	var stood uint64
	for looks := 0; ; looks++ {
		asked := time.Now()
		st, err := r.client.status(limited)
		switch {
		case ctx.Err() != nil:
			return last, ctx.Err()
		case limited.Err() != nil:
			return last, fmt.Errorf("not redundant again within %v: %s", redundantWait, describe(last))
		case err != nil && !r.take.cut.Load():
			return last, err
		case err != nil: // no engine: it is being started again
			if err := r.restarting(); err != nil {
				return last, err
			}
			continue
		}
		h.silence(len(r.takes)-1, last, st)
		if last = st; looks == 0 {
			h.stood = st.Clock
		}
		if h.replaced(st) && st.Redundant && st.Playing {
			switch {
			case stood == 0:
				stood = st.Clock + 1
				h.RedundantUS = float64(sys.Monotonic()-h.at) / 1e3
			case st.Clock >= stood:
				return st, nil
			}
		}
		// A status is as long as the engine's history: asking must not become the load.
		time.Sleep(max(2*time.Millisecond, 2*time.Since(asked)))
	}
}

// restarting waits a little for the command that starts the engine again; it is an error if that has failed.
func (r *chaosRun) restarting() error {
	select {
	case err := <-r.restart:
		if err != nil {
			return fmt.Errorf("--engine-command %q: %w", r.engineCommand, err)
		}
	case <-time.After(10 * time.Millisecond):
	}
	return nil
}

// silence notes blocks that were concealed between two looks.
func (h *harm) silence(take int, last, st actors.Status) {
	if st.PID == last.PID && st.Concealed > last.Concealed {
		h.gaps = append(h.gaps, gap{take, st.Clock, st.Concealed - last.Concealed})
	}
}

func (h *harm) replaced(st actors.Status) bool {
	for _, v := range h.victims {
		if !v.replaced(st) {
			return false
		}
	}
	return true
}

// describe says how an engine stands that is not redundant.
func describe(st actors.Status) string {
	var b strings.Builder
	for _, w := range st.Workers {
		fmt.Fprintf(&b, "worker %d %s (process %d, generation %d, lead %d); ", w.Slot, w.State, w.PID, w.Generation, w.Lead)
	}
	fmt.Fprintf(&b, "clock %d, playing %t", st.Clock, st.Playing)
	if n := len(st.Events); n > 0 {
		fmt.Fprintf(&b, "; last: %s", strings.Join(st.Events[max(0, n-6):], "; "))
	}
	return b.String()
}

// changeEngine goes on with another engine process.
func (r *chaosRun) changeEngine(ctx context.Context, h *harm, st actors.Status) error {
	_ = r.endTake(0) // it ended with its engine
	adopted := st.AudioPID == h.before.AudioPID && st.Clock >= h.before.Clock
	h.Note = "the engine began anew"
	if adopted {
		h.Note = "the workers were adopted"
	}
	h.fresh, r.osc = !adopted, st.OSC
	return r.startTake(context.WithoutCancel(ctx), st.Clock, adopted)
}
