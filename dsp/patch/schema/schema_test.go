package schema_test

import (
	"bytes"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/patch/schema"
)

// The schema accepts every preset, and rejects what Parse or Compile would reject.
func TestSchema(t *testing.T) {
	text, err := schema.Patch(48000)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("patch.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("patch.json")
	if err != nil {
		t.Fatal(err)
	}
	check := func(text []byte) error {
		j, err := yaml.YAMLToJSON(text)
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(j))
		if err != nil {
			t.Fatal(err)
		}
		return compiled.Validate(v)
	}
	if err := check(patch.Default()); err != nil {
		t.Errorf("default: %v", err)
	}
	for _, name := range patch.Presets() {
		text, _ := patch.Preset(name)
		if err := check(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := check([]byte("version: 1\nsamples: {kick: k.wav}\nnodes: [{id: a, type: sampler, sample: kick}]\ncables: [a > out]\n")); err != nil {
		t.Errorf("samples: %v", err)
	}
	for _, bad := range []string{
		"version: 1\nsamples: {Kick: k.wav}", "version: 1\nsamples: [k.wav]", "version: 1\nnodes: [{id: a, type: sampler}]",
		"version: 1\nnodes: [{id: a, type: sine, sample: kick}]",
		"name: x", "version: 2", "version: 1\nnode: []", "version: 1\nnodes: [{id: a, type: sin}]", "version: 1\nnodes: [{id: A, type: sine}]",
		"version: 1\nnodes: [{id: a, type: sine, params: {freq: 99999}}]", "version: 1\nnodes: [{id: a, type: sine, params: {frq: 1}}]",
		"version: 1\nnodes: [{id: a, type: biquad, params: {mode: spectral}}]", "version: 1\nvoices: {nodes: []}", "version: 1\nvoices: {count: 300, nodes: []}",
		"version: 1\npatterns: [{number: 0, steps: xyz}]", "version: 1\ntracks: [{id: t, division: 1/5}]", "version: 1\ntempo: 5",
	} {
		if err := check([]byte(bad)); err == nil {
			t.Errorf("accepted as a patch:\n%s", bad)
		}
	}
}
