package main

import (
	"testing"

	"github.com/music-chronus/chronus/dsp/moduletest"
)

// The laws of our modules hold for any: those of a program's own too.
func TestLaws(t *testing.T) { moduletest.Run(t, &fold) }

// It folds where it should.
func TestFold(t *testing.T) {
	m := fold.New(48000)
	in, out := []float32{0, 0.5, 1, 1.5, 2, 3, 4, -1.5, -3, 5}, make([]float32, 10)
	m.Render([][]float32{in}, [][]float32{out})
	for i, want := range []float32{0, 0.5, 1, 0.5, 0, -1, 0, -0.5, 1, 1} {
		if out[i] != want {
			t.Errorf("%g became %g, it should be %g", in[i], out[i], want)
		}
	}
}
