package remote

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/pb"
	"github.com/music-chronus/chronus/actors/report"
)

// standIn answers like an engine's actor.
type standIn struct {
	boot    string
	asked   chan any
	refuses error
	clock   atomic.Uint64
	teller  *actor.PID
}

// Receive implements actor.Actor.
func (s *standIn) Receive(ctx actor.Context) {
	request, answer := actors.RequestOf(ctx)
	switch m := request.(type) {
	case *actor.Started, *actor.Stopping, *actor.Stopped, *actor.Terminated:
	case actors.Subscribe:
		s.teller = ctx.Sender()
	case actors.EngineEvent:
		ctx.Send(s.teller, m)
	case actors.GetStatus:
		answer(actors.Status{BootID: s.boot, Clock: s.clock.Add(1), OutputStatus: report.OutputStatus{Rate: 48000, Block: 64}, Redundant: true, Workers: []report.WorkerStatus{{Slot: 1, Load: 0.5}}})
	default:
		select {
		case s.asked <- m:
		default:
		}
		if s.refuses != nil {
			answer(actors.Refused{Code: actors.RefusedUnavailable, Reason: s.refuses.Error()})
			return
		}
		answer(actors.Done{})
	}
}

// node starts a node that ends with the test.
func node(t *testing.T, o Options) *Node {
	t.Helper()
	if o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	n, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

// opened starts a stand-in with an endpoint.
func opened(t *testing.T, n *Node, name string) (*standIn, *actor.PID) {
	t.Helper()
	s := &standIn{boot: fmt.Sprint("boot of ", name), asked: make(chan any, 100)}
	pid, err := n.system.Root.SpawnNamed(actor.PropsFromProducer(func() actor.Actor { return s }), name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(n.system, pid, EndpointOptions{Interceptor: n.interceptor, Tokens: n.tokens, TapeDir: n.o.TapeDir}); err != nil {
		t.Fatal(err)
	}
	return s, pid
}

func ctxFor(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// askFor sends one request and names the reply: done, status, or the code of a refusal.
func askFor(t *testing.T, from *Node, to, name string, r *pb.Request) string {
	t.Helper()
	reply, err := from.Ask(ctxFor(t, 10*time.Second), to, name, r)
	var f RefusedError
	switch {
	case errors.As(err, &f):
		return f.Code.String() + ": " + f.Reason
	case err != nil:
		return err.Error()
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", reply.What), "*pb.Reply_")
}

// Every kind of request reaches the engine, and every kind of answer the sender.
func TestRequests(t *testing.T) {
	dir := t.TempDir()
	server, client := node(t, Options{TapeDir: dir}), node(t, Options{})
	s, _ := opened(t, server, "chronus")
	number := func(v float64) *pb.Arg { return &pb.Arg{Value: &pb.Arg_Number{Number: v}} }
	for _, tt := range []struct {
		request *pb.Request
		asked   string // by the engine; "": it is not
		want    string
	}{
		{&pb.Request{Do: &pb.Request_GetStatus{GetStatus: &pb.GetStatus{}}}, "", "Status"},
		{&pb.Request{Do: &pb.Request_NoteOn{NoteOn: &pb.NoteOn{Group: "a", Key: 60, Velocity: 0.5}}}, "{a 60 0.5}", "Done"},
		{&pb.Request{Do: &pb.Request_NoteOff{NoteOff: &pb.NoteOff{Key: 60}}}, "{ 60}", "Done"},
		{&pb.Request{Do: &pb.Request_NoteOff{NoteOff: &pb.NoteOff{All: true}}}, "{ -1}", "Done"},
		{&pb.Request{Do: &pb.Request_NoteOff{NoteOff: &pb.NoteOff{Key: -4}}}, "", "INVALID: note -4"},
		{&pb.Request{Do: &pb.Request_NoteOn{}}, "{ 0 0}", "Done"},
		{&pb.Request{Do: &pb.Request_SetParam{SetParam: &pb.SetParam{Node: "f", Param: "mode", Word: "lp"}}}, "{f mode 0 lp}", "Done"},
		{&pb.Request{Do: &pb.Request_SetGate{SetGate: &pb.SetGate{Node: "e", Level: 1}}}, "{e 1}", "Done"},
		{&pb.Request{Do: &pb.Request_Send{Send: &pb.Send{Address: "/x", Args: []*pb.Arg{number(2), {Value: &pb.Arg_Text{Text: "on"}}}}}}, "{/x [2 on]}", "Done"},
		{&pb.Request{Do: &pb.Request_Send{Send: &pb.Send{Address: "/x", Args: []*pb.Arg{{}}}}}, "", "INVALID: argument 1"},
		{&pb.Request{Do: &pb.Request_Transport{Transport: &pb.Transport{Do: pb.Transport_START}}}, "{1}", "Done"},
		{&pb.Request{Do: &pb.Request_Mute{Mute: &pb.Mute{On: true}}}, "{true}", "Done"},
		{&pb.Request{Do: &pb.Request_Flip{Flip: &pb.Flip{}}}, "{}", "Done"},
		{&pb.Request{Do: &pb.Request_NewPatch{NewPatch: &pb.NewPatch{Name: "n", Text: "x"}}}, "{n [120]}", "Done"},
		{&pb.Request{Do: &pb.Request_NewPatch{NewPatch: &pb.NewPatch{Text: strings.Repeat("x", maxPatch+1)}}}, "", "INVALID: patch of 262145 bytes"},
		{&pb.Request{Do: &pb.Request_BeginTape{BeginTape: &pb.BeginTape{Name: "a"}}}, "{" + dir + "/a}", "Done"},
		{&pb.Request{Do: &pb.Request_BeginTape{BeginTape: &pb.BeginTape{Name: "../a"}}}, "", "INVALID: tape name \"../a\""},
		{&pb.Request{Do: &pb.Request_BeginTape{BeginTape: &pb.BeginTape{Name: ".."}}}, "", "INVALID"},
		{&pb.Request{Do: &pb.Request_EndTape{}}, "{}", "Done"},
		{&pb.Request{}, "", "UNKNOWN"},
	} {
		got := askFor(t, client, server.Address(), "", tt.request)
		asked := ""
		select {
		case m := <-s.asked:
			asked = fmt.Sprint(m)
		default:
		}
		if asked != tt.asked || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%v: asked %q, want %q; %q, want %q", tt.request, asked, tt.asked, got, tt.want)
		}
	}
	s.refuses = errors.New("not now")
	if got := askFor(t, client, server.Address(), "", &pb.Request{Do: &pb.Request_Flip{}}); got != "UNAVAILABLE: not now" {
		t.Error(got)
	}
	if got := askFor(t, client, server.Address(), "nobody", &pb.Request{Do: &pb.Request_Flip{}}); !strings.Contains(got, `no engine called "nobody"`) {
		t.Error(got)
	}
	if got := askFor(t, client, "127.0.0.1:1", "", &pb.Request{Do: &pb.Request_Flip{}}); !strings.Contains(got, "127.0.0.1:1") {
		t.Error(got)
	}
}

// heard collects the news of a followed engine.
type heard struct {
	mu   sync.Mutex
	news []News
}

func (h *heard) tell(n News) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.news = append(h.news, n)
}

// until drops news until one is as wanted, and returns it.
func (h *heard) until(t *testing.T, what string, ok func(News) bool) News {
	t.Helper()
	for began := time.Now(); time.Since(began) < 30*time.Second; time.Sleep(time.Millisecond) {
		h.mu.Lock()
		for i, n := range h.news {
			if ok(n) {
				h.news = h.news[i+1:]
				h.mu.Unlock()
				return n
			}
		}
		h.mu.Unlock()
	}
	t.Fatalf("it is not told: %s", what)
	return News{}
}

func lives(n News) bool { return n.Report != nil }
func lost(n News) bool  { return n.Lost != "" }

// Two watchers of one engine each get every event once, in order. The end of one does not disturb
// the other. The engine's end is reported with its reason.
func TestFollow(t *testing.T) {
	server := node(t, Options{})
	s, pid := opened(t, server, "one")
	hears := []*heard{{}, {}}
	var stops []func()
	for _, h := range hears {
		stops = append(stops, node(t, Options{}).Follow(Target{Address: server.Address(), Name: "one", Every: 50 * time.Millisecond}, h.tell))
		if r := h.until(t, "a report", lives).Report; r.Status.BootId != s.boot || r.Status.Name != "one" || r.Number == 0 || r.Status.Workers[0].Load != 0.5 {
			t.Errorf("%v", r)
		}
	}
	for i := range 3 {
		server.system.Root.Send(pid, actors.EngineEvent{Engine: pid, Event: report.Flipped{From: i, To: 1, Epoch: 7, Cause: "a test"}})
	}
	for _, h := range hears {
		next := uint64(1)
		for next <= 3 {
			r := h.until(t, "events", func(n News) bool { return n.Report != nil && len(n.Report.Events) > 0 }).Report
			for _, e := range r.Events {
				if e.Number != next || e.Kind != "Flipped" || !strings.HasPrefix(e.Text, fmt.Sprintf("flipped from worker %d", e.Number-1)) || r.LostEvents != 0 {
					t.Errorf("%v where event %d should be, %d lost", e, next, r.LostEvents)
				}
				next++
			}
		}
	}
	stops[0]()
	hears[1].until(t, "a report", lives)
	server.system.Root.Stop(pid)
	if why := hears[1].until(t, "its end", lost).Lost; why != "engine stopped" {
		t.Error(why)
	}
	opened(t, server, "one")
	hears[1].until(t, "it is there again", lives)
	stops[1]()
}

// A report counts the events that the endpoint no longer has.
func TestLostEvents(t *testing.T) {
	server := node(t, Options{})
	_, pid := opened(t, server, "chronus")
	h := &heard{}
	defer node(t, Options{}).Follow(Target{Address: server.Address(), Every: time.Second}, h.tell)()
	h.until(t, "a report", lives)
	const more = 50
	for range eventsMax + more {
		server.system.Root.Send(pid, actors.EngineEvent{Engine: pid, Event: report.WorkerKilled{}})
	}
	r := h.until(t, "events", func(n News) bool { return n.Report != nil && n.Report.LastEvent == eventsMax+more }).Report
	if len(r.Events) != eventsMax || r.LostEvents != more {
		t.Errorf("%d events, %d lost", len(r.Events), r.LostEvents)
	}
}

// A subscription ends with its lease. A second Watch of the same sender changes the first.
func TestLease(t *testing.T) {
	if testing.Short() {
		t.Skip("waits 3 s for the end of a lease")
	}
	server, client := node(t, Options{}), node(t, Options{})
	opened(t, server, "chronus")
	var reports atomic.Int64
	self := client.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*pb.Report); ok {
			reports.Add(1)
		}
	}))
	watch := &pb.Request{Version: pb.Version, Do: &pb.Request_Watch{Watch: &pb.Watch{EveryMs: 100, LeaseMs: 1000}}}
	for range 10 {
		client.system.Root.RequestWithCustomSender(EndpointPID(server.Address(), ""), watch, self)
	}
	last := int64(-1)
	for began := time.Now(); last != reports.Load(); time.Sleep(1500 * time.Millisecond) {
		if last = reports.Load(); time.Since(began) > 20*time.Second {
			t.Fatal("the reports go on without a lease")
		}
	}
	if last < 2 || last > 12 {
		t.Errorf("%d reports came in a lease of a second, one each 100 ms", last)
	}
}
