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

// EndpointOptions say which peers may use an endpoint.
type EndpointOptions struct {
	Interceptor *Interceptor // of the remote; nil: only tokens grant roles
	Tokens      Tokens
	TapeDir     string // directory of tapes; "": tapes are refused
}

// Open gives an engine an endpoint, so that the peers of its actor system's remote can use it. The
// endpoint's actor ends with the engine's actor.
func Open(system *actor.ActorSystem, engine *actor.PID, o EndpointOptions) (*actor.PID, error) {
	if o.Interceptor != nil && !o.Interceptor.installed.Load() { // messages of peers would count as the program's own
		return nil, fmt.Errorf("endpoint of %s: its interceptor belongs to no remote: "+
			"configure the remote with Interceptor.ServerOptions first", engine.Id)
	}
	pid, err := system.Root.SpawnNamed(actor.PropsFromProducer(func() actor.Actor {
		return &endpoint{o: o, engine: engine, began: time.Now()}
	}), endpointName(engine.Id))
	if err != nil {
		return nil, fmt.Errorf("endpoint of %s: %w", engine.Id, err)
	}
	return pid, nil
}

const defaultName = "chronus"

// endpointName returns the name of the endpoint of an engine's actor.
func endpointName(engine string) string { return "chronus-endpoint/" + engine }

// EndpointPID returns the endpoint of an engine at an address. The name "" stands for the default
// name of an engine.
func EndpointPID(address, name string) *actor.PID {
	if name == "" {
		name = defaultName
	}
	return actor.NewPID(address, endpointName(name))
}

const (
	eventsMax        = 256
	subscriptionsMax = 64
	stdEvery         = 250 * time.Millisecond
	stdLease         = 3 * time.Second
)

// endpoint is the actor by which peers use an engine. It recovers from its own panics, so that it
// never restarts.
type endpoint struct {
	o      EndpointOptions
	engine *actor.PID
	began  time.Time

	subscriptions map[string]*subscription
	events        []*pb.Event // the last eventsMax
	last          uint64      // number of the newest
}

// subscription is a peer with a lease.
type subscription struct {
	pid       *actor.PID
	every     time.Duration
	until     time.Time
	lastEvent uint64 // number of the last event that was sent
	number    uint64 // of the last report
	round     uint64 // of the timer; a timer of an earlier round is void
}

// reportDue asks for the next report of a subscription.
type reportDue struct {
	key   string
	round uint64
}

// reported carries the engine's status for a report.
type reported struct {
	key    string
	status actors.Status
}

// Receive implements actor.Actor.
func (e *endpoint) Receive(ctx actor.Context) {
	defer func() {
		if r := recover(); r != nil { // a bug must not end the endpoint
			if e.o.Interceptor != nil {
				e.o.Interceptor.rejectFrom("an endpoint", "panic", fmt.Sprint(r))
			}
		}
	}()
	switch m := ctx.Message().(type) {
	case *actor.Started:
		e.subscriptions = map[string]*subscription{}
		if e.o.Interceptor != nil {
			e.o.Interceptor.endpoint(ctx.Self().Id, true)
		}
		ctx.Watch(e.engine)
		ctx.Request(e.engine, actors.Subscribe{})
	case *actor.Terminated:
		e.end(ctx)
	case *actor.Stopping:
		if e.o.Interceptor != nil {
			e.o.Interceptor.removeEndpoint(ctx.Self().Id)
		}
	case actors.EngineEvent:
		e.happened(m)
	case *pb.Request:
		e.request(ctx, m)
	case reportDue:
		e.report(ctx, m)
	case reported:
		if w := e.subscriptions[m.key]; w != nil {
			// Without room for this report, the next one has the events.
			if e.o.Interceptor == nil || e.o.Interceptor.mayAnswer(w.pid.Address) {
				ctx.Send(w.pid, e.reportFor(w, statusOf(e.engine.Id, m.status)))
			}
		}
	}
}

