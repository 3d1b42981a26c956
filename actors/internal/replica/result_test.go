package replica

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/fault"
	"github.com/music-chronus/chronus/actors/internal/patching"
	"github.com/music-chronus/chronus/shm"
)

// The requester of a change that crashes workers gets the error of Change, and no second answer.
// The sender of a command that is left out with the change is answered once, though two workers
// crashed.
func TestLeftOutIsToldOnce(t *testing.T) {
	r := withPlans(t, 2)
	r.mem.Control.SetTransport(shm.Play)
	told := make(chan string, 10)
	if _, err := r.put([]commandlog.Request{{Commands: []shm.Command{{Op: shm.OpGate, Node: 1, Value: 1, Plan: 1}}, Requester: commandlog.RequesterFunc(func(err error) { told <- "command " + err.Error() })}}); err != nil {
		t.Fatal(err)
	}
	changed := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := patching.New(r, r.cfg.Timeouts, ErrStopped).Change(ctx, "second", []byte(secondPatch), false, func(err error) { told <- "change " + err.Error() })
		changed <- err
	}()
	for began, in := time.Now(), false; !in; time.Sleep(time.Millisecond) {
		r.mu.Lock()
		for _, s := range r.slots {
			if n, _ := s.Ring.Commands().RequestedPlan(); n > 0 {
				s.Ring.Commands().ReportPlan(n, nil)
			}
		}
		in = r.log.Last() == 2
		r.mu.Unlock()
		if time.Since(began) > 10*time.Second {
			t.Fatal("it is not commanded")
		}
	}
	r.mu.Lock()
	r.mem.Journal.ReplaceDecision(12, 2)
	leaveOut(t, r, 12)
	for range 2 {
		r.fault.WorkerEnded(fault.Crash{Block: 12, OwnFault: true}, fault.Workers{Replicas: 2, Living: 1})
	}
	r.resolveCrashes(13)
	again := 0
	for _, c := range r.log.Commands() {
		if r.log.TakeRequester(c.Seq) != nil {
			again++
		}
	}
	r.fault.Published(13)
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
