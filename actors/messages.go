package actors

import (
	"github.com/music-chronus/chronus/actors/internal/output"
	"github.com/music-chronus/chronus/actors/internal/replica"
)

// The messages that the actors send one another, all of them values.
type (
	// workerEnded: the watcher has reaped a worker. To the proxy of the slot.
	workerEnded struct{ replica.Exit }
	// audioEnded: the audio process that played has been reaped. To AudioProxy.
	audioEnded struct{ output.Exit }
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
