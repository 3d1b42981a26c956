package main

import (
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors"
)

// An engine that was muted remotely is as loud as before once it is unmuted, even by an engine that
// took over its sound, or that resumed after all was lost.
func TestUnmuteAfterAnotherEngine(t *testing.T) {
	dir := t.TempDir()
	flags := []string{"--backend", "null", "--lead", "64", "--remote", "127.0.0.1:0"}
	e := upIn(t, dir, flags...)
	order := func(what string) {
		t.Helper()
		if out, errOut, code := chronus("monitor", "--engines", e.remoteAt(), "--do", what); code != 0 {
			t.Fatalf("%s: %s%s", what, out, errOut)
		}
	}
	level := func(muted bool) float64 {
		t.Helper()
		e.plays(1500) // two seconds, since the level is that of the last whole second
		st := e.until("the level", 10*time.Second, func(st actors.Status) bool {
			return st.Muted == muted && (st.Peak == 0) == muted && st.Playing
		})
		return st.Peak
	}
	e.tell("/engine/amp", float32(0.25))
	e.tell("/gate/adsr1", "on")
	loud := level(false)
	order("mute")
	e.murder() // before the state is saved again
	e = upIn(t, dir, flags...)
	level(true)
	order("unmute")
	if now := level(false); math.Abs(now/loud-1) > 0.01 {
		t.Errorf("taken over and unmuted it has a level of %g, and had %g", now, loud)
	}
	order("mute")
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if s, err := readState(filepath.Join(dir, "state")); err == nil && s.Muted != nil {
			break
		}
		if time.Since(began) > 10*time.Second {
			t.Fatal("it is not saved that it is muted")
		}
	}
	e.killAll()
	e = upIn(t, dir, append(flags, "--resume")...)
	level(true)
	order("unmute")
	if now := level(false); math.Abs(now/loud-1) > 0.01 {
		t.Errorf("resumed and unmuted it has a level of %g, and had %g", now, loud)
	}
}
