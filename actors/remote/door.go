package remote

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/pb"
)

// EndpointOptions say who may come through a door.
type EndpointOptions struct {
	Sentry  *Sentry // that stands before the remote; nil: there is none, and only tokens count
	Tokens  Tokens
	TapeDir string // where tapes go; "": they are refused
}

// Open opens an engine to the peers of the remote that its actor system has. The door's actor ends with the engine's.
func Open(system *actor.ActorSystem, engine *actor.PID, o EndpointOptions) (*actor.PID, error) {
	if o.Sentry != nil && !o.Sentry.stands.Load() { // what comes unmarked would count as the program's own
		return nil, fmt.Errorf("door of %s: its sentry stands before no remote: configure that with Sentry.ServerOptions first", engine.Id)
	}
	pid, err := system.Root.SpawnNamed(actor.PropsFromProducer(func() actor.Actor {
		return &door{o: o, engine: engine, began: time.Now()}
	}), doorName(engine.Id))
	if err != nil {
		return nil, fmt.Errorf("door of %s: %w", engine.Id, err)
	}
	return pid, nil
}

const defaultName = "chronus"

// doorName is that of the door of an engine's actor.
func doorName(engine string) string { return "chronus-door/" + engine }

// EndpointPID is the door of the engine of that name at an address; "" is the name of an engine that was given none.
func EndpointPID(address, name string) *actor.PID {
	if name == "" {
		name = defaultName
	}
	return actor.NewPID(address, doorName(name))
}

const (
	eventsMax  = 256
	viewersMax = 64
	stdEvery   = 250 * time.Millisecond
	stdLease   = 3 * time.Second
)

// door is an engine as its peers see it. Like the engine's own actor it never fails.
type door struct {
	o      EndpointOptions
	engine *actor.PID
	began  time.Time

	viewers map[string]*viewer
	events  []*pb.Event // the last ones
	last    uint64      // number of the newest
}

// viewer is a peer with a lease.
type viewer struct {
	pid    *actor.PID
	every  time.Duration
	until  time.Time
	cursor uint64 // the last event that it has been sent
	number uint64 // of its last report
	round  uint64 // of its timer
}

// reportDue: a viewer's next report.
type reportDue struct {
	key   string
	round uint64
}

// reported: the engine's status, for a viewer's report.
type reported struct {
	key    string
	status actors.Status
}

// Receive implements actor.Actor.
func (g *door) Receive(ctx actor.Context) {
	defer func() {
		if r := recover(); r != nil { // a bug, which must not end the door
			if g.o.Sentry != nil {
				g.o.Sentry.refuseFrom("a door", "panic", fmt.Sprint(r))
			}
		}
	}()
	switch m := ctx.Message().(type) {
	case *actor.Started:
		g.viewers = map[string]*viewer{}
		if g.o.Sentry != nil {
			g.o.Sentry.door(ctx.Self().Id, true)
		}
		ctx.Watch(g.engine)
		ctx.Request(g.engine, actors.Subscribe{})
	case *actor.Terminated:
		g.end(ctx)
	case *actor.Stopping:
		if g.o.Sentry != nil {
			g.o.Sentry.shut(ctx.Self().Id)
		}
	case actors.EngineEvent:
		g.happened(m)
	case *pb.Request:
		g.request(ctx, m)
	case reportDue:
		g.report(ctx, m)
	case reported:
		if w := g.viewers[m.key]; w != nil {
			if g.o.Sentry == nil || g.o.Sentry.mayAnswer(w.pid.Address) { // or its events come with the next
				ctx.Send(w.pid, g.reportFor(w, statusOf(g.engine.Id, m.status)))
			}
		}
	}
}

