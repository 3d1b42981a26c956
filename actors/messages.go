package actors

import (
	"github.com/music-chronus/chronus/actors/internal/commandlog"
)

// The messages that the actors send one another, all of them values.
type (
	// died: the watcher has buried a process. To the proxy of the slot, or to AudioProxy.
	died struct{ corpse }
	// retry: the back-off before a start is over. From a proxy to itself.
	retry struct{ gen uint64 }
	// batches: what one read of OSCIngress has brought. To Conductor.
	batches struct {
		list []commandlog.Batch
		desk *desk
	}
	// askStatus: what is the state? From OSCIngress to Monitor.
	askStatus struct {
		answer func(Status)
		done   func() // called once it is out of the way; nil: nobody waits
	}
	// later: what is to be done in Monitor's turn, since it may take a while. From Conductor.
	later struct{ do func() }
	// happened: an event, to Monitor.
	happened struct{ event Event }
	// fail: the actor panics. For tests of the tree: sent to any of them.
	fail struct{ reason string }
)
