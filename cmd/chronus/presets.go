package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/patch/schema"
	"github.com/music-chronus/chronus/dsp/samples"
)

type presetsCmd struct {
	Name string `arg:"" optional:"" help:"Print this preset: the beginning of a patch of your own."`
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
	Rate float64 `help:"Frames a second: some ranges depend on it." default:"48000" placeholder:"HZ"`
}

// Run prints the schema.
func (c *schemaCmd) Run(s streams) error {
	if !(c.Rate >= 8000 && c.Rate <= 384000) {
		return fmt.Errorf("--rate %v: it is 8000 to 384000", c.Rate)
	}
	text, err := schema.Patch(c.Rate)
	if err == nil {
		_, err = fmt.Fprintln(s.out, string(text))
	}
	return err
}

// samplesFlag says where the samples of patches are kept.
type samplesFlag struct {
	Samples string `help:"Folder that the samples of patches are copied to and played from." default:"${samples}" type:"path" placeholder:"DIR"`
}

// store is that folder.
func (f samplesFlag) store() samples.Store {
	return samples.In(cmp.Or(f.Samples, samples.DefaultDir()))
}

// readPatch reads a patch file, and puts the samples that it names into the store.
func (f samplesFlag) readPatch(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return f.store().Load(path, text, filepath.Dir(path))
}

// loadPatch reads a patch file, or the preset of that name if there is no such file.
func (f samplesFlag) loadPatch(name string) ([]byte, error) {
	text, err := f.readPatch(name)
	if _, serr := os.Stat(name); !errors.Is(serr, fs.ErrNotExist) {
		return text, err
	}
	text, perr := patch.Preset(name)
	if perr != nil {
		return nil, fmt.Errorf("%w, and %w", err, perr)
	}
	return text, nil
}
