package frontend

import (
	"time"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/server"
	"github.com/music-chronus/chronus/shm/sys"
)

// pendingPacket is what is known of one packet.
type pendingPacket struct {
	view     *space.View // that its messages are resolved with; nil: none has come yet
	received int64       // sys.Monotonic
	now      osc.Moment  // zero: the clocks are not read yet
	tag      uint64      // the last time tag
	due      int64       // its frame
	tagErr   error       // why it has none
	lag      int64       // osc.Timeline.Lag of now, in frames
	end      int         // in handler.pending
}

// pendingMessage is a message that was resolved. It implements commandlog.Requester.
type pendingMessage struct {
	f       *Frontend
	address string
	from    server.Peer
	end     int   // in handler.commands
	matched int   // addresses; 0: it is no pattern
	timed   bool  // it has a time tag
	due     int64 // the frame of that
	then    func() error
}

// Answer implements commandlog.Requester. The answer to a pattern says how many addresses took it.
func (p *pendingMessage) Answer(err error) {
	if err != nil {
		err = p.f.cfg.Refusal(err)
	}
	if p.then != nil {
		err = p.then()
	}
	switch {
	case err != nil:
		_ = p.from.Fail(p.address, err)
	case p.then != nil: // it has answered, or will
	case p.matched > 0:
		_ = p.from.Reply("/done", p.address, p.matched)
	default:
		_ = p.from.Done(p.address)
	}
}

// Late implements commandlog.Requester.
func (p *pendingMessage) Late(seconds float64) {
	_ = p.from.Reply("/late", p.address, float32(seconds))
}

// Batches is what one read of a socket or connection has brought: a batch for each packet.
type Batches struct {
	list []commandlog.Batch
	f    *Frontend
}

// Enter calls enter for each batch, in order of arrival. enter answers every request of its batch,
// and tells whether commands have entered. A panic of enter does not keep the later batches from
// entering; Enter panics with the same value after the last.
func (b Batches) Enter(enter func(commandlog.Batch) bool) {
	var failure any
	messages := 0
	for _, batch := range b.list {
		messages += len(batch.Requests)
		ok, v := try(enter, batch)
		if ok {
			b.f.latencies.record(time.Duration(sys.Monotonic() - batch.Received))
		}
		if v != nil {
			failure = v
		}
	}
	b.f.release(messages)
	if failure != nil {
		panic(failure)
	}
}

// try calls enter, and returns what it panicked with.
func try(enter func(commandlog.Batch) bool, b commandlog.Batch) (entered bool, failure any) {
	defer func() { failure = recover() }()
	return enter(b), nil
}

// admit makes room for n messages. Over a connection it waits for room; by UDP, where waiting would
// only lose other packets, it drops the messages at once, and counts them.
func (f *Frontend) admit(n int64, from server.Peer) bool {
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		if f.inFlight.Add(n) <= maxInFlight {
			return true
		}
		f.inFlight.Add(-n)
		if !from.Stream() || time.Since(began) > flowWait {
			f.dropped.Add(uint64(n))
			return false
		}
	}
}

// release frees the room of messages that have been answered.
func (f *Frontend) release(messages int) {
	f.inFlight.Add(-int64(messages))
	if f.server != nil {
		f.server.Flush()
	}
}
