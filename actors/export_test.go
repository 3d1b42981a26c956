package actors

import "github.com/music-chronus/chronus/shm/sys"

// Panic has an actor panic: one of the supervisor's children by name, "" for the supervisor itself.
func Panic(e *Engine, name string) {
	pid := e.tree
	if name != "" {
		pid = childPID(e.tree, name)
	}
	e.system.Root.Send(pid, fail{"a test's panic"})
}

// RSS is the resident memory of a process in bytes.
var RSS = sys.RSS
