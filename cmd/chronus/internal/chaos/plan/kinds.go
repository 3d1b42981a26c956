package plan

import (
	"errors"
	"fmt"
	"slices"
)

// Kind describes one kind of fault that chaos injects into an engine from outside.
type Kind struct {
	Name         string
	Doc          string
	Silence      bool // silence is expected: no process is left that can play
	SilenceAlone bool // silence is expected of an engine with one worker
	Workers      int  // the fewest workers that the engine must have
}

// Kinds holds all kinds in the order in which reports list them.
var Kinds = []Kind{
	{"kill", "SIGKILL to the active worker", false, true, 1},
	{"term", "SIGTERM to the active worker", false, true, 1},
	{"segv", "SIGSEGV to the active worker", false, true, 1},
	{"stop", "SIGSTOP to the active worker, until the engine replaces it", false, true, 1},
	{"stall", "SIGSTOP to the active worker, SIGCONT 10 ms to 10 s later if it still lives", false, true, 1},
	{"standby", "SIGKILL to a standby", false, false, 2},
	{"pair", "SIGKILL to the active worker and a standby at once", false, false, 3},
	{"all", "SIGKILL to every worker at once", true, true, 1},
	{"audio", "SIGKILL to the audio process", true, true, 1},
	{"engine", "SIGKILL to the engine process, which --engine-command starts again", false, false, 1},
	{"burst", "20,000 OSC messages as fast as they go", false, false, 1},
	{"malformed", "1,000 malformed OSC packets", false, false, 1},
}

// KindOf returns the kind of a name, and false if the name is unknown.
func KindOf(name string) (Kind, bool) {
	i := slices.IndexFunc(Kinds, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return Kind{}, false
	}
	return Kinds[i], true
}

// KindNames returns the names of all kinds.
func KindNames() (names []string) {
	for _, k := range Kinds {
		names = append(names, k.Name)
	}
	return names
}

// Check returns an error if the kind cannot be injected into an engine with so many workers and
// with that command to start it again.
func (k Kind) Check(workers int, engineCommand string) error {
	switch {
	case workers < k.Workers:
		return fmt.Errorf("fault %s takes %d workers or more, this engine has %d: start it with --replicas %d",
			k.Name, k.Workers, workers, k.Workers)
	case k.Name == "engine" && engineCommand == "":
		return errors.New("fault engine needs --engine-command, which starts the engine again: like --engine-command 'chronus up'")
	}
	return nil
}
