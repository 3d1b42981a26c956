package actors

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm"
)

// That an engine is muted is on record from when the command has entered, until it is heard again, whatever it is that makes it so.
func TestMutedIsOnRecord(t *testing.T) {
	plan, plain := compiled(t, musicText), compiled(t, plainText)
	m := newMeter(plan)
	r := &rig{meter: m}
	m.amp = 0.25
	var record []string
	m.keep = func(muted bool, was float64) { record = append(record, fmt.Sprint(muted, " ", was)) }
	amp := func(x float64) { m.note(shm.Command{Op: shm.OpSet, Param: patch.EngineAmp, Value: x}, plan) }
	for _, tt := range []struct {
		what string
		do   func()
		want string
	}{
		{"refused", func() { r.mute(true); r.setMuted(false) }, "[]"},
		{"not entered yet", func() { r.mute(true) }, "[]"},
		{"entered", func() { amp(0) }, "[true 0.25]"},
		{"again", func() { amp(0) }, "[]"},
		{"heard again", func() { x, _ := r.mute(false); amp(x) }, "[false 0.25]"},
		{"muted, and made loud by hand", func() { r.mute(true); amp(0); amp(0.5) }, "[true 0.25 false 0.25]"},
		{"muted, and begun anew", func() {
			r.mute(true)
			amp(0)
			m.replan(&planned{plan: plan, number: 1}, &planned{plan: plain, number: 2})
		}, "[true 0.5 false 0.5]"},
	} {
		record = nil
		if tt.do(); fmt.Sprint(record) != tt.want {
			t.Errorf("%s: %v, want %s", tt.what, record, tt.want)
		}
	}
}

// An engine that goes on with a sound that was muted gives it back as loud as it was, and one that begins another does not take it for muted.
func TestMutedIsRemembered(t *testing.T) {
	quarter, bad := 0.25, math.Inf(1)
	for _, tt := range []struct {
		what    string
		file    string // on record; "": none
		adopted bool
		saved   *Saved // that it resumes from
		muted   bool
		after   string // on record afterwards
	}{
		{"taken over", "0.25", true, nil, true, "0.25"},
		{"taken over, and heard", "", true, nil, false, ""},
		{"taken over, with a file that is none", "loud", true, nil, false, ""},
		{"taken over, with an amp that is none", "7", true, nil, false, ""},
		{"begun", "0.25", false, nil, false, ""},
		{"resumed", "0.5", false, &Saved{Muted: &quarter}, true, "0.25"},
		{"resumed, and heard", "0.5", false, &Saved{}, false, ""},
		{"resumed with an amp that is none", "", false, &Saved{Muted: &bad}, false, ""},
	} {
		values := space.NewValues(compiled(t, plainText))
		e := &Engine{cfg: Config{}.withDefaults(), dir: &runtimeDir{path: t.TempDir()}, saved: tt.saved,
			rig: &rig{adopted: tt.adopted, meter: newMeter(values.Plan())}}
		if tt.file != "" {
			if err := os.WriteFile(e.dir.file(mutedFile), []byte(tt.file+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		e.rememberMuted(values, tt.saved != nil)
		after, _ := os.ReadFile(e.dir.file(mutedFile))
		if got := strings.TrimSpace(string(after)); got != tt.after {
			t.Errorf("%s: on record is %q, want %q", tt.what, got, tt.after)
		}
		if from := e.rig.mutedFrom(); (from != nil) != tt.muted || tt.muted && *from != 0.25 {
			t.Errorf("%s: muted from %v", tt.what, from)
		}
		want, amp := 1.0, 0.25
		if tt.muted {
			want = 0
		}
		if got := values.Param(0, patch.EngineAmp); got != want {
			t.Errorf("%s: the amp is %g", tt.what, got)
		}
		if got, ok := e.rig.mute(false); ok != tt.muted || ok && got != amp {
			t.Errorf("%s: it is unmuted to %g, %t", tt.what, got, ok)
		}
	}
}
