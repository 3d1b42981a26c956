package chaos

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
	"github.com/music-chronus/chronus/cmd/chronus/internal/chaos/plan"
	"github.com/music-chronus/chronus/shm/sys"
)

// Options say which faults Run injects.
type Options struct {
	Plan          *plan.Plan
	Seed          uint64                   // settles all chance
	EngineCommand string                   // starts the engine again after the fault engine
	Log           io.Writer                // gets the engine command's output if it is an *os.File
	Progress      func(done time.Duration) // called after each fault; may be nil
}

// Run injects the faults of a plan into an engine, one at a time, and records the sound. Run
// returns an error if nothing was done; a failure after that is in the report.
func Run(ctx context.Context, e Engine, o Options) (Report, error) {
	return newRun(e, o).walk(ctx)
}

// run is a Run in progress.
type run struct {
	Options
	engine   Engine
	dice     *rand.Rand
	osc      string // the engine's OSC address
	start    actors.Status
	began    time.Time
	first    int64 // the beginning by sys.Monotonic
	offset   int64 // blocks played less the clock: 0 unless a block was doubled or lost
	wave     waveform
	restart  <-chan error // the end of the engine command
	segments []*segment
	segment  *segment // the one in progress
	changed  atomic.Uint64
	faults   []Fault
	gaps     []Gap

	last      actors.Status // after the last fault
	elsewhere uint64        // blocks concealed between faults
}

func newRun(e Engine, o Options) *run {
	return &run{Options: o, engine: e, dice: rand.New(rand.NewPCG(o.Seed, o.Seed))}
}

// errTimeOver ends the walk through a plan whose time is limited.
var errTimeOver = errors.New("the time is over")

func (r *run) walk(ctx context.Context) (Report, error) {
	var err error
	limited, cancel := context.WithTimeout(ctx, redundantWait)
	defer cancel()
	if err := r.engine.Redundant(limited); err != nil {
		return Report{}, fmt.Errorf("not every worker is ready: %w", err)
	}
	if r.start, err = r.engine.Status(ctx); err != nil {
		return Report{}, err
	}
	if err := r.Plan.Check(len(r.start.Workers), r.EngineCommand); err != nil {
		return Report{}, err
	}
	r.began, r.first, r.osc = time.Now(), sys.Monotonic(), r.start.OSC
	r.offset = r.steadyOffset(ctx, r.start, 0)
	// The tape outlives an interrupt, so that the report covers what was done until then.
	if err := r.startSegment(context.WithoutCancel(ctx), r.start.Clock, false); err != nil {
		return Report{}, err
	}
	r.last = r.start
	err = r.Plan.Walk(func(s *plan.Step) error { return r.step(ctx, s) })
	if errors.Is(err, errTimeOver) {
		err = nil
	}
	return r.finish(err), nil
}

// finish ends the tape and makes the report.
func (r *run) finish(failure error) Report {
	if errors.Is(failure, context.Canceled) {
		failure = errors.New("interrupted")
	}
	ctx, cancel := context.WithTimeout(context.Background(), replyWait)
	defer cancel()
	after, err := r.engine.Status(ctx)
	clock := after.Clock
	if err != nil {
		r.segment.killed.Store(true)
		failure = also(failure, err)
	} else {
		r.countElsewhere(after)
	}
	if err := r.endSegment(clock); err != nil {
		failure = also(failure, err)
	}
	return r.report(failure)
}

// also joins two errors in one line.
func also(a, b error) error {
	if a == nil {
		return b
	}
	return fmt.Errorf("%w; %w", a, b)
}

// step waits for a step's time and injects its fault.
func (r *run) step(ctx context.Context, s *plan.Step) error {
	kind, pause := s.Choose(r.dice)
	at := time.Now().Add(pause)
	if s.Timed {
		at = r.began.Add(s.At)
	}
	if end := r.began.Add(r.Plan.Until); r.Plan.Until > 0 && !at.Before(end) {
		_ = sleep(ctx, end)
		return errTimeOver
	}
	if err := sleep(ctx, at); err != nil {
		return err
	}
	return r.inject(ctx, kind, s.Length)
}

