package fault_test

import (
	"fmt"
	"math"
	"syscall"
	"testing"

	"github.com/music-chronus/chronus/actors/internal/fault"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// engine drives a Tracker as replica.Set does, with two workers and without a process.
type engine struct {
	*fault.Tracker
	clock uint64
}

// end has workers crash one after the other, and returns the last action. commands is how many
// entered with the block of the crash.
func (e engine) end(commands int, crashes ...fault.Crash) (a fault.Action) {
	for i, c := range crashes {
		a = e.WorkerEnded(c, fault.Workers{Replicas: 2, Living: len(crashes) - 1 - i, Ready: func() int { return 0 }})
	}
	if _, all := a.(fault.Escalate); !all {
		return a
	}
	e.Resolve(e.Head(), undecided, nil)
	a = e.AllEnded(func() uint64 { return e.clock })
	if q, ok := a.(fault.Quarantine); ok && commands == 0 {
		a = e.NothingToQuarantine(q.Crash)
	}
	return a
}

func undecided(uint64) (shm.Decision, bool) { return 0, false }

func in(block uint64, node int) fault.Crash {
	return fault.Crash{Block: block, Node: node, OwnFault: true}
}

// The escalation of decision 9: first the commands, then the node, then the patch.
func TestEscalation(t *testing.T) {
	killed := fault.Crash{Node: -1}
	noLoad := fault.Crash{Node: -1, NoLoad: true}
	type step struct {
		commands int // that entered with the block
		crashes  []fault.Crash
		want     string
	}
	for name, steps := range map[string][]step{
		"workers killed from outside": {
			{1, []fault.Crash{killed, killed}, "Restart{}"},
		},
		"commands": {
			{2, []fault.Crash{in(40, 3), in(40, 3)}, "Quarantine block 40 node 3"},
		},
		"a node, after its commands": {
			{2, []fault.Crash{in(40, 3), in(40, 3)}, "Quarantine block 40 node 3"},
			{0, []fault.Crash{in(40, 3), in(40, 3)}, "Bypass block 40 node 3"},
		},
		"one crash proves nothing": {
			{0, []fault.Crash{killed, in(40, 3)}, "Restart{}"},
			{0, []fault.Crash{killed, in(40, 3)}, "Bypass block 40 node 3"},
		},
		"no node is to blame": {
			{0, []fault.Crash{in(40, -1), in(40, -1)}, "FallBack block 40 crashes every worker, and no node is to blame"},
		},
		"a played block is not to blame": {
			{1, []fault.Crash{in(9, 3), in(9, 3)}, "Restart{}"},
		},
		"the later block is to blame": {
			{1, []fault.Crash{in(40, 3), in(41, 4)}, "Quarantine block 41 node 4"},
		},
		"nothing helps": {
			{1, []fault.Crash{in(40, 3), in(40, 3)}, "Quarantine block 40 node 3"},
			{0, []fault.Crash{in(40, 3), in(40, 3)}, "Bypass block 40 node 3"},
			{1, []fault.Crash{in(40, 4), in(40, 4)}, "Quarantine block 40 node 4"},
			{0, []fault.Crash{in(40, 4), in(40, 4)}, "Bypass block 40 node 4"},
			{1, []fault.Crash{in(40, 5), in(40, 5)}, "FallBack block 40 crashes every worker, whatever is left out"},
		},
		"no worker can load the patch": {
			{0, []fault.Crash{noLoad, noLoad, noLoad, noLoad, noLoad}, "Restart{}"},
			{0, []fault.Crash{noLoad}, "FallBack 6 workers in a row could not load the patch"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := engine{fault.New(), 10}
			e.Published(20)
			for i, s := range steps {
				if got := text(e.end(s.commands, s.crashes...)); got != s.want {
					t.Errorf("step %d: %s, want %s", i+1, got, s.want)
				}
			}
		})
	}
}

// text shows an action in a line.
func text(a fault.Action) string {
	switch a := a.(type) {
	case fault.Quarantine:
		return fmt.Sprintf("Quarantine block %d node %d", a.Crash.Block, a.Crash.Node)
	case fault.Bypass:
		return fmt.Sprintf("Bypass block %d node %d", a.Crash.Block, a.Crash.Node)
	case fault.FallBack:
		return "FallBack " + a.Why
	case fault.KillAll:
		return fmt.Sprintf("KillAll block %d", a.Block)
	}
	return fmt.Sprintf("%T{}", a)[len("fault."):]
}

// Workers that crash in one block in turn, with another one always alive, are killed together.
func TestCrashesInTurn(t *testing.T) {
	k := fault.New()
	k.Published(20)
	w := fault.Workers{Replicas: 2, Living: 1}
	for range 2 {
		if got := text(k.WorkerEnded(in(40, 3), w)); got != "Restart{}" {
			t.Fatal(got)
		}
	}
	if got := text(k.WorkerEnded(in(40, 3), w)); got != "KillAll block 40" {
		t.Error(got)
	}
	if k.Published(41); k.Unresolved() {
		t.Error("a block that was published since is unresolved")
	}
	if got := text(k.WorkerEnded(in(40, 3), w)); got != "Restart{}" {
		t.Error(got)
	}
}

// All workers may end before one is ready eight times. A ready worker restarts the count.
func TestStartupDeaths(t *testing.T) {
	e := engine{fault.New(), 10}
	killed := []fault.Crash{{Node: -1}, {Node: -1}}
	for i := range 8 {
		if got := text(e.end(0, killed...)); got != "Restart{}" {
			t.Fatal(i, got)
		}
	}
	e.WorkerReady()
	for i := range 8 {
		if got := text(e.end(0, killed...)); got != "Restart{}" {
			t.Fatal(i, got)
		}
	}
	if got := text(e.end(0, killed...)); got != "FallBack 9 times in a row, all workers ended before one was ready" {
		t.Error(got)
	}
}

// Sound that goes on for a second ends the count of restarts.
func TestRestartsAreForgotten(t *testing.T) {
	e := engine{fault.New(), 10}
	for n := range uint64(10) {
		e.clock = 10 + 100*n
		e.Published(e.clock)
		e.WorkerReady()
		if got := text(e.end(1, in(e.clock+1, 3), in(e.clock+1, 3))); got[:10] != "Quarantine" {
			t.Fatal(n, got)
		}
		e.Tick(func() uint64 { return e.clock + 51 }, 50)
	}
}

// Resolve reports the crashes whose block leaves commands out, and keeps those in blocks that no
// worker has published.
func TestResolve(t *testing.T) {
	k := fault.New()
	k.Published(30)
	w := fault.Workers{Replicas: 4, Living: 3}
	for _, block := range []uint64{10, 20, 30, 40} {
		k.WorkerEnded(in(block, 1), w)
	}
	var out []uint64
	skip := shm.Decision(0)
	for b := range 64 { // the bit of a decision that leaves commands out
		if shm.Decision(1 << b).Skip() {
			skip = 1 << b
		}
	}
	decision := func(n uint64) (shm.Decision, bool) {
		if n == 20 || n == 40 {
			return skip, true
		}
		return 0, true
	}
	k.Resolve(40, decision, func(c fault.Crash, d shm.Decision) { out = append(out, c.Block) })
	if fmt.Sprint(out) != "[20]" || !k.Unresolved() {
		t.Errorf("left out %v", out)
	}
	k.Published(41)
	k.Resolve(math.MaxUint64, decision, func(c fault.Crash, d shm.Decision) { out = append(out, c.Block) })
	if fmt.Sprint(out) != "[20 40]" || k.Unresolved() {
		t.Errorf("left out %v", out)
	}
}

func TestClassify(t *testing.T) {
	rendering := shm.Status{Generation: 3, Block: 40, Node: 2, Rendering: true}
	with := func(c shm.Cause) shm.Status { s := rendering; s.Cause = c; return s }
	for _, tt := range []struct {
		name string
		st   shm.Status
		exit sys.Exit
		own  bool
	}{
		{"a panic", with(shm.CausePanic), sys.Exit{Code: 1}, true},
		{"an endless loop", with(shm.CauseEndless), sys.Exit{Code: 1}, true},
		{"a hang", with(shm.CauseHung), sys.Exit{Signal: syscall.SIGKILL}, true},
		{"Go's runtime", with(shm.CauseExit), sys.Exit{Code: 2}, true},
		{"a kill", with(shm.CauseSignal), sys.Exit{Signal: syscall.SIGKILL}, false},
		{"a panic between blocks", shm.Status{Generation: 3, Cause: shm.CausePanic}, sys.Exit{Code: 1}, false},
		{"the status of another worker", shm.Status{Generation: 2, Rendering: true, Cause: shm.CausePanic}, sys.Exit{Code: 1}, false},
	} {
		if c := fault.Classify(tt.st, 3, tt.exit); c.OwnFault != tt.own || c.NoLoad {
			t.Errorf("%s: %+v", tt.name, c)
		}
	}
}
