package main

import (
	"cmp"
	"fmt"

	"github.com/music-chronus/chronus/cmd/chronus/internal/patchfile"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/patch/schema"
	"github.com/music-chronus/chronus/dsp/samples"
)

type presetsCmd struct {
	Name string `arg:"" optional:"" help:"Print this preset, as a start for a patch of your own."`
}

// Run lists the presets, or prints one.
func (c *presetsCmd) Run(s streams) error {
	if c.Name != "" {
		text, err := patch.Preset(c.Name)
		if err == nil {
			_, err = s.out.Write(text)
		}
		return err
	}
	for _, name := range patch.Presets() {
		text, err := patch.Preset(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%-20s %s\n", name, patch.About(text))
	}
	return nil
}

type schemaCmd struct {
	Rate float64 `help:"Sample rate, on which some ranges depend." default:"48000" placeholder:"HZ"`
}

// Run prints the schema.
func (c *schemaCmd) Run(s streams) error {
	if !(c.Rate >= 8000 && c.Rate <= 384000) {
		return fmt.Errorf("--rate %v: must be 8000 to 384000", c.Rate)
	}
	text, err := schema.Patch(c.Rate)
	if err == nil {
		_, err = fmt.Fprintln(s.out, string(text))
	}
	return err
}

// samplesFlag names the store of samples.
type samplesFlag struct {
	Samples string `help:"Directory that the samples of patches are copied to and played from." default:"${samples}" type:"path" placeholder:"DIR"`
}

// store returns the store.
func (f samplesFlag) store() samples.Store {
	return samples.In(cmp.Or(f.Samples, samples.DefaultDir()))
}

// loadPatch reads a patch file, or the preset of that name if there is no such file.
func (f samplesFlag) loadPatch(name string) ([]byte, error) { return patchfile.Load(f.store(), name) }
