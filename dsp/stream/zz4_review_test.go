package stream

import (
	"runtime"
	"testing"

	"github.com/music-chronus/chronus/dsp/patch"
)

func TestReviewFollowBytes(t *testing.T) {
	texts := map[string]string{}
	for _, n := range patch.Presets() {
		b, _ := patch.Preset(n)
		texts[n] = string(b)
	}
	texts["default"] = string(patch.Default())
	texts["delays in voices"] = "version: 1\nvoices:\n  count: 16\n  nodes:\n    - {id: osc, type: sine}\n    - {id: d, type: delay}\n    - {id: env, type: adsr}\ncables: [note > osc.pitch, osc > d > env > out]\n"
	for n, text := range texts {
		p, err := patch.Parse(n, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		plan, err := patch.Compile(p, 48000, 64, 2)
		if err != nil {
			t.Fatal(err)
		}
		s, err := New(plan)
		if err != nil {
			t.Log(n, err)
			continue
		}
		var a, b runtime.MemStats
		runtime.ReadMemStats(&a)
		if _, err := s.Follow(plan); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&b)
		if mb := (b.TotalAlloc - a.TotalAlloc) >> 20; mb > 8 || n == "default" {
			t.Logf("%-20s state %6d kB, a Follow allocates %4d MB", n, s.Size()>>10, mb)
		}
	}
}
