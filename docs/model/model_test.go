// Package model holds the Promela models of the failover protocol. Its test runs them through
// spin, each at several sizes, and each rule switched off to see that the model would tell.
package model

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// memory bounds one search, in MB.
const memory = "8000"

// runs are the searches. In those without a bug the whole state space is searched and nothing is
// wrong; in those with one, the rule that options switch off was needed. A long run takes minutes,
// and is left out unless CHRONUS_MODEL is long.
var runs = []struct {
	name, model, options string
	bug, long            bool
}{
	{name: "one kill and a joiner", model: "failover", options: "-DNB=2"},
	{name: "one kill, three blocks", model: "failover", options: "", long: true},
	{name: "all die, and begin again", model: "failover", options: "-DNB=2 -DKILLS=2 -DFLIPS=0"},
	{name: "all die, three blocks", model: "failover", options: "-DKILLS=2", long: true},
	{name: "poison", model: "failover", options: "-DNB=2 -DOWN=1 -DFLIPS=0"},
	{name: "poison and a kill, three blocks", model: "failover", options: "-DOWN=1", long: true},
	{name: "poison for everybody", model: "failover", options: "-DNB=2 -DOWN=2 -DKILLS=0", long: true},
	{name: "the engine dies amid a broadcast", model: "failover", options: "-DNB=2 -DDEATHS=1 -DFLIPS=0"},
	{name: "the engine dies, three blocks", model: "failover", options: "-DDEATHS=1", long: true},
	{name: "a ring is full", model: "failover", options: "-DNB=2 -DCAP=1 -DNC=2 -DKILLS=0"},
	{name: "a ring is full, three blocks", model: "failover", options: "-DCAP=1 -DNC=2 -DKILLS=0", long: true},
	{name: "a ring is full, and a kill", model: "failover", options: "-DNB=2 -DCAP=1 -DNC=2", long: true},
	{name: "asleep for a lap of the journal", model: "failover", options: "-DNB=4 -DLAPS=2 -DFLIPS=0 -DJOINS=0"},
	{name: "three workers", model: "failover", options: "-DW=3 -DNB=2 -DFLIPS=0 -DJOINS=0", long: true},
	{name: "the lead changes", model: "failover", options: "-DNB=2 -DLEADS=1 -DFLIPS=0"},
	{name: "the lead changes, three blocks", model: "failover", options: "-DLEADS=2", long: true},
	{name: "no header", model: "failover", options: "-DNO_HEADER", bug: true},
	{name: "no seal", model: "failover", options: "-DNO_SEAL -DOWN=1", bug: true},
	{name: "a ring is retired before it is played", model: "failover", options: "-DNO_RETIRE", bug: true},
	{name: "proposals beyond committed", model: "failover", options: "-DNO_COMMITTED -DNB=2 -DDEATHS=1 -DFLIPS=0", bug: true},
	{name: "half a broadcast is forgotten", model: "failover", options: "-DNO_RECOVER -DNB=2 -DDEATHS=1 -DFLIPS=0", bug: true},
	{name: "two engines", model: "failover", options: "-DNO_LOCK -DNB=2 -DDEATHS=1 -DFLIPS=0", bug: true},
	{name: "a joiner is attached amid a broadcast", model: "failover", options: "-DNO_ATTACH", bug: true, long: true},
	{name: "a worker with a full ring goes on", model: "failover", options: "-DNO_KILLFULL -DCAP=1 -DNC=2 -DKILLS=0", bug: true},
	{name: "no lap in a decision", model: "failover", options: "-DNO_LAP -DNB=4 -DLAPS=2 -DFLIPS=0 -DJOINS=0", bug: true},

	{name: "two faults in turn", model: "timed", options: "-DFAULTS=2 -DNB=14"},
	{name: "two blocks a call", model: "timed", options: "-DP=2 -DFAULTS=2 -DNB=18"},
	{name: "three blocks a call", model: "timed", options: "-DP=3 -DFAULTS=2 -DNB=22"},
	{name: "four blocks a call, a guard of one", model: "timed", options: "-DP=4 -DGUARD=1 -DFAULTS=2 -DNB=26"},
	{name: "one block a call, a guard of one", model: "timed", options: "-DGUARD=1 -DFAULTS=2 -DNB=14", long: true},
	{name: "two blocks a call, a guard of one", model: "timed", options: "-DP=2 -DGUARD=1 -DFAULTS=2 -DNB=18", long: true},
	{name: "three blocks a call, a guard of one", model: "timed", options: "-DP=3 -DGUARD=1 -DFAULTS=2 -DNB=22", long: true},
	{name: "four blocks a call", model: "timed", options: "-DP=4 -DFAULTS=2 -DNB=26", long: true},
	{name: "the lead changes between calls", model: "timed", options: "-DLEADS=2 -DFAULTS=1 -DNB=14"},
	{name: "the lead changes, two blocks a call", model: "timed", options: "-DP=2 -DLEADS=2 -DFAULTS=1 -DNB=18"},
	{name: "the lead changes, three blocks a call, two faults", model: "timed", options: "-DP=3 -DGUARD=1 -DLEADS=3 -DMORE=3 -DFAULTS=2 -DNB=22", long: true},
	{name: "silence ends", model: "timed", options: "-DCONCEALS -DLEAD=1 -DGUARD=1 -DTOLD=12 -DHANG=2"},
	{name: "no guard", model: "timed", options: "-DLEAD=4 -DGUARD=0", bug: true},
	{name: "the guard forgets what a call takes", model: "timed", options: "-DNO_CALL -DP=2 -DGUARD=1", bug: true},
	{name: "the heir must be abreast", model: "timed", options: "-DBEHIND=0 -DP=4 -DNB=26", bug: true},
	{name: "ready before abreast", model: "timed", options: "-DNO_READY -DP=2 -DFAULTS=2 -DNB=18", bug: true},
	{name: "no wake-up in silence", model: "timed", options: "-DNO_WAKE -DCONCEALS -DLEAD=1 -DGUARD=1 -DTOLD=12 -DHANG=2", bug: true},
}