// happened keeps an event for the viewers.
func (g *door) happened(h actors.EngineEvent) {
	g.last++
	level := pb.Event_INFO
	switch l := h.Event.Level(); {
	case l >= 8:
		level = pb.Event_ERROR
	case l >= 4:
		level = pb.Event_WARN
	}
	g.events = append(g.events, &pb.Event{
		Number: g.last, UnixNs: time.Now().UnixNano(), Kind: reflect.TypeOf(h.Event).Name(), Text: h.Event.String(), Level: level,
	})
	if len(g.events) > eventsMax {
		g.events = append(g.events[:0:0], g.events[1:]...) // a report that is being sent has the old ones
	}
}

// request checks who asks and what, and carries it out.
func (g *door) request(ctx actor.Context, r *pb.Request) {
	answer := g.answer(ctx, r.Id)
	role, unknown := g.role(ctx, r)
	switch need := needs(r); {
	case unknown != "":
		answer(refused(pb.Refused_UNKNOWN, "%s is no request: send a chronus.v1.Request", unknown))
	case r.Version != pb.Version:
		answer(refused(pb.Refused_VERSION, "it speaks version %d; this engine speaks %d", r.Version, pb.Version))
	case r.Do == nil:
		answer(refused(pb.Refused_UNKNOWN, "the request asks for nothing that this engine knows"))
	case role < need:
		if g.o.Sentry != nil {
			g.o.Sentry.refuseFrom(peerOf(ctx), "role", fmt.Sprintf("%T needs %v", r.Do, need))
		}
		answer(refused(pb.Refused_FORBIDDEN, "that needs the role %v; the sender's is %v", need, role))
	default:
		g.carryOut(ctx, r, answer)
	}
}

func peerOf(ctx actor.Context) string {
	if s := ctx.Sender(); s != nil {
		return s.Address
	}
	return "unknown"
}

// role is the sender's, by what the sentry has put on the message, or by its token, whichever is more.
func (g *door) role(ctx actor.Context, r *pb.Request) (role Role, unknown string) {
	if g.o.Sentry != nil {
		mark := ctx.MessageHeader().Get(roleHeader)
		if mark == "" { // the sentry marks all that come from elsewhere: this is the program's own
			return Operate, ""
		}
		if name, ok := strings.CutPrefix(mark, g.o.Sentry.nonce); ok {
			if waiting := g.o.Sentry.door(ctx.Self().Id, false); waiting != nil {
				waiting.Add(-1)
			}
			role, _ = ParseRole(name)
			unknown = ctx.MessageHeader().Get(unknownHeader)
		}
	}
	if named, ok := g.o.Tokens.role(r.Token); ok && r.Token != "" {
		role = max(role, named)
	}
	return role, unknown
}

// answer sends the sender of the present message its reply, from wherever it is called.
func (g *door) answer(ctx actor.Context, id uint64) func(*pb.Reply) {
	root, to := ctx.ActorSystem().Root, ctx.Sender()
	return func(r *pb.Reply) {
		if to == nil {
			return
		}
		if r.Version, r.Id = pb.Version, id; g.o.Sentry == nil || g.o.Sentry.mayAnswer(to.Address) {
			root.Send(to, r)
		}
	}
}

func refused(code pb.Refused_Code, format string, args ...any) *pb.Reply {
	return &pb.Reply{What: &pb.Reply_Refused{Refused: &pb.Refused{Code: code, Reason: fmt.Sprintf(format, args...)}}}
}

func done() *pb.Reply { return &pb.Reply{What: &pb.Reply_Done{Done: &pb.Done{}}} }

func (g *door) carryOut(ctx actor.Context, r *pb.Request, answer func(*pb.Reply)) {
	switch do := r.Do.(type) {
	case *pb.Request_Watch:
		answer(g.watch(ctx, do.Watch))
		return
	case *pb.Request_Unwatch:
		if ctx.Sender() != nil {
			delete(g.viewers, key(ctx.Sender()))
		}
		answer(done())
		return
	}
	request, err := g.translate(r)
	if err != nil {
		answer(refused(pb.Refused_INVALID, "%v", err))
		return
	}
	ctx.Send(g.engine, actors.Forwarded{Request: request, Answer: func(a any) { answer(g.reply(a)) }})
}

