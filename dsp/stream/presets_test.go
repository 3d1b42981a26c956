package stream_test

import (
	"math"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/measure"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream"
	"github.com/music-chronus/chronus/dsp/stream/internal/voicing"
)

// presetStream makes a stream of a preset.
func presetStream(t *testing.T, name string) *stream.Stream {
	t.Helper()
	text, err := patch.Preset(name)
	if err != nil {
		t.Fatal(err)
	}
	return newStream(t, string(text), 64, 2)
}

// sound is rendered audio.
type sound struct{ left, right []float32 }

func (x *sound) render(s *stream.Stream, seconds float64) {
	out := make([]float32, 128)
	for range int(seconds * 750) {
		s.Render(out)
		for i := 0; i < len(out); i += 2 {
			x.left, x.right = append(x.left, out[i]), append(x.right, out[i+1])
		}
	}
}

// peak returns the largest magnitude and the largest mean of a channel.
func (x *sound) peak() (peak, offset float64) {
	for _, c := range [][]float32{x.left, x.right} {
		sum := 0.0
		for _, v := range c {
			peak, sum = max(peak, math.Abs(float64(v))), sum+float64(v)
		}
		offset = max(offset, math.Abs(sum)/float64(max(1, len(c))))
	}
	return peak, offset
}

func dB(x float64) float64 { return 20 * math.Log10(max(x, 1e-9)) }

// Every preset plays a phrase that is audible, below full scale, without an offset, and silent some
// time after its end.
func TestPresets(t *testing.T) {
	const least = 24
	families := map[string]int{}
	for _, name := range patch.Presets() {
		family, _, _ := strings.Cut(name, "/")
		text, _ := patch.Preset(name)
		if patch.About(text) == "" {
			t.Errorf("%s does not say in its first line what it is", name)
		}
		if family == "songs" {
			continue
		}
		families[family]++
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := presetStream(t, name)
			var x sound
			key := map[string]int{"bass": 36, "drums": 60}[family]
			if key == 0 {
				key = 60
			}
			play(s, note(0, key, 0.8))
			x.render(s, 1)
			single, _ := x.peak()
			if family != "drums" && family != "bass" {
				play(s, note(0, 64, 0.8), note(0, 67, 0.8), note(0, 72, 0.8))
			}
			x.render(s, 1)
			play(s, stream.Command{Kind: stream.Note, Node: noteNode, Param: voicing.Keys})
			x.render(s, 0.5)
			tail := 0.5
			var end sound
			for tail < 30 {
				end = sound{}
				end.render(s, 0.5)
				if p, _ := end.peak(); p == 0 {
					break
				}
				tail += 0.5
			}
			peak, offset := x.peak()
			limited, _ := s.Limited()
			faults, _ := s.Faults()
			t.Logf("%-14s one note %6.1f dBFS, all %6.1f dBFS, %6.1f LUFS, offset %.5f, silent %4.1f s after the end",
				name, dB(single), dB(peak), measure.Loudness(x.left, x.right), offset, tail)
			if single < 0.03 || peak > 0.99 || offset > 0.01 || tail >= 30 || limited > 0 || faults > 0 {
				t.Errorf("peak %g of one note and %g of all, offset %g, a tail of %g s, %d blocks limited, %d faults",
					single, peak, offset, tail, limited, faults)
			}
			for i := range s.Group(0).Len() {
				if s.Group(0).Voice(i).Awake {
					t.Error("a voice never sleeps")
					break
				}
			}
		})
	}
	total := 0
	for _, n := range families {
		total += n
	}
	if total < least || len(families) < 6 {
		t.Errorf("%d presets in %d families; there are to be %d in 6", total, len(families), least)
	}
}