// happened stores an event for the subscriptions.
func (e *endpoint) happened(h actors.EngineEvent) {
	e.last++
	level := pb.Event_INFO
	switch l := h.Event.Level(); {
	case l >= 8:
		level = pb.Event_ERROR
	case l >= 4:
		level = pb.Event_WARN
	}
	e.events = append(e.events, &pb.Event{
		Number: e.last, UnixNs: time.Now().UnixNano(), Level: level,
		Kind: reflect.TypeOf(h.Event).Name(), Text: h.Event.String(),
	})
	if len(e.events) > eventsMax {
		e.events = append(e.events[:0:0], e.events[1:]...) // a report that is being sent holds the old slice
	}
}

// request checks the sender's role and carries out the request.
func (e *endpoint) request(ctx actor.Context, r *pb.Request) {
	answer := e.answer(ctx, r.Id)
	role, unknown := e.role(ctx, r)
	switch need := needs(r); {
	case unknown != "":
		answer(refused(pb.Refused_UNKNOWN, "unknown message %s: send a chronus.v1.Request", unknown))
	case r.Version != pb.Version:
		answer(refused(pb.Refused_VERSION, "version %d of the protocol; this engine has version %d",
			r.Version, pb.Version))
	case r.Do == nil:
		answer(refused(pb.Refused_UNKNOWN, "unknown request: this engine does not know its kind"))
	case role < need:
		if e.o.Interceptor != nil {
			e.o.Interceptor.rejectFrom(peerOf(ctx), "role", fmt.Sprintf("%T needs %v", r.Do, need))
		}
		answer(refused(pb.Refused_FORBIDDEN, "request needs the role %v; the sender has the role %v", need, role))
	default:
		e.carryOut(ctx, r, answer)
	}
}

func peerOf(ctx actor.Context) string {
	if s := ctx.Sender(); s != nil {
		return s.Address
	}
	return "unknown"
}

// role returns the sender's role: the higher of the one that the interceptor marked and that of the
// token. unknown is the type of a message that the interceptor replaced, if any.
func (e *endpoint) role(ctx actor.Context, r *pb.Request) (role Role, unknown string) {
	if e.o.Interceptor != nil {
		mark := ctx.MessageHeader().Get(roleHeader)
		if mark == "" { // an unmarked message comes from this program
			return Operate, ""
		}
		if name, ok := strings.CutPrefix(mark, e.o.Interceptor.nonce); ok {
			if waiting := e.o.Interceptor.endpoint(ctx.Self().Id, false); waiting != nil {
				waiting.Add(-1)
			}
			role, _ = ParseRole(name)
			unknown = ctx.MessageHeader().Get(unknownHeader)
		}
	}
	if named, ok := e.o.Tokens.role(r.Token); ok && r.Token != "" {
		role = max(role, named)
	}
	return role, unknown
}

// answer returns a function that replies to the sender of the current message. Any goroutine may
// call it.
func (e *endpoint) answer(ctx actor.Context, id uint64) func(*pb.Reply) {
	root, to := ctx.ActorSystem().Root, ctx.Sender()
	return func(r *pb.Reply) {
		if to == nil {
			return
		}
		if r.Version, r.Id = pb.Version, id; e.o.Interceptor == nil || e.o.Interceptor.mayAnswer(to.Address) {
			root.Send(to, r)
		}
	}
}

func refused(code pb.Refused_Code, format string, args ...any) *pb.Reply {
	return &pb.Reply{What: &pb.Reply_Refused{Refused: &pb.Refused{Code: code, Reason: fmt.Sprintf(format, args...)}}}
}

func done() *pb.Reply { return &pb.Reply{What: &pb.Reply_Done{Done: &pb.Done{}}} }

func (e *endpoint) carryOut(ctx actor.Context, r *pb.Request, answer func(*pb.Reply)) {
	switch do := r.Do.(type) {
	case *pb.Request_Watch:
		answer(e.watch(ctx, do.Watch))
		return
	case *pb.Request_Unwatch:
		if ctx.Sender() != nil {
			delete(e.subscriptions, key(ctx.Sender()))
		}
		answer(done())
		return
	}
	request, err := e.translate(r)
	if err != nil {
		answer(refused(pb.Refused_INVALID, "%v", err))
		return
	}
	ctx.Send(e.engine, actors.Forwarded{Request: request, Answer: func(a any) { answer(e.reply(a)) }})
}

