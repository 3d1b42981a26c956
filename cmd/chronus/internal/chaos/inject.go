package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/cmd/chronus/internal/chaos/plan"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// injectors inject the faults of each kind.
var injectors = map[string]func(context.Context, *run, *injection) error{
	"kill":      signalActive("kill"),
	"term":      signalActive("term"),
	"segv":      signalActive("segv"),
	"stop":      signalActive("stop"),
	"stall":     stall,
	"standby":   killWorkers(standbys(1)),
	"pair":      killWorkers(activeAnd(1)),
	"all":       killWorkers(activeAnd(-1)),
	"audio":     killAudio,
	"engine":    killEngine,
	"burst":     burst,
	"malformed": malformed,
}

// injection is one fault in progress.
type injection struct {
	Fault
	before      actors.Status
	beforeAt    time.Time
	length      time.Duration // of a stall
	at          int64         // of the signal, by sys.Monotonic
	targets     []target
	firstClock  uint64 // the clock at the first status after the fault
	gaps        []Gap
	startedAnew bool // the engine did not take over what played
}

// recordGap records blocks that were concealed between two statuses.
func (in *injection) recordGap(segment int, last, st actors.Status) {
	if st.PID == last.PID && st.Concealed > last.Concealed {
		in.gaps = append(in.gaps, Gap{segment, st.Clock, st.Concealed - last.Concealed})
	}
}

// replaced says that the engine has begun to replace every target.
func (in *injection) replaced(st actors.Status) bool {
	for _, t := range in.targets {
		if !t.replaced(st) {
			return false
		}
	}
	return true
}

// signalActive has the engine send the signal: it measures the times from the signal to the flip
// and to redundancy.
func signalActive(name string) func(context.Context, *run, *injection) error {
	return func(ctx context.Context, r *run, in *injection) error {
		var k report.Killed
		err := r.whenRedundant(ctx, func() (err error) {
			k, err = r.engine.Kill(ctx, name)
			return err
		})
		in.at = k.At
		in.targets = []target{{k.Slot, k.Generation, k.PID}}
		return err
	}
}

// whenRedundant calls f, and again if it failed because the engine lost a worker of its own accord.
func (r *run) whenRedundant(ctx context.Context, f func() error) error {
	for {
		err := f()
		if err == nil {
			return nil
		}
		if st, serr := r.engine.Status(ctx); serr != nil || st.Redundant {
			return err
		}
		if _, err := AwaitRedundant(ctx, r.engine); err != nil {
			return err
		}
	}
}

// killTargets sends SIGKILL to all targets of pick, one right after the other.
func (r *run) killTargets(ctx context.Context, in *injection, pick func(actors.Status) []target) error {
	procs, targets, err := r.open(ctx, pick)
	if err != nil {
		return err
	}
	defer closeAll(procs)
	in.at, in.targets = sys.Monotonic(), targets
	for _, p := range procs {
		err = errors.Join(err, p.Signal(syscall.SIGKILL))
	}
	return err
}

func killWorkers(choose func(actors.Status, int) []target) func(context.Context, *run, *injection) error {
	return func(ctx context.Context, r *run, in *injection) error {
		dice := r.dice.IntN(shm.MaxSlots) // once: the second status must give the same targets
		return r.killTargets(ctx, in, func(st actors.Status) []target { return choose(st, dice) })
	}
}

// stall stops the active worker for a time. If the engine replaces the worker meanwhile, no process
// is left to continue.
func stall(ctx context.Context, r *run, in *injection) error {
	if in.length == 0 {
		in.length = plan.StallLength(r.dice)
	}
	in.For = float64(in.length) / float64(time.Millisecond)
	procs, targets, err := r.open(ctx, theActive)
	if err != nil {
		return err
	}
	defer closeAll(procs)
	p := procs[0]
	in.at = sys.Monotonic()
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	ended := []sys.PollFD{{FD: p.FD}}
	for end := time.Now().Add(in.length); !ended[0].Ready && ctx.Err() == nil; {
		left := time.Until(end)
		if left <= 0 {
			break
		}
		sys.Poll(ended, nil, min(left, 50*time.Millisecond))
	}
	if !ended[0].Ready {
		if err := p.Signal(syscall.SIGCONT); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
		// The engine may just have decided to replace the worker, which then ends within moments.
		sys.Poll(ended, nil, plan.StallLeast)
	}
	if ended[0].Ready {
		in.targets = targets
	}
	return ctx.Err()
}

func killAudio(ctx context.Context, r *run, in *injection) error {
	return r.killTargets(ctx, in, func(st actors.Status) []target { return []target{{slot: audioTarget, pid: st.AudioPID}} })
}

// killEngine kills the engine process and starts another with the engine command.
func killEngine(ctx context.Context, r *run, in *injection) error {
	pick := func(st actors.Status) []target { return []target{{slot: engineTarget, pid: st.PID}} }
	procs, targets, err := r.open(ctx, pick)
	if err != nil {
		return err
	}
	defer closeAll(procs)
	r.segment.killed.Store(true)
	in.at, in.targets = sys.Monotonic(), targets
	if err := procs[0].Signal(syscall.SIGKILL); err != nil {
		return err
	}
	ended := []sys.PollFD{{FD: procs[0].FD}}
	if sys.Poll(ended, nil, redundantWait); !ended[0].Ready { // until then it holds the directory's lock
		return fmt.Errorf("engine process %d still runs %v after SIGKILL", targets[0].pid, redundantWait)
	}
	cmd := exec.Command("sh", "-c", "exec "+strings.TrimSpace(r.EngineCommand))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // the engine outlives this command and its Ctrl-C
	if f, ok := r.Log.(*os.File); ok {
		cmd.Stdout, cmd.Stderr = f, f
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("--engine-command: %w", err)
	}
	exit := make(chan error, 1)
	go func() { exit <- cmd.Wait() }()
	r.restart = exit
	return nil
}
