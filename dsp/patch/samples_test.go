package patch_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
)

var sums = [3]string{strings.Repeat("0a", 32), strings.Repeat("1b", 32), strings.Repeat("2c", 32)}

// samplerPatch is a patch with a list of samples.
func samplerPatch(list string) string {
	return "version: 1\n" + list + "\nnodes:\n  - {id: a, type: sampler, sample: kick}\n  - {id: b, type: sampler, sample: kick, params: {mode: gated}}\n" +
		"  - {id: c, type: sampler, sample: snare}\ncables: [a > out, b > out, c > out]\n"
}

// WithSums replaces the names of files in all notations, and nothing else in the text.
func TestWithSums(t *testing.T) {
	for _, tt := range []struct{ list, want string }{
		{"samples: {kick: k.wav, snare: dir/s.flac} # two", "samples: {kick: sha256:K, snare: sha256:S} # two"},
		{"samples:\n  kick: \"a: b.wav\" # drums\n  snare: 'it''s.wav'\n  other: ü ä.wav", "samples:\n  kick: sha256:K # drums\n  snare: sha256:S\n  other: sha256:O"},
		{"samples: {kick: ü.wav, snare: ü.wav}\r", "samples: {kick: sha256:K, snare: sha256:S}\r"},
		{"samples: {kick: sha256:K, snare: \"sha256:S\"}", "samples: {kick: sha256:K, snare: \"sha256:S\"}"},
		{"samples:\n  kick:\n    k.wav\n  snare: s.wav", "samples:\n  kick:\n    sha256:K\n  snare: sha256:S"},
	} {
		fill := strings.NewReplacer("sha256:K", "sha256:"+sums[0], "sha256:S", "sha256:"+sums[1], "sha256:O", "sha256:"+sums[2])
		got, err := patch.WithSums("p", []byte(samplerPatch(fill.Replace(tt.list))), func(s patch.Sample) (string, error) {
			return map[string]string{"kick": sums[0], "snare": sums[1], "other": sums[2]}[s.Name], nil
		})
		if want := samplerPatch(fill.Replace(tt.want)); err != nil || string(got) != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", tt.list, err, got, want)
			continue
		}
		p, err := patch.Parse("p", got)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := patch.Compile(p, 48000, 64, 2)
		if err != nil {
			t.Fatal(err)
		}
		for id, sum := range map[string]string{"a": sums[0], "b": sums[0], "c": sums[1]} {
			if n, _, _ := plan.Lookup(id, "root"); plan.Nodes()[n].Sum != sum {
				t.Errorf("node %s plays %s", id, plan.Nodes()[n].Sum)
			}
		}
	}
	text := patch.Default()
	if got, err := patch.WithSums("p", text, nil); err != nil || string(got) != string(text) {
		t.Errorf("a patch without samples: %v", err)
	}
	folded := samplerPatch("samples:\n  kick: two\n   lines\n  snare: s.wav")
	_, err := patch.WithSums("p", []byte(folded), func(patch.Sample) (string, error) { return sums[0], nil })
	if err == nil || !strings.Contains(err.Error(), `p:3:9: sample "kick": the file's name is spread over lines; write it on one line`) {
		t.Errorf("%v", err)
	}
	_, err = patch.WithSums("p", []byte(samplerPatch("samples: {kick: k.wav, snare: s.wav}")), func(s patch.Sample) (string, error) {
		return sums[0], map[string]error{"snare": errors.New("no file")}[s.Name]
	})
	if err == nil || err.Error() != `patch p:2:31: sample "snare": no file` {
		t.Errorf("%v", err)
	}
}

// Errors of samples name the place, and what would be right.
func TestSampleErrors(t *testing.T) {
	good := fmt.Sprintf("samples: {kick: sha256:%s, snare: sha256:%s}", sums[0], sums[1])
	for _, tt := range []struct{ text, want string }{
		{samplerPatch("samples: {kick: k.wav, snare: s.wav}"), "p:2:17: sample \"kick\": the file k.wav is not loaded"},
		{samplerPatch(fmt.Sprintf("samples: {kik: sha256:%s}", sums[0])), `node "a": no sample "kick"; did you mean kik?`},
		{samplerPatch(""), `node "a": no sample "kick": the patch lists none; write samples: {kick: FILE}`},
		{strings.Replace(samplerPatch(good), ", sample: snare", "", 1), `node "c": a sampler needs a sample`},
		{strings.Replace(samplerPatch(good), "c, type: sampler", "c, type: sine", 1), `node "c": a sine cannot play a sample`},
		{samplerPatch("samples: {kick: sha256:12}"), "sha256: must be followed by 64 digits"},
		{samplerPatch("samples: {kick: \"\"}"), "the file is missing; name a WAV or FLAC file"},
		{samplerPatch("samples: {Kick: k.wav}"), `"Kick": the name must be a lower-case letter`},
		{samplerPatch("samples: {kick: 7}"), "a sample must be a word"},
		{samplerPatch("samples: [kick]"), "samples must be a mapping"},
		{samplerPatch("samples: {kick: a.wav, kick: b.wav}"), `"kick"`},
		{samplerPatch("samples: {" + many(patch.MaxSamples+1) + "}"), "too many samples; the maximum is 256"},
	} {
		p, err := patch.Parse("p", []byte(tt.text))
		if err == nil {
			_, err = patch.Compile(p, 48000, 64, 2)
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.100s: %v; want %s", tt.text, err, tt.want)
		}
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "s%d: a.wav, ", i)
	}
	return b.String()
}

// A plan opens each sample once, has another hash for another sample, and bounds the size of all
// samples.
func TestWithSamples(t *testing.T) {
	plan := func(kick, snare string) *patch.Plan {
		p, err := patch.Parse("p", []byte(samplerPatch(fmt.Sprintf("samples: {kick: sha256:%s, snare: sha256:%s, unused: sha256:%s}", kick, snare, sums[2]))))
		if err != nil {
			t.Fatal(err)
		}
		plan, err := patch.Compile(p, 48000, 64, 2)
		if err != nil {
			t.Fatal(err)
		}
		return plan
	}
	of := plan(sums[0], sums[1])
	if plan(sums[0], sums[1]).Hash != of.Hash || plan(sums[0], sums[2]).Hash == of.Hash {
		t.Error("the plan's hash does not tell what is played")
	}
	var asked []string
	frames := 100
	open := func(sum string) (*dsp.Sample, error) {
		asked = append(asked, sum)
		return dsp.NewSample(48000, make([]float32, frames)), nil
	}
	with, err := of.WithSamples(open)
	if err != nil || len(asked) != 2 {
		t.Fatalf("%v, asked for %v", err, asked)
	}
	a, _, _ := with.Lookup("a", "root")
	b, _, _ := with.Lookup("b", "root")
	if with.Nodes()[a].Sample == nil || with.Nodes()[a].Sample != with.Nodes()[b].Sample || of.Nodes()[a].Sample != nil {
		t.Error("a sample is not shared, or the plan itself was changed")
	}
	frames = patch.MaxSampleBytes/8 + 1
	if _, err := of.WithSamples(open); err == nil || !strings.Contains(err.Error(), "the maximum is 64 MB") {
		t.Errorf("too much: %v", err)
	}
	_, err = of.WithSamples(func(string) (*dsp.Sample, error) { return nil, errors.New("lost") })
	if err == nil || !strings.Contains(err.Error(), `node "a": sample sha256:`+sums[0]+": lost") {
		t.Errorf("%v", err)
	}
}
