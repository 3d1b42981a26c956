package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// faultKind is one thing that chaos does to an engine, from outside.
type faultKind struct {
	name    string
	doc     string
	silence bool // is expected: nobody is left who could play
	only    bool // it is expected of an engine with one worker
	workers int  // the least that it takes
	inflict func(context.Context, *chaosRun, *harm) error
}

// faultKinds are all of them, in the order in which reports list them.
var faultKinds = []faultKind{
	{"kill", "SIGKILL to the active worker", false, true, 1, signalActive("kill")},
	{"term", "SIGTERM to the active worker", false, true, 1, signalActive("term")},
	{"segv", "SIGSEGV to the active worker", false, true, 1, signalActive("segv")},
	{"stop", "SIGSTOP to the active worker, until the engine replaces it", false, true, 1, signalActive("stop")},
	{"stall", "SIGSTOP to the active worker, SIGCONT 10 ms to 10 s later if it still lives", false, true, 1, stall},
	{"standby", "SIGKILL to a standby", false, false, 2, killWorkers(standbys(1))},
	{"pair", "SIGKILL to the active worker and a standby at once", false, false, 3, killWorkers(activeAnd(1))},
	{"all", "SIGKILL to every worker at once", true, true, 1, killWorkers(activeAnd(-1))},
	{"audio", "SIGKILL to the audio process", true, true, 1, killAudio},
	{"engine", "SIGKILL to the engine process, which --engine-command starts again", false, false, 1, killEngine},
	{"burst", "20,000 OSC messages as fast as they go", false, false, 1, burst},
	{"malformed", "1,000 packets that are no OSC", false, false, 1, malformed},
}

// kindOf is the kind of that name.
func kindOf(name string) (*faultKind, bool) {
	for i := range faultKinds {
		if faultKinds[i].name == name {
			return &faultKinds[i], true
		}
	}
	return nil, false
}

// kindNames are the names of all kinds.
func kindNames() (names []string) {
	for _, k := range faultKinds {
		names = append(names, k.name)
	}
	return names
}

// fits tells why a kind cannot be done to this engine, nil if it can.
func (k *faultKind) fits(replicas int, engineCommand string) error {
	switch {
	case replicas < k.workers:
		return fmt.Errorf("fault %s takes %d workers or more, this engine has %d: start it with --replicas %d", k.name, k.workers, replicas, k.workers)
	case k.name == "engine" && engineCommand == "":
		return errors.New("fault engine needs --engine-command, which starts the engine again: like --engine-command 'chronus up'")
	}
	return nil
}

// harm is one fault while it is being done.
type harm struct {
	faultRecord
	before   actors.Status
	beforeAt time.Time
	length   time.Duration // of a stall
	at       int64         // of the signal, sys.Monotonic
	victims  []victim
	stood    uint64 // the clock at the first look after the fault
	gaps     []gap
	fresh    bool // the engine began anew
}

// victim is a worker that is to be replaced; slot audioVictim or engineVictim: another process.
type victim struct {
	slot       int
	generation uint64
	pid        int
}

const (
	audioVictim  = -1
	engineVictim = -2
)

// replaced tells whether the status is one from after the victim's replacement has begun.
func (v victim) replaced(st actors.Status) bool {
	switch v.slot {
	case audioVictim:
		return st.AudioPID != 0 && st.AudioPID != v.pid
	case engineVictim:
		return st.PID != v.pid
	}
	return v.slot < len(st.Workers) && st.Workers[v.slot].Generation > v.generation
}

// signalActive lets the engine send the signal, which gives the failover's times from the signal on.
func signalActive(name string) func(context.Context, *chaosRun, *harm) error {
	return func(ctx context.Context, r *chaosRun, h *harm) error {
		var k actors.Killed
		err := r.whenRedundant(ctx, func() (err error) {
			k, err = r.client.kill(ctx, name)
			return err
		})
		h.at = k.At
		h.victims = []victim{{k.Slot, k.Generation, k.PID}}
		return err
	}
}

// whenRedundant does f, and again if it failed because the engine had just lost a worker of its own accord.
func (r *chaosRun) whenRedundant(ctx context.Context, f func() error) error {
	for {
		err := f()
		if err == nil {
			return nil
		}
		if st, serr := r.client.status(ctx); serr != nil || st.Redundant {
			return err
		}
		if _, err := awaitRedundant(ctx, r.client); err != nil {
			return err
		}
	}
}

