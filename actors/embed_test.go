package actors_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/report"
)

// skipIfShort skips a test that starts an engine in a test run with -short.
func skipIfShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts an engine")
	}
}

// embed starts an engine among the actors of a program.
func embed(t *testing.T, host actors.Host, change ...func(*actors.Config)) *actors.Engine {
	t.Helper()
	skipIfShort(t)
	cfg := actors.Config{Backend: "null", Lead: testLead, Grace: time.Second}
	for _, f := range change {
		f(&cfg)
	}
	e, err := actors.Embed(t.Context(), host, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Stop)
	return e
}

// Two engines in one program, under its own actors: each plays, is killed, and tells its events
// apart from the other's; the program's actors and system go on after both have ended.
func TestEmbedTwo(t *testing.T) {
	system := actor.NewActorSystem()
	var pings atomic.Int64
	own, err := system.Root.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
		if ctx.Message() == "ping" {
			pings.Add(1)
			ctx.Respond("pong")
		}
	}), "own")
	if err != nil {
		t.Fatal(err)
	}
	engines := []*actors.Engine{embed(t, actors.Host{System: system, Name: "one"}), embed(t, actors.Host{System: system, Name: "two"})}
	heard := map[string]*atomic.Int64{"one": {}, "two": {}}
	sub := system.EventStream.Subscribe(func(m any) {
		if h, ok := m.(actors.EngineEvent); ok {
			if _, flipped := h.Event.(report.Flipped); flipped {
				heard[h.Engine.Id].Add(1)
			}
		}
	})
	defer system.EventStream.Unsubscribe(sub)
	for i, kills := range []int{3, 2} {
		e, before := engines[i], status(t, engines[i])
		taped(t, e, func() {
			if err := e.Handle().Gate(t.Context(), "adsr1", 1); err != nil {
				t.Fatal(err)
			}
			for range kills {
				st := until(t, e, "redundant", redundant)
				if _, err := e.Kill(syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
				until(t, e, "another is heard", func(now actors.Status) bool { return now.Active.Epoch > st.Active.Epoch && now.Redundant })
			}
		})
		if after := status(t, e); after.Concealed != before.Concealed {
			t.Errorf("engine %d: %d blocks concealed", i, after.Concealed-before.Concealed)
		}
		if id := e.PID().Id; heard[id].Load() != int64(kills) {
			t.Errorf("%s: %d flips were told of %d", id, heard[id].Load(), kills)
		}
		e.Stop()
		if _, err := e.Handle().Status(t.Context()); !errors.As(err, new(actors.Refused)) {
			t.Errorf("a request to an engine that has ended: %v", err)
		}
	}
	if got, err := system.Root.RequestFuture(own, "ping", time.Second).Result(); err != nil || got != "pong" || pings.Load() != 1 {
		t.Errorf("the program's actor answers %v, %v", got, err)
	}
	system.Shutdown() // it would panic had an engine done so
}

