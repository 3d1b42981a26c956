package frontend

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/drafts"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/server"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// maxInFlight bounds the messages that have no answer yet: 0.3 s of 100,000 a second.
const maxInFlight = 1 << 15

// flowWait is how long a message over a connection waits for room before it is dropped.
const flowWait = time.Second

// The refusals of any message.
var (
	errBusy     = osc.Refuse(osc.CodeBusy, "server busy: %d messages are waiting; try again", maxInFlight)
	errToken    = osc.Refuse(osc.CodeUnauthorized, "address requires the token: send /auth TOKEN first")
	errAhead    = osc.Refuse(osc.CodeBadTime, "time tag is more than %v ahead: send the message later", osc.MostAhead)
	errPeerless = osc.Refuse(osc.CodeRejected,
		"only OSC clients can send queries and patch commands: use GetStatus or NewPatch")
	errClock = osc.Refuse(osc.CodeBadTime, "time tags need a running device: send without a time tag")
)

// Serve serves the OSC socket until ctx ends, and passes messages on to the engine. Without a
// socket it returns at once. A panic while serving is an error.
func (f *Frontend) Serve(ctx context.Context, engine Engine) (err error) {
	if f.server == nil {
		return nil
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic while serving: %v", r)
		}
	}()
	return f.server.Serve(ctx, func() server.Handler { return &handler{f: f, engine: engine} })
}

// handler makes a batch of each packet of one reader, and passes on the batches of one read
// together. It implements server.Handler.
type handler struct {
	f        *Frontend
	engine   Engine
	patterns osc.Patterns

	// These fields hold everything since the last Flush. The messages of a packet end at its end in
	// pending, and the commands of a message at its end in commands.
	commands []shm.Command
	pending  []pendingMessage
	packets  []pendingPacket
	read     int64 // sys.Monotonic at the first message

	pendingPacket // the present one
}

// Take implements server.Handler. A message that is refused is answered at once; the others of its
// packet enter.
func (h *handler) Take(m *osc.Message, from server.Peer) {
	if h.view == nil {
		h.view = h.f.tracker.View()
		if h.read == 0 {
			h.read = sys.Monotonic()
		}
		h.received = h.read - int64(m.Waited)
		h.patterns.Reset()
	}
	if h.f.feed.Lines() {
		h.f.feed.Line(from.String() + " " + m.String())
	}
	if err := h.take(m, from); err != nil {
		_ = from.Fail(string(m.Address), err)
	}
}

func (h *handler) take(m *osc.Message, from server.Peer) error {
	before := len(h.commands)
	commands, found, err := h.view.Routes().Append(h.commands, m, &h.patterns)
	if err != nil {
		return err
	}
	address := ""
	if found.Route == nil {
		address = string(m.Address)
	} else {
		address = found.Route.Address
		if found.Route.RequiresToken && !from.Trusted() {
			return errToken
		}
		switch do := found.Route.Handler.(type) {
		case queryFunc:
			if err := checkCount(&found.Route.Entry, m); err != nil {
				return err
			}
			return do(h, m, from)
		case *drafts.Command:
			h.edit(do, found.Words, from)
			return nil
		}
	}
	if len(commands)-h.firstCommand() > commandlog.MaxBatch {
		return h.f.cfg.Refusal(commandlog.ErrBatchSize)
	}
	p := pendingMessage{
		f: h.f, address: address, from: from, end: len(commands), matched: found.Count, timed: m.Time != osc.Immediately,
	}
	if p.timed {
		if p.due, err = h.frameOf(m.Time); err != nil {
			return err
		}
		for i := range commands[before:] {
			commands[before+i].Frame = uint64(max(p.due, 1)) // frame 0 would mean no time tag
		}
	}
	h.commands, h.pending = commands, append(h.pending, p)
	return nil
}

// edit passes a patch command on once the commands that its sender has sent before have entered:
// /patch/save saves what was set.
func (h *handler) edit(c *drafts.Command, args []any, from server.Peer) {
	store, engine := h.f.cfg.Drafts, h.engine
	h.after(c.Address(), from, func() error {
		if err := store.Admit(); err != nil {
			return err
		}
		engine.Edit(drafts.Request{Command: c, Args: args, From: from})
		return nil
	})
}

// after calls do once the commands before the present message have entered. do answers the
// message, or returns why it is refused.
func (h *handler) after(address string, from server.Peer, do func() error) {
	h.pending = append(h.pending, pendingMessage{f: h.f, address: address, from: from, end: len(h.commands), then: do})
}

// frameOf returns the frame of a time tag, by the same reading of the clocks for all messages of a
// packet.
func (h *handler) frameOf(tag uint64) (int64, error) {
	if h.now == (osc.Moment{}) {
		h.now = readClocks()
		h.lag = h.f.timeline.Lag(h.now.Mono, h.f.cfg.Frame())
	} else if tag == h.tag {
		return h.due, h.tagErr
	}
	frame, ahead, ok := h.f.timeline.Frame(tag, h.now)
	h.tag, h.due, h.tagErr = tag, frame, nil
	switch {
	case ahead > osc.MostAhead:
		h.tagErr = errAhead
	case !ok:
		h.tagErr = errClock
	}
	return h.due, h.tagErr
}

// firstCommand returns where the present packet begins in commands.
func (h *handler) firstCommand() int {
	if n := h.firstPending(); n > 0 {
		return h.pending[n-1].end
	}
	return 0
}

// firstPending returns where the present packet begins in pending.
func (h *handler) firstPending() int {
	if n := len(h.packets); n > 0 {
		return h.packets[n-1].end
	}
	return 0
}

// End implements server.Handler. If there is no room for all messages of the packet, all are
// refused, queries too: an answer would claim that what was sent before has entered.
func (h *handler) End(from server.Peer) {
	list := h.pending[h.firstPending():]
	switch {
	case len(list) == 0:
	case h.f.admit(int64(len(list)), from):
		h.end = len(h.pending)
		h.packets = append(h.packets, h.pendingPacket)
	default:
		for i := range list {
			_ = list[i].from.Fail(list[i].address, errBusy)
		}
		h.commands, h.pending = h.commands[:h.firstCommand()], h.pending[:h.firstPending()]
	}
	h.pendingPacket = pendingPacket{}
}

// Flush implements server.Handler. It passes on copies, since their commands outlive the next
// read.
func (h *handler) Flush() {
	h.read = 0
	if len(h.packets) == 0 {
		return
	}
	commands, list := slices.Clone(h.commands), slices.Clone(h.pending)
	requests := make([]commandlog.Request, 0, len(list))
	out := Batches{list: make([]commandlog.Batch, 0, len(h.packets)), f: h.f}
	begin := 0
	for _, packet := range h.packets {
		first := len(requests)
		for len(requests) < packet.end {
			p := &list[len(requests)]
			requests = append(requests, commandlog.Request{
				Commands: commands[begin:p.end:p.end], Requester: p, Due: p.due, Timed: p.timed,
			})
			begin = p.end
		}
		out.list = append(out.list, commandlog.Batch{
			Requests: requests[first:], Plan: packet.view.Number(), Received: packet.received, Behind: packet.lag,
		})
	}
	h.engine.Enter(out)
	clear(h.pending)
	h.commands, h.pending, h.packets = h.commands[:0], h.pending[:0], h.packets[:0]
}
