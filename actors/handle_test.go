package actors

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/ask"
)

// standIn is an actor in the place of an engine's, which answers what it is told to, when it is.
func standIn(t *testing.T) (h Handle, asked chan func(any)) {
	t.Helper()
	system := actor.NewActorSystem()
	t.Cleanup(system.Shutdown)
	asked = make(chan func(any), 1)
	pid := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if ctx.Sender() != nil {
			asked <- ask.AnswerTo(ctx)
		}
	}))
	return NewHandle(system, pid), asked
}

// A slow answer is awaited until it comes, the engine ends, or the caller cancels; with a
// deadline, no longer than that.
func TestHandleWaits(t *testing.T) {
	done := PatchDone{Commit{Number: 7}}
	for _, tt := range []struct {
		what string
		do   func(h Handle, answer func(any), cancel func())
		want func(c Commit, err error) bool
	}{
		{"answered", func(_ Handle, answer func(any), _ func()) { answer(done) }, func(c Commit, err error) bool { return err == nil && c.Number == 7 }},
		{"refused", func(_ Handle, answer func(any), _ func()) { answer(Refused{RefusedInvalid, "no"}) }, func(_ Commit, err error) bool {
			return errors.Is(err, Refused{RefusedInvalid, "no"})
		}},
		{"the engine ends", func(h Handle, _ func(any), _ func()) { h.root.Stop(h.pid) }, func(_ Commit, err error) bool {
			var r Refused
			return errors.As(err, &r) && r.Code == RefusedStopped
		}},
		{"given up", func(_ Handle, _ func(any), cancel func()) { cancel() }, func(_ Commit, err error) bool { return errors.Is(err, context.Canceled) }},
	} {
		h, asked := standIn(t)
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		go func() { tt.do(h, <-asked, cancel) }()
		if c, err := h.NewPatch(ctx, "a", nil); !tt.want(c, err) || time.Since(began) > requestWait {
			t.Errorf("%s: %v, %v after %v", tt.what, c, err, time.Since(began))
		}
		cancel()
	}
	h, _ := standIn(t)
	h.root.Stop(h.pid)
	var r Refused
	if _, err := h.EndTape(t.Context()); !errors.As(err, &r) || r.Code != RefusedStopped {
		t.Errorf("an engine that has ended: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	h, _ = standIn(t)
	if _, err := h.NewPatch(ctx, "a", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a deadline: %v", err)
	}
}

// Without a deadline only what lasts is waited for without end.
func TestPatience(t *testing.T) {
	soon, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	for _, tt := range []struct {
		request     any
		least, most time.Duration // with a deadline in an hour
		without     time.Duration
	}{
		{NewPatch{}, time.Hour - time.Minute, time.Hour, -1}, {EndTape{}, time.Hour - time.Minute, time.Hour, -1},
		{NoteOn{}, time.Hour - time.Minute, time.Hour, requestWait}, {GetStatus{}, time.Hour - time.Minute, time.Hour, requestWait},
	} {
		with := patience(soon, tt.request)
		if without := patience(t.Context(), tt.request); without != tt.without || with < tt.least || with > tt.most {
			t.Errorf("%T: %v, with a deadline %v", tt.request, without, with)
		}
	}
}
