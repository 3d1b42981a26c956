package actors

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/server"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// inFlightMost bounds the messages on their way to Conductor, 0.3 s of 100,000 a second: no sender makes its mailbox grow.
const inFlightMost = 1 << 15

// flowWait is how long what comes over a connection waits for room before it is dropped; it should never.
const flowWait = time.Second

var (
	errBusy    = errors.New("more messages come than are carried out: try again")
	errGuarded = errors.New("it is more than playing: from another machine send /auth with the token first")
	errAhead   = fmt.Errorf("its time tag is more than %v ahead", osc.MostAhead)
)

// intake makes a batch of each packet of one reader, and sends those of one read together. It implements server.Handler.
type intake struct {
	desk               *desk
	root               *actor.RootContext
	conductor, monitor *actor.PID
	editor             *actor.PID

	patterns osc.Patterns
	// What was taken since the last Flush: of each packet its end in asked, of each message its end in commands.
	commands []shm.Command
	asked    []asked
	packets  []packet
	read     int64 // sys.Monotonic, of the first
	packet
}

// packet is what is known of one.
type packet struct {
	known   *directory // nil: nothing of it was taken
	came    int64      // sys.Monotonic
	now     osc.Moment // zero: not read yet
	tag     uint64     // the last time tag
	due     int64      // its frame
	behind  int64      // osc.Timeline.Behind of now
	whenErr error      // or why there is none
	end     int        // in asked
}

// asked is a message that was resolved. It implements asker.
type asked struct {
	address string
	from    server.Peer
	end     int // in commands
	matched int // entries; 0: it is no pattern
	timed   bool
	due     int64
	then    func() error // it has no commands: this answers it, or has it answered; nil: it has
}

// Take implements server.Handler: it resolves a message. One that is refused is answered at once, and does not keep the others from entering.
func (in *intake) Take(m *osc.Message, from server.Peer) {
	if in.known == nil {
		in.known = in.desk.directory.Load()
		if in.read == 0 {
			in.read = sys.Monotonic()
		}
		in.came = in.read - int64(m.Waited)
		in.patterns.Reset()
	}
	if in.desk.feed.Lines() {
		in.desk.feed.Line(from.String() + " " + m.String())
	}
	if err := in.take(m, from); err != nil {
		_ = from.Fail(string(m.Address), err.Error())
	}
}

func (in *intake) take(m *osc.Message, from server.Peer) error {
	before := len(in.commands)
	commands, found, err := in.known.Append(in.commands, m, &in.patterns)
	switch {
	case err != nil:
		return err
	case found.Guarded && !from.Trusted():
		return errGuarded
	case found.inquiry != nil:
		return found.inquiry.run(in, m, from)
	case found.verb != nil:
		in.change(found.Address, request{found.verb, found.words, from})
		return nil
	case len(commands) == before:
		return in.askStatus(func(st Status) { _ = from.Reply(found.Address+".reply", statusArgs(st)...) })
	case len(commands)-in.begin() > commandlog.MaxBatch:
		return commandlog.ErrBatchSize
	}
	if found.Matched > 0 {
		found.Address = string(m.Address)
	}
	a := asked{address: found.Address, from: from, end: len(commands), matched: found.Matched, timed: m.Time != osc.Immediately}
	if a.timed {
		if a.due, err = in.when(m.Time); err != nil {
			return err
		}
		for i := range commands[before:] {
			commands[before+i].Frame = uint64(max(a.due, 1)) // 0 would be at once; what is past is too
		}
	}
	in.commands, in.asked = commands, append(in.asked, a)
	return nil
}

// change has Editor do a verb once Conductor has come to it, and so behind what the same sender has sent before: /patch/save saves what was set.
func (in *intake) change(address string, r request) {
	drafts, root, editor := &in.desk.drafts, in.root, in.editor
	in.asked = append(in.asked, asked{address: address, from: r.from, end: len(in.commands), then: func() error { return drafts.ask(root, editor, r) }})
}

