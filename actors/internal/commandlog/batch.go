package commandlog

import (
	"errors"
	"fmt"

	"github.com/music-chronus/chronus/shm"
)

// MaxBatch is the most commands that may enter together: a quarter of a command ring, so that a
// ring which a worker empties has room for them.
const MaxBatch = shm.CommandEntries / 4

var (
	// ErrBatchSize is the refusal of a batch with more than MaxBatch commands.
	ErrBatchSize = fmt.Errorf("more than %d commands at once: send less in one packet", MaxBatch)
	// ErrRingsFull is the refusal of a batch when no worker's command ring has room for it.
	ErrRingsFull = errors.New("the workers are too far behind to take it: try again")
	// ErrLogFull is the refusal of a batch when the log is full.
	ErrLogFull = errors.New("too many commands while no worker runs: try again")
)

// Requester is the sender of a Request.
type Requester interface {
	// Answer delivers the outcome: nil if the commands have entered. Answer is called a second time,
	// with an error, if a command proves to be poison afterwards.
	Answer(err error)
	// Late reports, before Answer, by how many seconds the commands begin after their time tag.
	Late(seconds float64)
}

// RequesterFunc is a Requester without an interest in time.
type RequesterFunc func(error)

// Answer implements Requester.
func (f RequesterFunc) Answer(err error) { f(err) }

// Late implements Requester.
func (RequesterFunc) Late(float64) {}

// Request is what one message asks for.
type Request struct {
	Commands  []shm.Command
	Requester Requester // nil: the sender does not wait for an answer
	Due       int64     // frame of the time tag; Commands have it too, unless it is long past
	Timed     bool      // the message has a time tag
	Refused   error     // why the request does not enter with the others of its batch
}

// Batch is the requests of one packet. They enter in one decision, with nothing between them.
type Batch struct {
	Requests []Request
	Plan     uint64 // number of the plan that the addresses were resolved with
	Received int64  // when the packet was read, sys.Monotonic
	Behind   int64  // osc.Timeline.Behind when the frames of time tags were computed
}

// Count returns the number of commands, and how many of them have a time tag.
func Count(requests []Request) (all, timed int) {
	for i := range requests {
		n := len(requests[i].Commands)
		all += n
		if requests[i].Timed {
			timed += n
		}
	}
	return all, timed
}
