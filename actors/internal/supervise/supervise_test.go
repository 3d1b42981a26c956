package supervise_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/supervise"
)

var errLost, errStopped = errors.New("lost"), errors.New("stopped")

// A request is answered once: by the tree that had it, or as lost with that tree. A request that
// arrives during a restart goes to the next tree, in order.
func TestPending(t *testing.T) {
	var p supervise.Pending
	var sent, refused []string
	answers := map[string]func(){}
	ask := func(name string) {
		p.Do(func(answered func()) {
			sent = append(sent, name)
			answers[name] = answered
		}, func(err error) { refused = append(refused, fmt.Sprint(name, " ", errors.Is(err, errLost))) })
	}
	expect := func(wantSent, wantRefused []string, open int) {
		t.Helper()
		if !slices.Equal(sent, wantSent) || !slices.Equal(refused, wantRefused) || p.Len() != open {
			t.Errorf("sent %v, refused %v, open %d; want %v, %v, %d", sent, refused, p.Len(), wantSent, wantRefused, open)
		}
		sent, refused = nil, nil
	}
	ask("a")
	ask("b")
	answers["a"]()
	answers["a"]() // as for a command that proves to be poison
	expect([]string{"a", "b"}, nil, 1)
	p.Pause()
	ask("c")
	ask("d")
	expect(nil, nil, 3)
	p.Fail(false, errLost)
	expect(nil, []string{"b true"}, 2)
	ask("e")
	p.Resume()
	expect([]string{"c", "d", "e"}, nil, 3)
	answers["d"]()
	p.Pause()
	ask("f")
	p.Fail(true, errStopped)
	expect(nil, []string{"c false", "e false", "f false"}, 0)
}

func TestDelayDoublesUpToTheMost(t *testing.T) {
	const first, most = 5 * time.Millisecond, 2 * time.Second
	for n, want := range []time.Duration{0, first, 2 * first, 4 * first} {
		if got := supervise.Delay(first, most, n); got != want {
			t.Errorf("%d failures: %v, want %v", n, got, want)
		}
	}
	for _, n := range []int{10, 100, 1 << 30} {
		if got := supervise.Delay(first, most, n); got != most {
			t.Errorf("%d failures: %v, want %v", n, got, most)
		}
	}
}

func TestBackoffForgetsFailuresOnceReady(t *testing.T) {
	b := supervise.Backoff{First: 20 * time.Millisecond, Most: 50 * time.Millisecond}
	var got []time.Duration
	for _, ready := range []bool{true, false, false, false, true, false} {
		got = append(got, b.Ended(ready)/time.Millisecond)
	}
	if want := []time.Duration{0, 20, 40, 50, 0, 20}; !slices.Equal(got, want) {
		t.Errorf("%v ms, want %v ms", got, want)
	}
}

// fragile panics for each string that it receives.
type fragile struct{ started chan struct{} }

func (f fragile) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		f.started <- struct{}{}
	case string:
		panic(m)
	}
}

type parent struct{ child *actor.Props }

func (p parent) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		if _, err := ctx.SpawnNamed(p.child, "child"); err != nil {
			panic(err)
		}
	case string:
		ctx.Send(ctx.Children()[0], m)
	}
}

// A child is restarted after every failure, the first time at once.
func TestForeverRestarts(t *testing.T) {
	type failure struct {
		child  string
		reason any
		delay  time.Duration
	}
	failures, started := make(chan failure, 20), make(chan struct{}, 20)
	s := &supervise.Forever{
		First: time.Millisecond, Most: 4 * time.Millisecond, Window: time.Minute,
		Failed: func(child string, reason any, delay time.Duration) { failures <- failure{child, reason, delay} },
	}
	system := actor.NewActorSystem()
	defer system.Shutdown()
	child := actor.PropsFromProducer(func() actor.Actor { return fragile{started} })
	pid, err := system.Root.SpawnNamed(
		actor.PropsFromProducer(func() actor.Actor { return parent{child} }, actor.WithSupervisor(s)), "parent")
	if err != nil {
		t.Fatal(err)
	}
	await := func() {
		t.Helper()
		select {
		case <-started:
		case <-time.After(10 * time.Second):
			t.Fatal("the child did not start")
		}
	}
	await()
	for _, delay := range []time.Duration{0, 1, 2, 4, 4, 4} {
		system.Root.Send(pid, "a test")
		if got, want := <-failures, (failure{"parent/child", "a test", delay * time.Millisecond}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		await()
	}
}
