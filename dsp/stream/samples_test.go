package stream_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream"
)

// kit is a patch of voices that play one sample, and of a node that plays another.
func kit(high, low byte) string {
	return fmt.Sprintf(`version: 1
samples: {high: "sha256:%s", low: "sha256:%s"}
voices:
  count: 3
  nodes: [{id: drum, type: sampler, sample: high, params: {root: 60, loop: forward, mode: gated, from: 0.2}}]
nodes: [{id: loop, type: sampler, sample: low, params: {gain: 0.5, loop: forward}}]
cables: [note.pitch > drum.pitch, drum.mono > out, loop > out]
`, strings.Repeat(string(high), 64), strings.Repeat(string(low), 64))
}

// kitPlan compiles a kit. A sample is a ramp whose slope is the first digit of its sum.
func kitPlan(t testing.TB, text string) *patch.Plan {
	t.Helper()
	p, err := patch.Parse("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := patch.Compile(p, 48000, 64, 2)
	if err != nil {
		t.Fatal(err)
	}
	plan, err = plan.WithSamples(func(sum string) (*dsp.Sample, error) {
		x := make([]float32, 500)
		for i := range x {
			x[i] = float32(i) / 5000 * float32(sum[0]-'0')
		}
		return dsp.NewSample(44100, x), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func kitStream(t testing.TB, text string) *stream.Stream {
	t.Helper()
	s, err := stream.New(kitPlan(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A restored stream with samplers continues bit for bit. New rejects a plan whose samples are not
// open.
func TestSamplesRestore(t *testing.T) {
	text := kit('1', '2')
	one := kitStream(t, text)
	loop, _, err := one.Plan().Lookup("loop", "gain")
	if err != nil {
		t.Fatal(err)
	}
	play(one, stream.Command{Frame: 10, Kind: stream.Gate, Node: uint16(loop), Value: 1}, note(100, 60, 0.8),
		note(5000, 67, 1), note(9000, 60, 0), note(9500, 48, 0.5))
	sound := render(one, 160)
	if slices.Max(sound) == 0 {
		t.Fatal("nothing is heard")
	}
	state, err := one.Save(nil)
	if err != nil {
		t.Fatal(err)
	}
	two := kitStream(t, text)
	if err := two.Restore(state); err != nil {
		t.Fatal(err)
	}
	if a, b := render(one, 300), render(two, 300); !slices.Equal(a, b) {
		t.Error("it goes on in another way")
	}
	if err := kitStream(t, kit('1', '3')).Restore(state); err == nil || !strings.Contains(err.Error(),
		"another patch") {
		t.Errorf("with another sample: %v", err)
	}
	p, err := patch.Parse("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := patch.Compile(p, 48000, 64, 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.New(plan); err == nil || !strings.Contains(err.Error(), `node "drum": sample 1111`) {
		t.Errorf("%v", err)
	}
}

// In a transition a node with the same sample continues, and a node with another sample starts
// again.
func TestMoveToOtherSample(t *testing.T) {
	for _, tt := range []struct {
		low   byte
		plays bool
	}{{'2', true}, {'3', false}} {
		s := kitStream(t, kit('1', '2'))
		loop, _, _ := s.Plan().Lookup("loop", "gain")
		play(s, stream.Command{Kind: stream.Gate, Node: uint16(loop), Value: 1})
		render(s, 20)
		to, err := s.PrepareTransition(kitPlan(t, strings.Replace(kit('1', tt.low), "gain: 0.5", "gain: 0.4", 1)))
		if err != nil {
			t.Fatal(err)
		}
		s.Switch(to, s.Seq()+1)
		render(to, 20)
		if heard := slices.Max(render(to, 20)) > 0; heard != tt.plays {
			t.Errorf("with the sample %c it is heard: %v", tt.low, heard)
		}
	}
}
