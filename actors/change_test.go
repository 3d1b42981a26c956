package actors_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors"
)

// plainPatch is bombPatch without the bomb.
var plainPatch = strings.Replace(strings.Replace(bombPatch, "  - {id: bomb1, type: bomb}\n", "", 1), "fuel > bomb1 > out", "fuel > out", 1)

func change(e *actors.Engine, text string) (actors.Commit, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return e.Patch(ctx, "changed", []byte(text), false)
}

// A patch that ends whoever loads it, by a panic, by the end of the process, or by never coming to
// an end, is refused before anybody plays it; one that ends the worker that plays it is left out by
// the next, and the patch before plays on. No block is concealed in any of these.
func TestPoisonPatch(t *testing.T) {
	for _, tt := range []struct{ name, params, wants string }{
		{"panic at load", "{kind: panic}", "panicked while it was created: a bomb"},
		{"exit at load", "{kind: exit}", "3 workers ended while they made it ready"},
		{"hang at load", "{kind: hang}", "has not made it ready within"},
		{"panic in its first block", "{fuse: 0.0005, kind: panic}", "quarantined"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := start(t, withPatch(plainPatch))
			bad := strings.Replace(bombPatch, "type: bomb}", "type: bomb, params: "+tt.params+"}", 1)
			before := status(t, e)
			taped(t, e, func() {
				if _, err := change(e, bad); err == nil || !strings.Contains(err.Error(), tt.wants) {
					t.Errorf("%v, want %q", err, tt.wants)
				}
				until(t, e, "redundant", redundant)
				if tt.wants == "quarantined" {
					until(t, e, "told", func(st actors.Status) bool { return said(st, "patch changed", "is left out; bombs plays on") })
					if _, err := change(e, bad); err == nil || !strings.Contains(err.Error(), "has ended workers") {
						t.Errorf("the same again: %v", err)
					}
				}
				c, err := change(e, strings.Replace(plainPatch, "fuel > out", "fuel > more > out", 1)+"  \n")
				if err == nil {
					t.Errorf("a node that there is not was taken: %+v", c)
				}
				if c, err = change(e, strings.Replace(plainPatch, "  - {id: fuel,", "  - {id: more, type: delay}\n  - {id: fuel,", 1)); err != nil || c.Frame == 0 {
					t.Errorf("%+v, %v", c, err)
				}
				if got := ask(t, e, "/mod/more/mix", 0.25); got != `/done "/mod/more/mix"` {
					t.Error(got)
				}
				until(t, e, "plays on", func(now actors.Status) bool { return now.Clock > before.Clock+500 && now.Redundant })
			})
			if st := status(t, e); st.Concealed > before.Concealed || st.FallbackReason != "" {
				t.Errorf("%d blocks concealed, stepped down: %q", st.Concealed-before.Concealed, st.FallbackReason)
			}
		})
	}
}

// Changes that come from everywhere at once enter one after the other, commands between them go
// where their nodes are by then, and nothing is lost of the sound.
func TestChangesTogether(t *testing.T) {
	e := start(t, withPatch(plainPatch), func(c *actors.Config) { c.Replicas = 3 })
	c := dial(t, e)
	taped(t, e, func() {
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				for k := range 5 {
					more := ""
					for n := range (i + k) % 4 {
						more += fmt.Sprintf("  - {id: more%d, type: delay}\n", n)
					}
					if _, err := change(e, strings.Replace(plainPatch, "  - {id: fuel,", more+"  - {id: fuel,", 1)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		stopped := make(chan struct{})
		go func() { all.Wait(); close(stopped) }()
		for n := 0; ; n++ {
			select {
			case <-stopped:
				c.send("/mod/fuel/freq", float32(100))
				c.await(`/done "/mod/fuel/freq"`)
				return
			case <-time.After(time.Millisecond):
				c.send("/mod/fuel/freq", float32(200+n%100))
			}
		}
	})
	if st := status(t, e); st.Mismatches > 0 || st.OSCStats.Failed > 0 {
		t.Errorf("%d mismatches, %d commands refused", st.Mismatches, st.OSCStats.Failed)
	}
}

// All workers end at once after a change, and before a snapshot of the new patch is kept: they
// begin again with the old one, and go on with the new one where they did.
func TestChangeThenAllKilled(t *testing.T) {
	e := start(t, withPatch(plainPatch))
	taped(t, e, func() {
		for i := range 3 {
			text := strings.Replace(plainPatch, "fuel > out", fmt.Sprintf("fuel > filter%d > out", i), 1)
			if _, err := change(e, strings.Replace(text, "  - {id: fuel,", fmt.Sprintf("  - {id: filter%d, type: biquad}\n  - {id: fuel,", i), 1)); err != nil {
				t.Fatal(err)
			}
			killAll(t, e)
			if got := ask(t, e, fmt.Sprintf("/mod/filter%d/cutoff", i), 300); !strings.HasPrefix(got, "/done") {
				t.Error(got)
			}
		}
	})
}
