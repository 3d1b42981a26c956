package ramped_test

import (
	"testing"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/ramped"
)

var params = []dsp.Param{{Name: "gain", Max: 1, Default: 1}, {Name: "mode", Max: 1, Names: []string{"a", "b"}}}

// A parameter moves on a ramp, one with named values jumps, and Next returns false once all have
// ended.
func TestParams(t *testing.T) {
	p := ramped.New(48000, params)
	if p.Next() || p.Value[0] != 1 {
		t.Errorf("new parameters move, or gain is %g", p.Value[0])
	}
	p.Set(0, 0)
	p.Set(1, 1)
	p.Set(2, 5) // there is none
	if !p.Next() || p.Value[0] != 1-1.0/240 || p.Value[1] != 1 {
		t.Errorf("after a frame: %v", p.Value)
	}
	for range 239 {
		p.Next()
	}
	if p.Value[0] != 0 || p.Next() {
		t.Errorf("after the ramp: %v", p.Value)
	}
	p.RampNamed(1)
	p.Set(1, 0)
	if p.Next(); p.Value[1] != 1-1.0/240 {
		t.Errorf("mode with a ramp is %g", p.Value[1])
	}
	if p.Reset(); p.Value[1] != 0 || p.Next() {
		t.Errorf("after Reset: %v", p.Value)
	}
}
