package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/shm/sys"
)

// target is a worker that the engine is to replace. slot is audioTarget or engineTarget for another
// process.
type target struct {
	slot       int
	generation uint64
	pid        int
}

const (
	audioTarget  = -1
	engineTarget = -2
)

// replaced says that the engine has begun to replace the target.
func (t target) replaced(st actors.Status) bool {
	switch t.slot {
	case audioTarget:
		return st.AudioPID != 0 && st.AudioPID != t.pid
	case engineTarget:
		return st.PID != t.pid
	}
	return t.slot < len(st.Workers) && st.Workers[t.slot].Generation > t.generation
}

// open opens the processes that pick names. open then asks for the status once more. A process that
// both statuses name has lived through the opening, so its descriptor means it and no later process
// of the same number.
func (r *run) open(ctx context.Context, pick func(actors.Status) []target) (procs []sys.Process, targets []target, err error) {
	for range 10 {
		st, err := r.engine.Status(ctx)
		if err != nil {
			return nil, nil, err
		}
		targets = pick(st)
		if procs, err = openAll(targets); err == nil {
			again, err := r.engine.Status(ctx)
			if err == nil && again.PID == st.PID && again.Redundant && slices.Equal(pick(again), targets) {
				return procs, targets, nil
			}
		}
		closeAll(procs)
		if _, err := AwaitRedundant(ctx, r.engine); err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, errors.New("the engine loses workers faster than they can be chosen")
}

func openAll(targets []target) (procs []sys.Process, err error) {
	for _, t := range targets {
		if t.pid <= 1 || t.pid == os.Getpid() {
			return procs, fmt.Errorf("the status names process %d, which is not the engine's", t.pid)
		}
		p, err := sys.OpenProcess(t.pid)
		if err != nil {
			return procs, err
		}
		procs = append(procs, p)
	}
	return procs, nil
}

func closeAll(procs []sys.Process) {
	for _, p := range procs {
		_ = p.Close()
	}
}

// standbys chooses n standbys, or all of them if n is negative.
func standbys(n int) func(actors.Status, int) []target {
	return func(st actors.Status, dice int) (list []target) {
		for i := range st.Workers {
			w := st.Workers[(i+dice)%len(st.Workers)]
			if w.Slot != st.Active.Slot && (n < 0 || len(list) < n) {
				list = append(list, target{w.Slot, w.Generation, w.PID})
			}
		}
		return list
	}
}

// activeAnd chooses the active worker and n standbys.
func activeAnd(n int) func(actors.Status, int) []target {
	return func(st actors.Status, dice int) []target {
		return append(theActive(st), standbys(n)(st, dice)...)
	}
}

func theActive(st actors.Status) []target {
	w := st.Workers[st.Active.Slot]
	return []target{{w.Slot, w.Generation, w.PID}}
}
