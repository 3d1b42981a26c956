package offline

import (
	"testing"

	"github.com/music-chronus/chronus/dsp/patch"
)

const polyPatch = `version: 1
voices:
  count: 8
  nodes:
    - {id: osc, type: sine, params: {gain: 0.1}}
    - {id: env, type: adsr, params: {attack: 0.002, release: 0.05}}
cables: [note > osc > env > out]
`

// Reading any bytes as MIDI gives notes or an error.
func FuzzMIDI(f *testing.F) {
	plan := mustPlan(f, polyPatch)
	f.Add([]byte("MThd\x00\x00\x00\x06\x00\x00\x00\x01\x03\xc0MTrk\x00\x00\x00\x0b\x00\x90\x3c\x7f\x60\x80\x3c\x00\x00\xff\x2f\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		cues, err := midiScore(b, plan)
		if err == nil {
			for _, c := range cues {
				if c.Param > 127 {
					t.Fatalf("%+v", c)
				}
			}
		}
	})
}

func mustPlan(t testing.TB, text string) *patch.Plan {
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
