package actors

import (
	"github.com/music-chronus/chronus/shm"
)

// The messages that the actors send one another, all of them values.
type (
	// died: the watcher has buried a process. To the proxy of the slot, or to AudioProxy.
	died struct{ corpse }
	// retry: the back-off before a start is over. From a proxy to itself.
	retry struct{ gen uint64 }
	// play: what one message asks for, in a batch from OSCIngress to Conductor.
	play struct {
		commands []shm.Command
		answer   func(error)           // nil: nobody waits. Called again with an error if one of them turns out to be poison
		due      int64                 // the frame of its time tag, of the commands too unless it is long past
		late     func(seconds float64) // called, before the answer, if it is past already; nil: it has no time tag
		refused  error                 // why it does not enter with the others
	}
	// askStatus: what is the state? From OSCIngress to Monitor.
	askStatus struct {
		answer func(Status)
	}
	// later: what is to be done in Monitor's turn, since it may take a while. From Conductor.
	later struct{ do func() }
	// happened: an event, to Monitor.
	happened struct{ event Event }
	// fail: the actor panics. For tests of the tree: sent to any of them.
	fail struct{ reason string }
)
