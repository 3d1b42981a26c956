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
	"github.com/music-chronus/chronus/dsp/internal/measure"
	"github.com/music-chronus/chronus/dsp/module"
	"github.com/music-chronus/chronus/dsp/module/oscillator"
	"github.com/music-chronus/chronus/dsp/moduletest"
)

// goldenFile has a line for each sound: type, frames, hash. A hash that changes is a sound that
// changed, on some machine or on all.
const goldenFile = "testdata/golden.txt"

const goldenFrames = 1 << 16

// goldenSound renders all outputs of a module. The input is a sine of 331 Hz; a parameter and the
// gate change every 4096 frames.
func goldenSound(d *dsp.Desc) (sound []float32) {
	const frames = 4096
	tone := measure.Play(&oscillator.Sine, measure.New(&oscillator.Sine, 331), goldenFrames)[0]
	m := moduletest.New(d, rate)
	in, out := make([][]float32, dsp.Signals(d.Inputs)), make([][]float32, dsp.Signals(d.Outputs))
	for k := range out {
		out[k] = make([]float32, frames)
	}
	for k := range goldenFrames / frames {
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
		for i := range in {
			in[i] = tone[k*frames:][:frames]
		}
		m.Render(in, out)
		for k := range out {
			sound = append(sound, out[k]...)
		}
	}
	return sound
}

func TestGolden(t *testing.T) {
	var got []string
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
		got = append(got, fmt.Sprintf("%s %d %016x", d.Type, goldenFrames, hash))
	}
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(goldenFile, []byte(strings.Join(got, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := changedLines(strings.Split(strings.TrimSuffix(string(want), "\n"), "\n"), got); diff != "" {
		t.Errorf("sounds differ from %s (- recorded, + rendered; ./task golden records them):\n%s", goldenFile, diff)
	}
}

// changedLines returns the lines that only want has, after a -, and those that only got has, after
// a +, in the order of the module types. It returns a note if only the order differs.
func changedLines(want, got []string) string {
	recorded, rendered := map[string]bool{}, map[string]bool{}
	for _, l := range want {
		recorded[l] = true
	}
	var b strings.Builder
	for _, l := range got {
		rendered[l] = true
		if !recorded[l] {
			for _, old := range want { // the old line of the same type
				if name, _, _ := strings.Cut(l, " "); strings.HasPrefix(old, name+" ") {
					fmt.Fprintf(&b, "-%s\n", old)
					rendered[old] = true
				}
			}
			fmt.Fprintf(&b, "+%s\n", l)
		}
	}
	for _, l := range want {
		if !rendered[l] {
			fmt.Fprintf(&b, "-%s\n", l)
		}
	}
	if b.Len() == 0 && strings.Join(want, "\n") != strings.Join(got, "\n") {
		return "the lines are the same, in another order\n"
	}
	return b.String()
}

func TestChangedLines(t *testing.T) {
	want := []string{"sine 1 aa", "saw 1 bb", "noise 1 cc"}
	for _, tt := range []struct {
		got  []string
		diff string
	}{
		{[]string{"sine 1 aa", "saw 1 bb", "noise 1 cc"}, ""},
		{[]string{"sine 1 aa", "saw 1 dd", "noise 1 cc"}, "-saw 1 bb\n+saw 1 dd\n"},
		{[]string{"sine 1 aa", "saw 1 bb", "noise 1 cc", "new 1 ee"}, "+new 1 ee\n"},
		{[]string{"sine 1 aa", "noise 1 cc"}, "-saw 1 bb\n"},
		{[]string{"saw 1 bb", "sine 1 aa", "noise 1 cc"}, "the lines are the same, in another order\n"},
	} {
		if diff := changedLines(want, tt.got); diff != tt.diff {
			t.Errorf("%q gives %q, want %q", tt.got, diff, tt.diff)
		}
	}
}