// hold opens the processes that pick names. It asks for the status once more when they are open: what both statuses
// name has lived through the opening, so the descriptors mean it, and no later process of that number.
func (r *chaosRun) hold(ctx context.Context, pick func(actors.Status) []victim) (procs []sys.Process, victims []victim, err error) {
	for range 10 {
		st, err := r.client.status(ctx)
		if err != nil {
			return nil, nil, err
		}
		victims = pick(st)
		if procs, err = openAll(victims); err == nil {
			again, err := r.client.status(ctx)
			if err == nil && again.PID == st.PID && again.Redundant && slices.Equal(pick(again), victims) {
				return procs, victims, nil
			}
		}
		closeAll(procs)
		if _, err := awaitRedundant(ctx, r.client); err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, errors.New("the engine loses workers faster than they can be chosen")
}

func openAll(victims []victim) (procs []sys.Process, err error) {
	for _, v := range victims {
		if v.pid <= 1 || v.pid == os.Getpid() {
			return procs, fmt.Errorf("the status names process %d, which is not the engine's", v.pid)
		}
		p, err := sys.OpenProcess(v.pid)
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

// strike sends SIGKILL to all that pick names, one right after the other.
func (r *chaosRun) strike(ctx context.Context, h *harm, pick func(actors.Status) []victim) error {
	procs, victims, err := r.hold(ctx, pick)
	if err != nil {
		return err
	}
	defer closeAll(procs)
	h.at, h.victims = sys.Monotonic(), victims
	for _, p := range procs {
		err = errors.Join(err, p.Signal(syscall.SIGKILL))
	}
	return err
}

func killWorkers(choose func(actors.Status, int) []victim) func(context.Context, *chaosRun, *harm) error {
	return func(ctx context.Context, r *chaosRun, h *harm) error {
		dice := r.dice.IntN(shm.MaxSlots) // once: a second look at the status must choose the same
		return r.strike(ctx, h, func(st actors.Status) []victim { return choose(st, dice) })
	}
}

// standbys chooses n standbys, all of them if n is negative.
func standbys(n int) func(actors.Status, int) []victim {
	return func(st actors.Status, dice int) (list []victim) {
		for i := range st.Workers {
			w := st.Workers[(i+dice)%len(st.Workers)]
			if w.Slot != st.Active.Slot && (n < 0 || len(list) < n) {
				list = append(list, victim{w.Slot, w.Generation, w.PID})
			}
		}
		return list
	}
}

// activeAnd chooses the active worker and n standbys.
func activeAnd(n int) func(actors.Status, int) []victim {
	return func(st actors.Status, dice int) []victim {
		return append(theActive(st), standbys(n)(st, dice)...)
	}
}

func theActive(st actors.Status) []victim {
	w := st.Workers[st.Active.Slot]
	return []victim{{w.Slot, w.Generation, w.PID}}
}

// The shortest and the longest stall that chance makes.
const (
	stallLeast = 10 * time.Millisecond
	stallMost  = 10 * time.Second
)

// stallLength is at random between the two, short ones as often as long ones.
func stallLength(dice *rand.Rand) time.Duration {
	d := stallLeast
	for range 3 { // three decades
		d = time.Duration(float64(d) * (1 + 9*dice.Float64()))
	}
	return min(d, stallMost)
}

// stall stops the active worker for a time. If the engine replaces it meanwhile, there is nothing left to go on.
func stall(ctx context.Context, r *chaosRun, h *harm) error {
	if h.length == 0 {
		h.length = stallLength(r.dice)
	}
	h.For = ms(h.length)
	procs, victims, err := r.hold(ctx, theActive)
	if err != nil {
		return err
	}
	defer closeAll(procs)
	p := procs[0]
	h.at = sys.Monotonic()
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	ended := []sys.PollFD{{FD: p.FD}}
	for over := time.Now().Add(h.length); !ended[0].Ready && ctx.Err() == nil; {
		left := time.Until(over)
		if left <= 0 {
			break
		}
		sys.Poll(ended, nil, min(left, 50*time.Millisecond))
	}
	if !ended[0].Ready {
		if err := p.Signal(syscall.SIGCONT); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
		// The engine may just have decided to replace it: then the end comes within moments.
		sys.Poll(ended, nil, stallLeast)
	}
	if ended[0].Ready {
		h.victims = victims
	}
	return ctx.Err()
}

func killAudio(ctx context.Context, r *chaosRun, h *harm) error {
	return r.strike(ctx, h, func(st actors.Status) []victim { return []victim{{slot: audioVictim, pid: st.AudioPID}} })
}

// killEngine kills the engine process and starts another with the user's command.
func killEngine(ctx context.Context, r *chaosRun, h *harm) error {
	procs, victims, err := r.hold(ctx, func(st actors.Status) []victim { return []victim{{slot: engineVictim, pid: st.PID}} })
	if err != nil {
		return err
	}
	defer closeAll(procs)
	r.take.cut.Store(true)
	h.at, h.victims = sys.Monotonic(), victims
	if err := procs[0].Signal(syscall.SIGKILL); err != nil {
		return err
	}
	gone := []sys.PollFD{{FD: procs[0].FD}}
	if sys.Poll(gone, nil, redundantWait); !gone[0].Ready { // until then it has the directory's lock
		return fmt.Errorf("the engine process %d does not end", victims[0].pid)
	}
	cmd := exec.Command("sh", "-c", "exec "+strings.TrimSpace(r.engineCommand))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // it outlives this command, and its Ctrl-C
	if f, ok := r.log.(*os.File); ok {
		cmd.Stdout, cmd.Stderr = f, f
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("--engine-command: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	r.restart = ended
	return nil
}
