package actors

import (
	"testing"

	"github.com/music-chronus/chronus/actors/space"
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

// The meter knows whether the sequencer plays, and whether the sound is muted, over changes of the patch too: else a monitor's alarm would never
// end, and nobody could mute an engine that has begun anew.
func TestMeterOverPlans(t *testing.T) {
	music, plain := compiled(t, musicText), compiled(t, plainText)
	m := newMeter(music)
	seq := shm.Command{Op: shm.OpSet, Node: uint16(music.SeqNode()), Param: patch.SeqPlay, Value: patch.PlayStart}
	r := &rig{meter: m}
	for _, tt := range []struct {
		what           string
		do             func()
		playing, muted bool
	}{
		{"as the patch says", func() {}, music.Music.Play, false},
		{"told to play", func() { m.note(seq, music) }, true, false},
		{"muted", func() { r.mute(true); m.note(shm.Command{Op: shm.OpSet}, music) }, true, true},
		{"the same music", func() { m.replan(&planned{plan: music}, &planned{plan: music, number: 1, seq: 9}) }, true, true},
		{"no sequencer", func() {
			m.replan(&planned{plan: music, number: 1}, &planned{plan: plain, number: 2, before: 1, seq: 10})
		}, false, true},
		{"back", func() { m.replan(&planned{plan: plain, number: 2, before: 1}, &planned{plan: plain, number: 1}) }, false, true},
		{"all begin anew", func() { m.replan(&planned{plan: plain, number: 1}, &planned{plan: plain, number: 3}) }, false, false},
	} {
		if tt.do(); m.playing != tt.playing || m.muted != tt.muted {
			t.Errorf("%s: playing %t, muted %t", tt.what, m.playing, m.muted)
		}
	}
	if amp, ok := r.mute(true); !ok || amp != 0 {
		t.Error("what is heard cannot be muted")
	}
}

// An engine that takes over a sound, or goes on from what was saved, mutes and plays on from there, and not from what the patch says.
func TestMeterBegins(t *testing.T) {
	plan := compiled(t, musicText)
	v, m := space.NewValues(plan), newMeter(plan)
	if m.begin(v); m.amp != 1 || m.playing != plan.Music.Play {
		t.Errorf("anew: amp %g, playing %t", m.amp, m.playing)
	}
	v.SetParam(0, patch.EngineAmp, 0.25)
	v.SetParam(plan.SeqNode(), patch.SeqPlay, patch.PlayStart)
	if m.begin(v); m.amp != 0.25 || !m.playing {
		t.Errorf("gone on: amp %g, playing %t", m.amp, m.playing)
	}
	v.SetParam(plan.SeqNode(), patch.SeqPlay, patch.PlayStop)
	if m.begin(v); m.playing {
		t.Error("it has been stopped, and counts as playing")
	}
}
