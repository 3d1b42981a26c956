package module_test

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"unsafe"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/module"
	"github.com/music-chronus/chronus/dsp/module/oscillator"
	"github.com/music-chronus/chronus/dsp/moduletest"
)

// goldenFile has a line a sound: name, frames, hash. A hash that changes is a sound that changed, on
// some machine or for all.
const goldenFile = "testdata/golden.txt"

const goldenFrames = 1 << 16

// goldenSound renders a module through a fixed life.
func goldenSound(d *dsp.Desc) (sound []float32) {
	m, s := moduletest.New(d, rate), oscillator.Sine.New(rate)
	s.Set(0, 331)
	none := make([]float32, goldenFrames)
	in := make([]float32, goldenFrames)
	s.Render([][]float32{none, none}, [][]float32{in})
	inputs, outs := make([][]float32, dsp.Signals(d.Inputs)), make([][]float32, dsp.Signals(d.Outputs))
	for k := range outs {
		outs[k] = make([]float32, 4096)
	}
	for at := 0; at < goldenFrames; at += 4096 {
		k := at / 4096
		if len(d.Params) > 0 {
			p := k % len(d.Params)
			lo, hi := d.Params[p].Range(rate)
			v := lo + (hi-lo)*float64(k%5)/8
			if len(d.Params[p].Names) > 0 {
				v = float64(k % len(d.Params[p].Names))
			}
			m.Set(p, v)
		}
		m.Gate(k%3 != 2)
		for i := range inputs {
			inputs[i] = in[at : at+4096]
		}
		m.Render(inputs, outs)
		for k := range outs {
			sound = append(sound, outs[k]...)
		}
	}
	return sound
}

func TestGolden(t *testing.T) {
	var b strings.Builder
	for _, d := range module.All {
		out := goldenSound(d)
		peak := 0.0
		for _, v := range out {
			peak = max(peak, math.Abs(float64(v)))
		}
		if peak == 0 {
			t.Errorf("%s: the golden sound is silence", d.Type)
		}
		hash := xxhash.Sum64(unsafe.Slice((*byte)(unsafe.Pointer(&out[0])), 4*len(out)))
		fmt.Fprintf(&b, "%s %d %016x\n", d.Type, goldenFrames, hash)
	}
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(goldenFile, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the sounds are\n%sbut should be\n%s(UPDATE_GOLDEN=1 records them)", b.String(), want)
	}
}