// shortRuns is the number of searches of a test run with -short.
const shortRuns = 1

var (
	errorsFound = regexp.MustCompile(`errors: (\d+)`)
	stored      = regexp.MustCompile(`(\d+) states, stored`)
	incomplete  = regexp.MustCompile(`Search not completed|max search depth too small|memory limit`)
)

func TestModel(t *testing.T) {
	if _, err := exec.LookPath("spin"); err != nil {
		t.Fatalf("%v; install spin", err)
	}
	cc := strings.Fields(command(t, ".", "go", "env", "CC"))[0]
	long := os.Getenv("CHRONUS_MODEL") == "long"
	for i, r := range runs {
		if r.long && !long || testing.Short() && i >= shortRuns {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			out := search(t, cc, r.model, strings.Fields(r.options), r.bug)
			found := errorsFound.FindStringSubmatch(out)
			n := stored.FindStringSubmatch(out)
			if found == nil || n == nil {
				t.Fatalf("the search did not end:\n%s", out)
			}
			switch wrong := found[1] != "0"; {
			case wrong && !r.bug:
				t.Errorf("%s %s is wrong:\n%s", r.model, r.options, out)
			case !wrong && r.bug:
				t.Errorf("%s %s: nobody misses the rule", r.model, r.options)
			case !wrong && incomplete.MatchString(out):
				t.Errorf("%s %s: not all was searched:\n%s", r.model, r.options, out)
			}
			t.Logf("%s %s: %s states", r.model, r.options, n[1])
		})
	}
}

// search runs a model with options and returns what its verifier printed. A short one is not worth
// being optimised.
func search(t *testing.T, cc, model string, options []string, short bool) string {
	t.Helper()
	source, err := filepath.Abs(model + ".pml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	command(t, dir, "spin", slices.Concat([]string{"-a", "-P" + cc + " -E -x c"}, options, []string{source})...)
	optimise := "-O1"
	if short {
		optimise = "-O0"
	}
	command(t, dir, cc, optimise, "-w", "-DCOLLAPSE", "-DMEMLIM="+memory, "-DSAFETY", "-DNOFAIR", "-o", "pan", "pan.c")
	return command(t, dir, filepath.Join(dir, "pan"), "-m1000000", "-w22", "-n")
}

func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(context.WithoutCancel(t.Context()), name, args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}