// Every request does what it says, and a wrong one is refused in words, with a code.
func TestRequests(t *testing.T) {
	e := embed(t, actors.Host{System: actor.NewActorSystem()}, func(c *actors.Config) { c.Patch = []byte(keysPatch) })
	h, ctx := e.Handle(), t.Context()
	path := filepath.Join(t.TempDir(), "a.tape")
	for _, tt := range []struct {
		do   func() error
		want string // "": it is done
		code actors.RefusedCode
	}{
		{do: func() error { return h.BeginTape(ctx, path) }},
		{do: func() error { return h.BeginTape(ctx, path) }, want: "end it first", code: actors.RefusedInvalid},
		{do: func() error { return h.NoteOn(ctx, "", 69, 0.9) }},
		{do: func() error { return h.NoteOn(ctx, "note", 72, 0.9) }},
		{do: func() error { return h.NoteOff(ctx, "", 72) }},
		{do: func() error { return h.NoteOn(ctx, "", 200, 0.9) }, want: "200", code: actors.RefusedInvalid},
		{do: func() error { return h.NoteOn(ctx, "brass", 60, 0.9) }, want: "/note/brass/on", code: actors.RefusedInvalid},
		{do: func() error { return h.Set(ctx, "osc", "gain", 0.5) }},
		{do: func() error { return h.Set(ctx, "osc", "gain", 500) }, want: "500", code: actors.RefusedInvalid},
		{do: func() error { return h.Set(ctx, "osc", "gian", 0.5) }, want: "gain", code: actors.RefusedInvalid},
		{do: func() error { return h.Gate(ctx, "osc", 1) }, want: "/gate/osc", code: actors.RefusedInvalid},
		{do: func() error { return h.Send(ctx, "/engine/amp", 0.5) }},
		{do: func() error { return h.Send(ctx, "engine/amp", 0.5) }, want: "must begin with /", code: actors.RefusedInvalid},
		{do: func() error { return h.Send(ctx, "/engine/amp", struct{}{}) }, want: "struct", code: actors.RefusedInvalid},
		{do: func() error { return h.Send(ctx, "/engine/status") }, want: "GetStatus", code: actors.RefusedInvalid},
		{do: func() error { return h.Transport(ctx, actors.TransportStart) }, want: "/seq/play", code: actors.RefusedInvalid},
		{do: func() error {
			_, err := h.NewPatch(ctx, "keys", []byte(strings.Replace(keysPatch, "gain: 0.6", "gain: 0.4", 1)))
			return err
		}},
		{do: func() error { _, err := h.NewPatch(ctx, "", []byte("nodes: [")); return err }, want: "", code: actors.RefusedInvalid},
		{do: func() error { return h.AllNotesOff(ctx, "") }},
		{do: func() error { _, err := h.Request(ctx, "hello"); return err }, want: "unknown request string", code: actors.RefusedUnknown},
		{do: func() error {
			from := status(t, e).Clock
			until(t, e, "plays", func(st actors.Status) bool { return st.Clock > from+40 })
			_, err := h.EndTape(ctx)
			return err
		}},
		{do: func() error { _, err := h.EndTape(ctx); return err }, want: "no tape", code: actors.RefusedInvalid},
	} {
		err := tt.do()
		var r actors.Refused
		if tt.code == 0 && err != nil || tt.code != 0 && (!errors.As(err, &r) || r.Code != tt.code || !strings.Contains(r.Reason, tt.want)) {
			t.Errorf("%v (%d), want %q (%d)", err, r.Code, tt.want, tt.code)
		}
	}
	tape, err := os.ReadFile(path)
	if err == nil {
		err = replay(bytes.NewReader(tape))
	}
	if err != nil {
		t.Error(err)
	}
}

const keysPatch = `version: 1
voices:
  count: 4
  nodes:
    - {id: osc, type: sine, params: {gain: 0.6}}
    - {id: env, type: adsr}
    - {id: vca, type: vca}
cables:
  - note.pitch > osc.pitch
  - env > vca.gain
  - osc > vca > out
`

