package resources

import (
	"log/slog"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/actors/internal/meter"
	"github.com/music-chronus/chronus/actors/internal/runtimedir"
	"github.com/music-chronus/chronus/actors/internal/statefile"
	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/dsp/patch"
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

// The amp and the transport of a sound that continues are the ones that were set, and not the
// patch's.
func TestMeterBegins(t *testing.T) {
	plan := compiled(t, musicText)
	v := space.NewValues(plan)
	for _, tt := range []struct {
		what string
		set  func()
		amp  float64
		play bool
	}{
		{"from the beginning", func() {}, 1, plan.Music.Play},
		{"gone on", func() {
			v.SetParam(0, patch.EngineAmp, 0.25)
			v.SetParam(plan.SeqNode(), patch.SeqPlay, patch.PlayStart)
		}, 0.25, true},
		{"stopped", func() { v.SetParam(plan.SeqNode(), patch.SeqPlay, patch.PlayStop) }, 0.25, false},
	} {
		r := &Resources{Meter: meter.New(plan)}
		tt.set()
		r.beginMeter(v)
		r.Meter.Mute(true)
		if amp := *r.Meter.MutedFrom(); amp != tt.amp || r.Meter.Read().Transport != tt.play {
			t.Errorf("%s: amp %g, %+v", tt.what, amp, r.Meter.Read())
		}
	}
}

// An engine that continues a muted sound can restore its level. An engine that begins another sound
// is not muted.
func TestMutedIsRemembered(t *testing.T) {
	quarter, bad := 0.25, math.Inf(1)
	for _, tt := range []struct {
		what    string
		file    string // on record; "": none
		adopted bool
		saved   *statefile.State // that it resumes from
		muted   bool
		after   string // on record afterwards
	}{
		{"taken over", "0.25", true, nil, true, "0.25"},
		{"taken over, and heard", "", true, nil, false, ""},
		{"taken over, with a file that is none", "loud", true, nil, false, ""},
		{"taken over, with an amp that is none", "7", true, nil, false, ""},
		{"begun", "0.25", false, nil, false, ""},
		{"resumed", "0.5", false, &statefile.State{Muted: &quarter}, true, "0.25"},
		{"resumed, and heard", "0.5", false, &statefile.State{}, false, ""},
		{"resumed with an amp that is none", "", false, &statefile.State{Muted: &bad}, false, ""},
	} {
		values := space.NewValues(compiled(t, plainText))
		dir, err := runtimedir.Lock(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		r := &Resources{
			cfg: Config{Logger: slog.New(slog.DiscardHandler)}, dir: dir, saved: tt.saved, Meter: meter.New(values.Plan()),
		}
		if tt.file != "" {
			if err := os.WriteFile(dir.File("muted"), []byte(tt.file+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r.restoreMuted(values, tt.adopted, tt.saved != nil)
		after, _ := os.ReadFile(dir.File("muted"))
		if got := strings.TrimSpace(string(after)); got != tt.after {
			t.Errorf("%s: on record is %q, want %q", tt.what, got, tt.after)
		}
		if from := r.Meter.MutedFrom(); (from != nil) != tt.muted || tt.muted && *from != 0.25 {
			t.Errorf("%s: muted from %v", tt.what, from)
		}
		want, amp := 1.0, 0.25
		if tt.muted {
			want = 0
		}
		if got := values.Param(0, patch.EngineAmp); got != want {
			t.Errorf("%s: the amp is %g", tt.what, got)
		}
		if got, ok := r.Meter.Mute(false); ok != tt.muted || ok && got != amp {
			t.Errorf("%s: it is unmuted to %g, %t", tt.what, got, ok)
		}
	}
}
