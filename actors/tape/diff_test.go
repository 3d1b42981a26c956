package tape_test

import (
	"testing"

	"github.com/music-chronus/chronus/actors/tape"
)

func TestDiff(t *testing.T) {
	want := make([]float32, 20000)
	for i := range want {
		want[i] = float32(i*i%7919) / 7919
	}
	cut := func(edit func([]float32) []float32) []float32 { return edit(append([]float32(nil), want...)) }
	for _, tt := range []struct {
		name string
		got  []float32
		d    tape.Difference
	}{
		{"equal", want, tape.Difference{First: -1}},
		{"lost", cut(func(x []float32) []float32 { return append(x[:1000], x[1256:]...) }), tape.Difference{Lost: 128, First: 500}},
		{"doubled", cut(func(x []float32) []float32 {
			return append(append(append([]float32{}, x[:1000]...), x[900:1000]...), x[1000:]...)
		}),
			tape.Difference{Doubled: 50, First: 500}},
		{"changed", cut(func(x []float32) []float32 { x[1001]++; return x }), tape.Difference{Changed: 1, First: 500}},
	} {
		got := tape.Diff(tt.got, want, 2)
		if got.Lost != tt.d.Lost || got.Doubled != tt.d.Doubled || got.Changed != tt.d.Changed || got.First != tt.d.First {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}
