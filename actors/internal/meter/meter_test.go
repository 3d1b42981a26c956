package meter_test

import (
	"fmt"
	"testing"

	"github.com/music-chronus/chronus/actors/internal/meter"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm"
)

const musicText = `version: 1
voices:
  - {id: bass, count: 1, nodes: [{id: a, type: sine}, {id: e, type: env}]}
cables: [bass > a > out]
patterns: [{number: 3, steps: "x..."}]
tracks: [{id: low, voices: bass, pattern: 3}]
`

const plainText = `version: 1
nodes: [{id: a, type: sine}]
cables: [a > out]
`

func compiled(t *testing.T, text string) *patch.Plan {
	t.Helper()
	p, err := patch.Parse("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := patch.Compile(p, 48000, 64, 2)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// The meter knows whether the sequencer plays, and whether the sound is muted, over changes of the
// patch too.
func TestPlanChanges(t *testing.T) {
	music, plain := compiled(t, musicText), compiled(t, plainText)
	m := meter.New(music)
	seq := shm.Command{Op: shm.OpSet, Node: uint16(music.SeqNode()), Param: patch.SeqPlay, Value: patch.PlayStart}
	for _, tt := range []struct {
		what           string
		do             func()
		playing, muted bool
	}{
		{"as the patch says", func() {}, music.Music.Play, false},
		{"told to play", func() { m.Command(seq, music) }, true, false},
		{"muted", func() { m.Mute(true); m.Command(shm.Command{Op: shm.OpSet}, music) }, true, true},
		{"the same music", func() { m.PlanChanged(music, music, false) }, true, true},
		{"no sequencer", func() { m.PlanChanged(music, plain, false) }, false, true},
		{"back", func() { m.PlanChanged(plain, plain, false) }, false, true},
		{"all begin anew", func() { m.PlanChanged(plain, plain, true) }, false, false},
	} {
		if tt.do(); m.Read().Transport != tt.playing || m.Read().Muted != tt.muted {
			t.Errorf("%s: %+v", tt.what, m.Read())
		}
	}
	if amp, ok := m.Mute(true); !ok || amp != 0 {
		t.Error("an audible engine cannot be muted")
	}
}

// The mute state is stored from when the command has entered, until the sound is heard again,
// whatever makes it so.
func TestMuteIsStored(t *testing.T) {
	plan, plain := compiled(t, musicText), compiled(t, plainText)
	m := meter.New(plan)
	m.Begin(0.25, false)
	var stored []string
	m.RestoreMuted(false, 0, false, func(muted bool, was float64) { stored = append(stored, fmt.Sprint(muted, " ", was)) })
	amp := func(x float64) { m.Command(shm.Command{Op: shm.OpSet, Param: patch.EngineAmp, Value: x}, plan) }
	for _, tt := range []struct {
		what string
		do   func()
		want string
	}{
		{"refused", func() { m.Mute(true); m.SetMuted(false) }, "[]"},
		{"not entered yet", func() { m.Mute(true) }, "[]"},
		{"entered", func() { amp(0) }, "[true 0.25]"},
		{"again", func() { amp(0) }, "[]"},
		{"heard again", func() { x, _ := m.Mute(false); amp(x) }, "[false 0.25]"},
		{"muted, and made loud by hand", func() { m.Mute(true); amp(0); amp(0.5) }, "[true 0.25 false 0.25]"},
		{"muted, and begun anew", func() {
			m.Mute(true)
			amp(0)
			m.PlanChanged(plan, plain, true)
		}, "[true 0.5 false 0.5]"},
	} {
		stored = nil
		if tt.do(); fmt.Sprint(stored) != tt.want {
			t.Errorf("%s: %v, want %s", tt.what, stored, tt.want)
		}
	}
}

// Notes count from when they begin, and are held until they end, or until other nodes play.
func TestNotes(t *testing.T) {
	plan := compiled(t, plainText)
	m := meter.New(plan)
	note := func(key uint16, value float64) {
		m.Command(shm.Command{Op: shm.OpNote, Param: key, Value: value}, plan)
	}
	for i, tt := range []struct {
		do            func()
		started, held int
	}{
		{func() { note(60, 1); note(62, 1) }, 2, 2},
		{func() { note(60, 1) }, 3, 2},
		{func() { note(60, 0) }, 3, 1},
		{func() { note(128, 0) }, 3, 0}, // all notes off
		{func() { note(60, 1); m.Command(shm.Command{Op: shm.OpPlan}, plan) }, 4, 0},
	} {
		if tt.do(); m.Read().NotesStarted != uint64(tt.started) || m.Read().NotesHeld != tt.held {
			t.Errorf("step %d: %+v", i, m.Read())
		}
	}
}
