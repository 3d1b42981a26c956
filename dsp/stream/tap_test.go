package stream_test

import (
	"github.com/music-chronus/chronus/dsp/stream"
	"slices"
	"strings"
	"testing"
)

// A tap gives a signal of the last block, with voices summed and stereo in two channels. A tap does
// not change what is rendered.
func TestTap(t *testing.T) {
	const text = `version: 1
voices: {count: 3, nodes: [{id: osc, type: sine, params: {gain: 0.1}}, {id: env, type: adsr, params: {sustain: 1}}]}
nodes: [{id: wide, type: pan, params: {pan: 0.5}}]
cables: [note.pitch > osc > env > wide > out]
`
	with, without := newStream(t, text, 64, 2), newStream(t, text, 64, 2)
	taps := map[string]*stream.Tap{}
	for _, name := range []string{"env", "wide.out", "wide", "note.velocity"} {
		tap, err := with.Tap(name)
		if err != nil {
			t.Fatal(err)
		}
		taps[name] = tap
	}
	for _, s := range []*stream.Stream{with, without} {
		play(s, note(100, 60, 1), note(300, 67, 0.5))
	}
	out, want := make([]float32, 128), make([]float32, 128)
	for n := range 40 {
		with.Render(out)
		without.Render(want)
		wide, env := taps["wide"].Read(), taps["env"].Read()
		if len(wide) != 2 || len(env) != 1 || !slices.Equal(out, want) || !slices.Equal(wide[1],
			taps["wide.out"].Read()[1]) {
			t.Fatalf("block %d: %d and %d channels, or another sound", n, len(wide), len(env))
		}
		for i := range 64 {
			if wide[0][i] != out[2*i] || wide[1][i] != out[2*i+1] {
				t.Fatalf("block %d, frame %d: %g, %g are heard, the tap has %g, %g", n, i, out[2*i], out[2*i+1],
					wide[0][i], wide[1][i])
			}
		}
		if n > 30 && (slices.Max(env[0]) == 0 || taps["note.velocity"].Read()[0][63] != 1.5) {
			t.Fatalf("block %d: env %v, velocities %v", n, env[0], taps["note.velocity"].Read()[0][63])
		}
	}
	if !taps["env"].Of(with) || taps["env"].Of(without) {
		t.Error("a tap does not know whose it is")
	}
	for name, want := range map[string]string{
		"wid": `no node "wid"; did you mean wide?`, "wide.in": `node "wide" (pan) has no output "in"`, "engine": `node "engine" (engine) has no output ""`,
	} {
		if _, err := with.Tap(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", name, err, want)
		}
	}
}
