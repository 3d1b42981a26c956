package fault

import (
	"fmt"

	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// Crash is how a worker ended.
type Crash struct {
	Block    uint64 // the block that it was rendering
	Node     int    // index of the node in it; -1: unknown
	OwnFault bool   // it ended of what it rendered, and not of a signal from outside
	NoLoad   bool   // it exited by itself before it published anything: it could not load the patch
}

// goFatal is the exit code of a Go program that its runtime ends: out of memory, stack overflow.
const goFatal = 2

// Classify returns how the worker of generation gen ended. st is the status of its slot. The caller
// sets NoLoad.
func Classify(st shm.Status, gen uint64, exit sys.Exit) Crash {
	rendering := st.Generation == gen && st.Rendering
	return Crash{
		Block: st.Block, Node: st.Node,
		OwnFault: rendering && (st.Cause.OwnFault() || ExitedByItself(exit) && exit.Code == goFatal),
	}
}

// ExitedByItself reports whether a process exited with an error, without a signal.
func ExitedByItself(exit sys.Exit) bool {
	return exit.Signal == 0 && !exit.Unknown && exit.Code != 0
}

// Cause describes why the worker of generation gen ended. st is the status of its slot.
func Cause(st shm.Status, gen uint64, exit sys.Exit) string {
	switch {
	case st.Generation != gen || st.Cause.FromKernel():
		return exit.String()
	case st.Rendering:
		return fmt.Sprintf("%v in block %d, node %d", st.Cause, st.Block, st.Node)
	}
	return st.Cause.String()
}
