package main

import (
	"testing"

	"github.com/music-chronus/chronus/dsp/moduletest"
)

// The module keeps the laws of all modules.
func TestLaws(t *testing.T) { moduletest.Run(t, &fold) }

// The module reflects samples at full scale.
func TestFold(t *testing.T) {
	m := fold.New(48000)
	in, out := []float32{0, 0.5, 1, 1.5, 2, 3, 4, -1.5, -3, 5}, make([]float32, 10)
	m.Render([][]float32{in}, [][]float32{out})
	for i, want := range []float32{0, 0.5, 1, 0.5, 0, -1, 0, -0.5, 1, 1} {
		if out[i] != want {
			t.Errorf("%g became %g, want %g", in[i], out[i], want)
		}
	}
}