// reply converts the engine's answer to its message.
func (e *endpoint) reply(a any) *pb.Reply {
	switch a := a.(type) {
	case actors.Done:
		return done()
	case actors.Refused:
		return refused(pb.Refused_Code(a.Code), "%s", a.Reason)
	case actors.Status:
		return &pb.Reply{What: &pb.Reply_Status{Status: statusOf(e.engine.Id, a)}}
	case actors.PatchDone:
		done := &pb.PatchDone{Commit: a.Commit.Number, Block: a.Commit.Block}
		return &pb.Reply{What: &pb.Reply_PatchDone{PatchDone: done}}
	case actors.TapeDone:
		return &pb.Reply{What: &pb.Reply_TapeDone{TapeDone: &pb.TapeDone{Name: baseName(a.Path), Bytes: a.Bytes}}}
	}
	return refused(pb.Refused_UNAVAILABLE, "unknown answer of the engine: %T", a)
}

func key(pid *actor.PID) string { return pid.Address + "/" + pid.Id }

// watch starts, renews or changes a subscription.
func (e *endpoint) watch(ctx actor.Context, m *pb.Watch) *pb.Reply {
	every, lease := time.Duration(m.EveryMs)*time.Millisecond, time.Duration(m.LeaseMs)*time.Millisecond
	if every == 0 {
		every = stdEvery
	}
	if lease == 0 {
		lease = stdLease
	}
	if every < 50*time.Millisecond || every > time.Minute || lease < time.Second || lease > time.Minute {
		return refused(pb.Refused_INVALID,
			"watch every %v with a lease of %v: want 50 ms to 1 min, and 1 s to 1 min", every, lease)
	}
	who := ctx.Sender()
	if who == nil {
		return done() // without a sender, reports have no destination
	}
	k := key(who)
	w := e.subscriptions[k]
	if w == nil {
		if len(e.subscriptions) >= subscriptionsMax {
			return refused(pb.Refused_UNAVAILABLE, "%d peers watch already, which is the limit", subscriptionsMax)
		}
		w = &subscription{pid: who, lastEvent: e.last}
		if m.AfterEvent > 0 {
			w.lastEvent = min(m.AfterEvent, e.last)
		}
		e.subscriptions[k] = w
	}
	again := w.every == every && time.Now().Before(w.until)
	w.every, w.until = every, time.Now().Add(lease)
	if !again {
		w.round++
		e.report(ctx, reportDue{k, w.round})
	}
	return done()
}

// report sends a report and schedules the next, until the lease ends.
func (e *endpoint) report(ctx actor.Context, m reportDue) {
	w := e.subscriptions[m.key]
	if w == nil || w.round != m.round {
		return
	}
	if time.Now().After(w.until) {
		delete(e.subscriptions, m.key)
		return
	}
	root, self := ctx.ActorSystem().Root, ctx.Self()
	ctx.Send(e.engine, actors.Forwarded{Request: actors.GetStatus{}, Answer: func(a any) {
		if st, ok := a.(actors.Status); ok {
			root.Send(self, reported{m.key, st})
		}
	}})
	time.AfterFunc(w.every, func() { root.Send(self, m) })
}

func (e *endpoint) reportFor(w *subscription, st *pb.Status) *pb.Report {
	w.number++
	now := time.Now()
	r := &pb.Report{
		Version: pb.Version, Number: w.number, Status: st, LastEvent: e.last,
		MonotonicNs: int64(now.Sub(e.began)), UnixNs: now.UnixNano(),
	}
	for _, ev := range e.events {
		if ev.Number > w.lastEvent {
			r.Events = append(r.Events, ev)
		}
	}
	r.LostEvents = e.last - w.lastEvent - uint64(len(r.Events))
	w.lastEvent = e.last
	return r
}

// end reports the engine's end to all subscriptions.
func (e *endpoint) end(ctx actor.Context) {
	for _, w := range e.subscriptions {
		r := e.reportFor(w, nil)
		r.Ended = true
		ctx.Send(w.pid, r)
	}
	ctx.Stop(ctx.Self())
}
