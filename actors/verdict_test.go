package actors

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/shm"
)

// Who asks for a change that is left out is told so once, whenever it is known, and however many workers end of it.
func TestVerdict(t *testing.T) {
	bad, other := errors.New("left out"), errors.New("too late")
	for _, tt := range []struct {
		what string
		do   func(v *verdict) error // what change returns
		want string
	}{
		{"good", func(v *verdict) error { return v.give(nil) }, "[<nil>]"},
		{"refused", func(v *verdict) error { return v.give(other) }, "[too late]"},
		{"left out meanwhile", func(v *verdict) error { v.leftOut(bad); return v.give(nil) }, "[left out]"},
		{"left out meanwhile, and noticed", func(v *verdict) error { v.leftOut(bad); return v.give(other) }, "[too late]"},
		{"left out afterwards", func(v *verdict) error { err := v.give(nil); v.leftOut(bad); v.leftOut(bad); return err }, "[left out <nil>]"},
		{"given up, and left out afterwards", func(v *verdict) error { err := v.give(other); v.leftOut(bad); return err }, "[too late]"},
	} {
		var told []error
		v := &verdict{answer: func(err error) { told = append(told, err) }}
		told = append(told, tt.do(v))
		if got := fmt.Sprint(told); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.what, got, tt.want)
		}
	}
}

// A change that ends the worker that plays it is an error of who asked for it, and nobody is told again by the engine that finds out; a command that was left
// out with it is told of once, though two workers ended there.
func TestLeftOutIsToldOnce(t *testing.T) {
	r := withPlans(t, 2)
	r.control.SetTransport(shm.Play)
	told := make(chan string, 10)
	if _, err := r.put([]commandlog.Request{{Commands: []shm.Command{{Op: shm.OpGate, Node: 1, Value: 1, Plan: 1}}, Requester: commandlog.RequesterFunc(func(err error) { told <- "command " + err.Error() })}}); err != nil {
		t.Fatal(err)
	}
	changed := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := r.change(ctx, "second", []byte(secondPatch), false, func(err error) { told <- "change " + err.Error() })
		changed <- err
	}()
	for began, in := time.Now(), false; !in; time.Sleep(time.Millisecond) {
		r.mu.Lock()
		for _, s := range r.slots {
			if n, _ := s.ring.Commands().RequestedPlan(); n > 0 {
				s.ring.Commands().ReportPlan(n, nil)
			}
		}
		in = r.log.Last() == 2
		r.mu.Unlock()
		if time.Since(began) > 10*time.Second {
			t.Fatal("it is not commanded")
		}
	}
	r.mu.Lock()
	r.journal.ReplaceDecision(12, 2)
	leaveOut(t, r, 12)
	r.poison.suspects = []offence{{block: 12, own: true}, {block: 12, own: true}}
	r.clearSuspects(13)
	again := 0
	for _, c := range r.log.Commands() {
		if r.log.TakeRequester(c.Seq) != nil {
			again++
		}
	}
	r.poison.top = 13
	r.mu.Unlock()
	if err := <-changed; err == nil || !strings.Contains(err.Error(), "quarantined") {
		t.Error(err)
	}
	if got := <-told; !strings.HasPrefix(got, "command quarantined") || again != 0 {
		t.Errorf("%s; %d can be told again", got, again)
	}
	select {
	case got := <-told:
		t.Errorf("it is told again: %s", got)
	case <-time.After(20 * time.Millisecond): // what was told would have been by now
	}
}
