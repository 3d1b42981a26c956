package fault

// Action is what the engine must do after the end of a worker. Every ended worker is replaced,
// whatever the Action.
type Action interface{ action() }

type (
	// Restart: nothing beyond the replacement of the worker.
	Restart struct{}
	// KillAll: kill the workers that are left. They crash in turn in one block, and the engine can
	// act only when all have ended.
	KillAll struct{ Block uint64 }
	// Escalate: no worker is left. The caller settles the crashes that are known (see Resolve), and
	// calls AllEnded.
	Escalate struct{}
	// Quarantine: take the commands that entered with the block of the crash out of the log. If there
	// are none, the caller calls NothingToQuarantine.
	Quarantine struct{ Crash Crash }
	// Bypass: leave out the node of the crash, from its block on.
	Bypass struct{ Crash Crash }
	// FallBack: abandon the patch for another one.
	FallBack struct{ Why string }
)

func (Restart) action()    {}
func (KillAll) action()    {}
func (Escalate) action()   {}
func (Quarantine) action() {}
func (Bypass) action()     {}
func (FallBack) action()   {}
