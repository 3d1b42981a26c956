package frontend

import (
	"encoding/json"
	"testing"

	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/osc"
)

// The addresses of every preset survive JSON, which the control socket sends.
func TestAddressesTold(t *testing.T) {
	for _, name := range patch.Presets() {
		text, err := patch.Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := patch.Parse(name, text)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := patch.Compile(p, 48000, 64, 2)
		if err != nil {
			t.Fatal(err)
		}
		a, err := space.New(plan, Routes()...)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(a.Entries())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var told []osc.Entry
		if err := json.Unmarshal(b, &told); err != nil || len(told) != len(a.Entries()) {
			t.Fatalf("%s: %d of %d addresses: %v", name, len(told), len(a.Entries()), err)
		}
		if _, err := osc.NewSpace(told); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
