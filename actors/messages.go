package actors

// The messages that the actors send one another, all of them values.
type (
	// died: the watcher has buried a process. To the proxy of the slot, or to AudioProxy.
	died struct{ corpse }
	// retry: the back-off before a start is over. From a proxy to itself.
	retry struct{ gen uint64 }
	// statusRequest: what is the state? To Monitor.
	statusRequest struct {
		answer func(Status)
		done   func() // called once it is out of the way; nil: nobody waits
	}
	// later: what Monitor does between two statuses, or Editor after the patch commands before it. From Conductor.
	later struct{ do func() }
	// happened: an event, to Monitor.
	happened struct{ event Event }
	// fail: the actor panics. For tests of the tree: sent to any of them.
	fail struct{ reason string }
)