// A flip that is asked for costs nothing, and is no failover; muting takes the sound away and
// brings it back as it was.
func TestFlipAndMute(t *testing.T) {
	e := embed(t, actors.Host{System: actor.NewActorSystem()})
	h := e.Handle()
	before := until(t, e, "redundant", redundant)
	taped(t, e, func() {
		if err := errors.Join(h.Set(t.Context(), "engine", "amp", 0.5), h.Gate(t.Context(), "adsr1", 1)); err != nil {
			t.Fatal(err)
		}
		until(t, e, "is heard", func(st actors.Status) bool { return st.Peak > 0.01 })
		for range 20 {
			st := until(t, e, "redundant", redundant)
			if err := h.Flip(t.Context()); err != nil {
				t.Fatal(err)
			}
			if now := status(t, e); now.Active.Slot == st.Active.Slot {
				t.Error("it did not flip")
			}
		}
		if err := h.Mute(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		until(t, e, "is muted", func(st actors.Status) bool { return st.Muted && st.Peak == 0 })
		if err := errors.Join(h.Mute(t.Context(), true), h.Mute(t.Context(), false)); err != nil {
			t.Fatal(err)
		}
		until(t, e, "is heard again", func(st actors.Status) bool { return !st.Muted && st.Peak > 0.01 })
	})
	after := status(t, e)
	if after.Flips != before.Flips+20 || after.FailoversTotal != before.FailoversTotal || after.Concealed != before.Concealed || after.NotesStarted != 1 || after.NotesHeld != 1 {
		t.Errorf("flips %d, failovers %d, concealed %d, notes %d, held %d", after.Flips-before.Flips, after.FailoversTotal-before.FailoversTotal,
			after.Concealed-before.Concealed, after.NotesStarted, after.NotesHeld)
	}
	load := 0.0
	for _, w := range until(t, e, "is weighed", func(st actors.Status) bool { return st.Workers[0].Load > 0 }).Workers {
		load += w.Load
	}
	if load > float64(len(after.Workers)) {
		t.Errorf("the workers take %.2f cores", load)
	}
}

// The engine's actor is a child of the program's: it ends with it, processes and files too. What
// subscribers get comes from that engine.
func TestEndsWithItsParent(t *testing.T) {
	system := actor.NewActorSystem()
	started := make(chan any, 1)
	dir := t.TempDir()
	parent := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			e, err := actors.Embed(context.Background(), actors.Host{System: system, Parent: ctx, Name: "synth"},
				actors.Config{Backend: "null", Lead: testLead, RuntimeDir: dir})
			if started <- e; err != nil {
				started <- err
			}
		}
	}))
	e, ok := (<-started).(*actors.Engine)
	if !ok || e == nil {
		t.Fatal(<-started)
	}
	if want := parent.Id + "/synth"; e.PID().Id != want {
		t.Errorf("its actor is %s, not %s", e.PID().Id, want)
	}
	statuses, events := make(chan actors.Status, 1000), make(chan actors.EngineEvent, 1000)
	ended := make(chan struct{})
	system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Started:
			ctx.Watch(e.PID())
			ctx.Request(e.PID(), actors.Subscribe{Every: 30 * time.Millisecond})
			ctx.Request(e.PID(), actors.Subscribe{Every: 25 * time.Millisecond})
		case actors.Status:
			statuses <- m
		case actors.EngineEvent:
			events <- m
		case *actor.Terminated:
			close(ended)
		}
	}))
	first, second := <-statuses, <-statuses
	if first.BootID == "" || first.BootID != second.BootID || second.Clock < first.Clock {
		t.Errorf("%+v, then %+v", first, second)
	}
	until(t, e, "redundant", redundant)
	if _, err := e.Kill(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for h := range events {
		if h.Engine.Id != e.PID().Id {
			t.Fatalf("an event of %s", h.Engine.Id)
		}
		if _, ok := h.Event.(report.WorkerEnded); ok {
			break
		}
	}
	pid := status(t, e).AudioPID
	system.Root.Stop(parent)
	<-ended
	e.Stop() // waits for what has begun
	if err := syscall.Kill(pid, 0); err == nil {
		t.Error("the audio process is still there")
	}
	if _, err := os.Stat(filepath.Join(dir, "engine.sock")); err == nil {
		t.Error("the socket is still there")
	}
}

// A place that is taken, a system that is none, a program that cannot be a worker: errors, and
// nothing is left behind.
func TestEmbedRefused(t *testing.T) {
	system := actor.NewActorSystem()
	if _, err := system.Root.SpawnNamed(actor.PropsFromFunc(func(actor.Context) {}), "taken"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	for _, tt := range []struct {
		host actors.Host
		cfg  actors.Config
		want string
	}{
		{actors.Host{}, actors.Config{}, "actor system"},
		{actors.Host{System: system, Name: "taken"}, actors.Config{}, "another Host.Name"},
		{actors.Host{System: system}, actors.Config{Binary: "/nowhere/chronus"}, "Config.Binary"},
		{actors.Host{System: system}, actors.Config{Binary: os.DevNull}, "is no program"},
		{actors.Host{System: system}, actors.Config{Backend: "nothing"}, "backend"},
		{actors.Host{System: system}, actors.Config{Lead: 1}, "lead"},
	} {
		if tt.cfg.Backend == "" {
			tt.cfg.Backend = "null"
		}
		e, err := actors.Embed(t.Context(), tt.host, tt.cfg)
		if err == nil {
			e.Stop()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %q", err, tt.want)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
		t.Error(fmt.Sprint(left, err))
	}
}
