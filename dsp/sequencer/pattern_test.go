package sequencer

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func TestParsePattern(t *testing.T) {
	p := pattern(t, "X..x | x-.. ")
	if p.N != 8 || p.String() != "X..xx-.." || p.Steps[0].Trig != Accent || p.Steps[5].Trig != Tie || p.Steps[3].Gate != 500 {
		t.Errorf("%d steps, %s, %+v", p.N, p, p.Steps[:8])
	}
	for text, want := range map[string]string{
		"x.x. q":                 "step 5 is 'q'; X, x, . or - are steps",
		"x|é":                    "step 2 is 'é'; X, x, . or - are steps",
		"x\n":                    `step 2 is '\n'; X, x, . or - are steps`,
		" | ":                    "a pattern of 0 steps; it has 1 to 64",
		strings.Repeat("x", 65):  "a pattern of 65 steps; it has 1 to 64",
		strings.Repeat("x", 1e5): "a pattern of 100000 steps; it has 1 to 64",
	} {
		if _, err := ParsePattern(text); err == nil || err.Error() != want {
			t.Errorf("%.20q: %v, not %s", text, err, want)
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, text := range []string{"X..x|x-..", "", "-", "x q", "\xff", strings.Repeat("x-", 40)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePattern(text)
		if err != nil {
			if p != (Pattern{}) {
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
		if again, err := ParsePattern(p.String()); err != nil || again != p {
			t.Errorf("%q is read as another pattern: %v", p.String(), err)
		}
	})
}

func TestCheck(t *testing.T) {
	s := New(48000)
	for want, spoil := range map[string]func(*Pattern){
		"pattern: it has 1 to 64 steps":                            func(p *Pattern) { p.N = 65 },
		"pattern: Base is a note, 0 to 127":                        func(p *Pattern) { p.Base = 128 },
		"pattern: velocities are 0 to 1000 thousandths":            func(p *Pattern) { p.Loud = -1 },
		"pattern: step 2: gates are 50 to 1000 thousandths":        func(p *Pattern) { p.Steps[1].Gate = 49 },
		"pattern: step 1: probabilities are 0 to 1000 thousandths": func(p *Pattern) { p.Steps[0].Probability = 1001 },
		"pattern: step 1: there are lanes 0 to 3":                  func(p *Pattern) { p.Steps[0].Has = 16 },
		"pattern: step 1: values are finite":                       func(p *Pattern) { p.Steps[0].SetValue(3, float32(math.Inf(1))) },
		"pattern: step 2: it is a rest, a hit, an accent or a tie": func(p *Pattern) { p.Steps[1].Trig = 4 },
	} {
		p := pattern(t, "x-")
		spoil(p)
		if err := p.Check(); err == nil || err.Error() != want {
			t.Errorf("%v, not %s", err, want)
		}
		if err := s.SetPattern(0, p); !errors.Is(err, ErrPattern) {
			t.Error(err)
		}
	}
	good, step := pattern(t, "x-"), Step{Trig: Hit, Gate: 50}
	var p Pattern
	must(t, s.SetPattern(127, good), s.SetStep(127, 1, step), s.Pattern(127, &p))
	if p.Steps[1] != step || p.Steps[0] != good.Steps[0] {
		t.Errorf("%+v", p.Steps[:2])
	}
	for _, tt := range []struct{ got, want error }{
		{s.SetPattern(128, good), ErrNumber}, {s.SetPattern(-1, good), ErrNumber}, {s.Pattern(128, &p), ErrNumber},
		{s.SetStep(128, 0, step), ErrNumber}, {s.SetStep(127, 2, step), ErrStep}, {s.SetStep(127, -1, step), ErrStep},
		{s.SetStep(127, 0, Step{}), ErrStep}, {s.Assign(16, 0, AtBar), ErrTrack}, {s.Assign(0, 128, AtBar), ErrNumber},
		{s.Assign(0, -2, AtBar), ErrNumber}, {s.Assign(0, 0, 0), ErrWhen}, {s.Assign(0, 0, 4), ErrWhen},
		{s.SetDivision(-1, Division{1, 4}), ErrTrack}, {s.SetSteps(16, 1), ErrTrack}, {s.SetSteps(0, 65), ErrSteps},
		{s.SetSwing(16, 0.5), ErrTrack}, {s.SetSwing(0, 0.49), ErrSwing}, {s.SetSwing(0, math.NaN()), ErrSwing},
		{s.SetTranspose(16, 0), ErrTrack}, {s.SetTranspose(0, 61), ErrTranspose}, {s.SetMute(-1, true), ErrTrack},
		{s.SetSignature(0, 4), ErrSignature}, {s.SetSignature(33, 4), ErrSignature}, {s.SetSignature(4, 3), ErrSignature},
		{s.SetSignature(4, -4), ErrSignature},
	} {
		if !errors.Is(tt.got, tt.want) {
			t.Errorf("%v, not %v", tt.got, tt.want)
		}
	}
}