// reply is the engine's answer in the words of the protocol.
func (g *door) reply(a any) *pb.Reply {
	switch a := a.(type) {
	case actors.Done:
		return done()
	case actors.Refused:
		return refused(pb.Refused_Code(a.Code), "%s", a.Reason)
	case actors.Status:
		return &pb.Reply{What: &pb.Reply_Status{Status: statusOf(g.engine.Id, a)}}
	case actors.PatchDone:
		return &pb.Reply{What: &pb.Reply_PatchDone{PatchDone: &pb.PatchDone{Commit: a.Commit.Number, Block: a.Commit.Block}}}
	case actors.TapeDone:
		return &pb.Reply{What: &pb.Reply_TapeDone{TapeDone: &pb.TapeDone{Name: baseName(a.Path), Bytes: a.Bytes}}}
	}
	return refused(pb.Refused_UNAVAILABLE, "the engine answers with a %T", a)
}

func key(pid *actor.PID) string { return pid.Address + "/" + pid.Id }

// watch begins or changes a watch.
func (g *door) watch(ctx actor.Context, m *pb.Watch) *pb.Reply {
	every, lease := time.Duration(m.EveryMs)*time.Millisecond, time.Duration(m.LeaseMs)*time.Millisecond
	if every == 0 {
		every = stdEvery
	}
	if lease == 0 {
		lease = stdLease
	}
	if every < 50*time.Millisecond || every > time.Minute || lease < time.Second || lease > time.Minute {
		return refused(pb.Refused_INVALID, "watch every %v with a lease of %v: it is 50 ms to 1 min, and 1 s to 1 min", every, lease)
	}
	who := ctx.Sender()
	if who == nil {
		return done() // nobody to tell
	}
	k := key(who)
	w := g.viewers[k]
	if w == nil {
		if len(g.viewers) >= viewersMax {
			return refused(pb.Refused_UNAVAILABLE, "%d watch already; no more can", viewersMax)
		}
		w = &viewer{pid: who, cursor: g.last}
		if m.AfterEvent > 0 {
			w.cursor = min(m.AfterEvent, g.last)
		}
		g.viewers[k] = w
	}
	again := w.every == every && time.Now().Before(w.until)
	w.every, w.until = every, time.Now().Add(lease)
	if !again {
		w.round++
		g.report(ctx, reportDue{k, w.round})
	}
	return done()
}

// report sends a viewer its report and sees to the next, as long as its lease goes.
func (g *door) report(ctx actor.Context, m reportDue) {
	w := g.viewers[m.key]
	if w == nil || w.round != m.round {
		return
	}
	if time.Now().After(w.until) {
		delete(g.viewers, m.key)
		return
	}
	root, self := ctx.ActorSystem().Root, ctx.Self()
	ctx.Send(g.engine, actors.Forwarded{Request: actors.GetStatus{}, Answer: func(a any) {
		if st, ok := a.(actors.Status); ok {
			root.Send(self, reported{m.key, st})
		}
	}})
	time.AfterFunc(w.every, func() { root.Send(self, m) })
}

func (g *door) reportFor(w *viewer, st *pb.Status) *pb.Report {
	w.number++
	now := time.Now()
	r := &pb.Report{
		Version: pb.Version, Number: w.number, MonotonicNs: int64(now.Sub(g.began)), UnixNs: now.UnixNano(), Status: st, LastEvent: g.last,
	}
	for _, e := range g.events {
		if e.Number > w.cursor {
			r.Events = append(r.Events, e)
		}
	}
	r.LostEvents = g.last - w.cursor - uint64(len(r.Events))
	w.cursor = g.last
	return r
}

// end tells the viewers that the engine has been stopped.
func (g *door) end(ctx actor.Context) {
	for _, w := range g.viewers {
		r := g.reportFor(w, nil)
		r.Ended = true
		ctx.Send(w.pid, r)
	}
	ctx.Stop(ctx.Self())
}