func sleep(ctx context.Context, until time.Time) error {
	select {
	case <-time.After(time.Until(until)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// inject injects one fault, waits until the engine is redundant again, and records what the fault
// did to the sound.
func (r *run) inject(ctx context.Context, k plan.Kind, length time.Duration) error {
	if r.segment.ended() {
		return fmt.Errorf("tape: %w", orEOF(r.segment.err))
	}
	number := len(r.faults) + 1
	before, err := r.redundant(ctx)
	if err != nil {
		return fmt.Errorf("before fault %d (%s): %w", number, k.Name, err)
	}
	r.countElsewhere(before)
	in := &injection{before: before, beforeAt: time.Now(), length: length}
	in.Fault = Fault{N: number, Kind: k.Name, Segment: len(r.segments) - 1, Block: before.Clock}
	named := func(err error) error { return fmt.Errorf("fault %d (%s): %w", number, k.Name, err) }
	if err := injectors[k.Name](ctx, r, in); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return named(err)
	}
	in.At = float64(in.at-r.first) / 1e9
	for _, t := range in.targets {
		in.PIDs = append(in.PIDs, t.pid)
	}
	after, err := r.recovered(ctx, in)
	if err == nil && after.PID != before.PID {
		err = r.changeEngine(ctx, in, after)
	}
	r.measure(ctx, in, after)
	r.last = after
	r.faults = append(r.faults, in.Fault)
	r.gaps = append(r.gaps, in.gaps...)
	if r.Progress != nil {
		r.Progress(time.Since(r.began))
	}
	if err != nil && ctx.Err() == nil {
		err = named(err)
	}
	return err
}

// countElsewhere counts blocks that were concealed since the last fault was over, by this machine
// and not by a fault.
func (r *run) countElsewhere(st actors.Status) {
	if n := less(st.Concealed, r.last.Concealed); st.PID == r.last.PID && n > 0 {
		r.elsewhere += n
		r.gaps = append(r.gaps, Gap{len(r.segments) - 1, st.Clock, n})
	}
}

// redundant waits for full redundancy and returns a status that says so.
func (r *run) redundant(ctx context.Context) (actors.Status, error) {
	for {
		st, err := AwaitRedundant(ctx, r.engine)
		if err != nil || st.Redundant {
			return st, err
		}
	}
}

// recovered waits until the engine has noticed the fault, every replica is ready again, and the
// clock goes on. recovered returns the last status, with an error too.
func (r *run) recovered(ctx context.Context, in *injection) (last actors.Status, err error) {
	limited, cancel := context.WithTimeout(ctx, redundantWait)
	defer cancel()
	last = in.before
	var goal uint64 // the clock that proves that the sound goes on; 0: not redundant yet
	for polls := 0; ; polls++ {
		asked := time.Now()
		st, err := r.engine.Status(limited)
		switch {
		case ctx.Err() != nil:
			return last, ctx.Err()
		case limited.Err() != nil:
			return last, fmt.Errorf("not redundant again within %v: %s", redundantWait, describe(last))
		case err != nil && !r.segment.killed.Load():
			return last, err
		case err != nil: // the engine process was killed and is being started again
			if err := r.restarting(); err != nil {
				return last, err
			}
			continue
		}
		in.recordGap(len(r.segments)-1, last, st)
		if last = st; polls == 0 {
			in.firstClock = st.Clock
		}
		if in.replaced(st) && st.Redundant && st.Playing {
			switch {
			case goal == 0:
				goal = st.Clock + 1
				in.RedundantUS = float64(sys.Monotonic()-in.at) / 1e3
			case st.Clock >= goal:
				return st, nil
			}
		}
		// A status contains the engine's whole history: polling must not become the load.
		time.Sleep(max(2*time.Millisecond, 2*time.Since(asked)))
	}
}

// restarting waits 10 ms for the command that starts the engine again, and returns an error if that
// failed.
func (r *run) restarting() error {
	select {
	case err := <-r.restart:
		if err != nil {
			return fmt.Errorf("--engine-command %q: %w", r.EngineCommand, err)
		}
	case <-time.After(10 * time.Millisecond):
	}
	return nil
}

// describe describes an engine that is not redundant.
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
func (r *run) changeEngine(ctx context.Context, in *injection, st actors.Status) error {
	_ = r.endSegment(0) // it ended with its engine
	adopted := st.AudioPID == in.before.AudioPID && st.Clock >= in.before.Clock
	in.Note = "the engine started anew"
	if adopted {
		in.Note = "the engine took over the workers"
	}
	in.startedAnew, r.osc = !adopted, st.OSC
	return r.startSegment(context.WithoutCancel(ctx), st.Clock, adopted)
}
