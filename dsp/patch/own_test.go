package patch_test

import (
	"strings"
	"testing"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
)

// A program's own module can be created, set, connected and compiled, in a clone of the patch too.
// Without it the type is unknown. An error suggests its name for one that is near.
func TestOwnModules(t *testing.T) {
	own := &dsp.Desc{
		Type: "wrinkle", Doc: "Of a program's own.", Inputs: []dsp.Port{{Name: "in"}}, Outputs: []dsp.Port{{Name: "out"}},
		Params: []dsp.Param{{Name: "depth", Max: 1}}, New: func(float64) dsp.Module { return nil },
	}
	p, err := patch.Parse("own", []byte("version: 1\nnodes:\n  - {id: a, type: sine}\ncables: [a > out]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Create("w", "wrinkle", ""); err == nil {
		t.Error("a type that nobody has")
	}
	p.Modules = []*dsp.Desc{own}
	p = p.Clone()
	if err := p.Create("x", "wrinkel", ""); err == nil || !strings.Contains(err.Error(), "wrinkle") {
		t.Errorf("a type that is missed by a letter: %v", err)
	}
	for _, err := range []error{p.Create("w", "wrinkle", ""), p.Set("w", "depth", 0.5, "", 48000), p.Connect("a", "w"), p.Connect("w", "out")} {
		if err != nil {
			t.Error(err)
		}
	}
	plan, err := patch.Compile(p, 48000, 64, 2)
	if err != nil {
		t.Fatal(err)
	}
	if n := plan.Nodes()[len(plan.Nodes())-1]; n.ID != "w" || n.Desc != own || n.Values[0] != 0.5 {
		t.Errorf("%+v", n)
	}
}
