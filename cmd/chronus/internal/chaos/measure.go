package chaos

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/music-chronus/chronus/actors"
)

// offsetOf returns how many blocks more were played than the clock passed.
func offsetOf(st actors.Status) int64 { return int64(st.Played) - int64(st.Clock) }

// steadyOffset returns the present offset, which is want unless a block was lost or doubled. A
// status reads the clock and the counts one after the other while they move on, so only several
// statuses that agree prove another offset.
func (r *run) steadyOffset(ctx context.Context, st actors.Status, want int64) int64 {
	for range 20 {
		if offsetOf(st) == want {
			return want
		}
		time.Sleep(2 * time.Millisecond)
		if again, err := r.engine.Status(ctx); err == nil {
			st = again
		}
	}
	return offsetOf(st)
}

// measure records what a fault did to the sound.
func (r *run) measure(ctx context.Context, in *injection, after actors.Status) {
	before := in.before
	if in.startedAnew {
		before = actors.Status{}
		r.offset = 0
	}
	in.Concealed, in.Rescued = less(after.Concealed, before.Concealed), less(after.Rescued, before.Rescued)
	offset := r.steadyOffset(ctx, after, r.offset)
	in.Doubled, in.Lost = uint64(max(0, offset-r.offset)), uint64(max(0, r.offset-offset))
	r.offset = offset
	if after.AudioPID != in.before.AudioPID {
		elapsed := uint64(time.Since(in.beforeAt).Seconds() * float64(after.Rate) / float64(after.Block))
		in.Silent = less(elapsed, less(after.Clock, before.Clock)+in.Concealed)
		in.gaps = append(in.gaps, Gap{len(r.segments) - 1, in.firstClock, in.Silent})
	}
	in.recordFailovers(before, after)
}

// recordFailovers copies the times that the engine measured, and names workers that were lost
// besides the targets.
func (in *injection) recordFailovers(before, after actors.Status) {
	for _, f := range newFailovers(before, after) {
		isTarget := func(t target) bool { return t.slot == f.Slot && t.generation == f.Generation }
		if !slices.ContainsFunc(in.targets, isTarget) {
			in.remark(fmt.Sprintf("also worker %d: %s", f.Slot, f.Cause))
			continue
		}
		if f.FromKill {
			in.FlipUS, in.RedundantUS = f.FlipUS, f.RedundantUS
		}
		if in.Note == "" {
			in.Note = f.Cause
		}
	}
}
