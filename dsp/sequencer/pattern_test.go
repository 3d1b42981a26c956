package sequencer_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/dsp/sequencer"
)

func TestParsePattern(t *testing.T) {
	p := pattern(t, "X..x | x-.. ")
	if p.N != 8 || p.String() != "X..xx-.." || p.Steps[0].Trig != sequencer.Accent || p.Steps[5].Trig != sequencer.Tie || p.Steps[3].Gate != 500 {
		t.Errorf("%d steps, %s, %+v", p.N, p, p.Steps[:8])
	}
	for text, want := range map[string]string{
		"x.x. q":                 "step 5 is 'q'; it must be X, x, . or -",
		"x|é":                    "step 2 is 'é'; it must be X, x, . or -",
		"x\n":                    `step 2 is '\n'; it must be X, x, . or -`,
		" | ":                    "pattern of 0 steps; the number must be 1 to 64",
		strings.Repeat("x", 65):  "pattern of 65 steps; the number must be 1 to 64",
		strings.Repeat("x", 1e5): "pattern of 100000 steps; the number must be 1 to 64",
	} {
		if _, err := sequencer.ParsePattern(text); err == nil || err.Error() != want {
			t.Errorf("%.20q: %v, not %s", text, err, want)
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, text := range []string{"X..x|x-..", "", "-", "x q", "\xff", strings.Repeat("x-", 40)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := sequencer.ParsePattern(text)
		if err != nil {
			if p != (sequencer.Pattern{}) {
				t.Error("a pattern in spite of an error")
			}
			return
		}
		if err := p.Check(); err != nil {
			t.Error(err)
		}
		if want := strings.NewReplacer(" ", "", "|", "").Replace(text); p.String() != want {
			t.Errorf("%q came back as %q", want, p.String())
		}
		if again, err := sequencer.ParsePattern(p.String()); err != nil || again != p {
			t.Errorf("%q is read as another pattern: %v", p.String(), err)
		}
	})
}

func TestCheck(t *testing.T) {
	s := sequencer.New(48000)
	for want, spoil := range map[string]func(*sequencer.Pattern){
		"pattern: N must be 1 to 64 steps":                                func(p *sequencer.Pattern) { p.N = 65 },
		"pattern: Base must be a note number, 0 to 127":                   func(p *sequencer.Pattern) { p.Base = 128 },
		"pattern: Soft and Loud must be 0 to 1000 thousandths":            func(p *sequencer.Pattern) { p.Loud = -1 },
		"pattern: step 2: Gate must be 50 to 1000 thousandths":            func(p *sequencer.Pattern) { p.Steps[1].Gate = 49 },
		"pattern: step 1: Probability must be 0 to 1000 thousandths":      func(p *sequencer.Pattern) { p.Steps[0].Probability = 1001 },
		"pattern: step 1: Has must be bits of the lanes 0 to 3":           func(p *sequencer.Pattern) { p.Steps[0].Has = 16 },
		"pattern: step 1: Values must be finite":                          func(p *sequencer.Pattern) { p.Steps[0].SetValue(3, float32(math.Inf(1))) },
		"pattern: step 2: Trig must be a rest, a hit, an accent or a tie": func(p *sequencer.Pattern) { p.Steps[1].Trig = 4 },
	} {
		p := pattern(t, "x-")
		spoil(p)
		if err := p.Check(); err == nil || err.Error() != want {
			t.Errorf("%v, not %s", err, want)
		}
		if err := s.SetPattern(0, p); !errors.Is(err, sequencer.ErrPattern) {
			t.Error(err)
		}
	}
	good, step := pattern(t, "x-"), sequencer.Step{Trig: sequencer.Hit, Gate: 50}
	var p sequencer.Pattern
	must(t, s.SetPattern(127, good), s.SetStep(127, 1, step), s.Pattern(127, &p))
	if p.Steps[1] != step || p.Steps[0] != good.Steps[0] {
		t.Errorf("%+v", p.Steps[:2])
	}
	for _, tt := range []struct{ got, want error }{
		{s.SetPattern(128, good), sequencer.ErrNumber}, {s.SetPattern(-1, good), sequencer.ErrNumber}, {s.Pattern(128, &p), sequencer.ErrNumber},
		{s.SetStep(128, 0, step), sequencer.ErrNumber}, {s.SetStep(127, 2, step), sequencer.ErrStep}, {s.SetStep(127, -1, step), sequencer.ErrStep},
		{s.SetStep(127, 0, sequencer.Step{}), sequencer.ErrStep}, {s.Assign(16, 0, sequencer.AtBar), sequencer.ErrTrack}, {s.Assign(0, 128, sequencer.AtBar), sequencer.ErrNumber},
		{s.Assign(0, -2, sequencer.AtBar), sequencer.ErrNumber}, {s.Assign(0, 0, 0), sequencer.ErrWhen}, {s.Assign(0, 0, 4), sequencer.ErrWhen},
		{s.SetDivision(-1, sequencer.Division{1, 4}), sequencer.ErrTrack}, {s.SetSteps(16, 1), sequencer.ErrTrack}, {s.SetSteps(0, 65), sequencer.ErrSteps},
		{s.SetSwing(16, 0.5), sequencer.ErrTrack}, {s.SetSwing(0, 0.49), sequencer.ErrSwing}, {s.SetSwing(0, math.NaN()), sequencer.ErrSwing},
		{s.SetTranspose(16, 0), sequencer.ErrTrack}, {s.SetTranspose(0, 61), sequencer.ErrTranspose}, {s.SetMute(-1, true), sequencer.ErrTrack},
		{s.SetSignature(0, 4), sequencer.ErrSignature}, {s.SetSignature(33, 4), sequencer.ErrSignature}, {s.SetSignature(4, 3), sequencer.ErrSignature},
		{s.SetSignature(4, -4), sequencer.ErrSignature},
	} {
		if !errors.Is(tt.got, tt.want) {
			t.Errorf("%v, not %v", tt.got, tt.want)
		}
	}
}
