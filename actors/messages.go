package actors

import (
	"github.com/music-chronus/chronus/shm"
)

// asker is who sent a message.
type asker interface {
	// answer says what has become of it, and once more with an error should one of its commands turn out to be poison.
	answer(err error)
	// late says, before that, by how much later than its time tag asked it begins.
	late(seconds float64)
}

// askerFunc is an asker of no time.
type askerFunc func(error)

func (f askerFunc) answer(err error) { f(err) }
func (askerFunc) late(float64)       {}

// The messages that the actors send one another, all of them values.
type (
	// died: the watcher has buried a process. To the proxy of the slot, or to AudioProxy.
	died struct{ corpse }
	// retry: the back-off before a start is over. From a proxy to itself.
	retry struct{ gen uint64 }
	// play: what one message asks for, in a batch.
	play struct {
		commands []shm.Command
		asker    asker // nil: nobody waits
		due      int64 // the frame of its time tag, of the commands too unless it is long past
		timed    bool  // it has one
		refused  error // why it does not enter with the others
	}
	// batch: the messages of one packet, to Conductor: what they ask for enters in one decision, with nothing between.
	batch struct {
		plays  []play
		plan   uint64 // number of the plan that they were resolved with
		came   int64  // sys.Monotonic, of those of a read
		behind int64  // osc.Timeline.Behind when the frames of time tags were found
	}
	// batches: what one read of OSCIngress has brought. To Conductor.
	batches struct {
		list []batch
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