// when is the frame of a time tag, the same for all of a packet.
func (in *intake) when(tag uint64) (int64, error) {
	if in.now == (osc.Moment{}) {
		in.now = moment()
		in.behind = in.desk.timeline.Lag(in.now.Mono, in.desk.clock())
	} else if tag == in.tag {
		return in.due, in.whenErr
	}
	frame, ahead, ok := in.desk.timeline.Frame(tag, in.now)
	in.tag, in.due, in.whenErr = tag, frame, nil
	switch {
	case ahead > osc.MostAhead:
		in.whenErr = errAhead
	case !ok:
		in.whenErr = errTime
	}
	return in.due, in.whenErr
}

// begin is where the present packet begins in commands.
func (in *intake) begin() int {
	if n := in.first(); n > 0 {
		return in.asked[n-1].end
	}
	return 0
}

// first is where the present packet begins in asked.
func (in *intake) first() int {
	if n := len(in.packets); n > 0 {
		return in.packets[n-1].end
	}
	return 0
}

// End implements server.Handler: what was taken of a packet goes to Conductor at the next Flush, if there is room for it.
func (in *intake) End(from server.Peer) {
	list := in.asked[in.first():]
	switch {
	case len(list) == 0:
	case in.desk.admit(int64(len(list)), from):
		in.end = len(in.asked)
		in.packets = append(in.packets, in.packet)
	default:
		for i := range list {
			_ = list[i].from.Fail(list[i].address, errBusy.Error()) // whatever it asks for: it would come before what was sent before it
		}
		in.commands, in.asked = in.commands[:in.begin()], in.asked[:in.first()]
	}
	in.packet = packet{}
}

// Flush implements server.Handler. What is sent is kept for as long as its commands, so it is a copy.
func (in *intake) Flush() {
	in.read = 0
	if len(in.packets) == 0 {
		return
	}
	commands, list, plays := slices.Clone(in.commands), slices.Clone(in.asked), make([]commandlog.Request, 0, len(in.asked))
	send, begin := batches{make([]commandlog.Batch, 0, len(in.packets)), in.desk}, 0
	for _, packet := range in.packets {
		first := len(plays)
		for len(plays) < packet.end {
			a := &list[len(plays)]
			plays = append(plays, commandlog.Request{Commands: commands[begin:a.end:a.end], Requester: a, Due: a.due, Timed: a.timed})
			begin = a.end
		}
		send.list = append(send.list, commandlog.Batch{Requests: plays[first:], Plan: packet.known.plan, Received: packet.came, Behind: packet.behind})
	}
	in.root.Send(in.conductor, send)
	clear(in.asked)
	in.commands, in.asked, in.packets = in.commands[:0], in.asked[:0], in.packets[:0]
}

// answer says what has become of a message; of a pattern also how many addresses took it.
func (a *asked) Answer(err error) {
	if a.then != nil {
		err = a.then()
	}
	switch {
	case err != nil:
		_ = a.from.Fail(a.address, err.Error())
	case a.then != nil:
	case a.matched > 0:
		_ = a.from.Reply("/done", a.address, a.matched)
	default:
		_ = a.from.Done(a.address)
	}
}

// late implements asker.
func (a *asked) Late(seconds float64) { _ = a.from.Reply("/late", a.address, float32(seconds)) }

// admit makes room for messages on their way to Conductor. What comes over a connection can wait there; what came by UDP cannot, and is dropped
// and counted.
func (d *desk) admit(n int64, from server.Peer) bool {
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		if d.inFlight.Add(n) <= inFlightMost {
			return true
		}
		d.inFlight.Add(-n)
		if !from.Stream() || time.Since(began) > flowWait {
			d.dropped.Add(uint64(n))
			return false
		}
	}
}

// settle takes messages off those on their way: they have been answered.
func (d *desk) settle(messages int) {
	d.inFlight.Add(-int64(messages))
	if d.server != nil {
		d.server.Flush()
	}
}
