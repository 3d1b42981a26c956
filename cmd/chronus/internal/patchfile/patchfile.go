// Package patchfile reads patch files and follows their changes.
package patchfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/samples"
)

// Read reads a patch file, and copies the samples that it names into the store.
func Read(store samples.Store, path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return store.Load(path, text, filepath.Dir(path))
}

// Load reads a patch file, or the preset of that name if there is no such file.
func Load(store samples.Store, name string) ([]byte, error) {
	text, err := Read(store, name)
	if _, serr := os.Stat(name); !errors.Is(serr, fs.ErrNotExist) {
		return text, err
	}
	text, perr := patch.Preset(name)
	if perr != nil {
		return nil, fmt.Errorf("%w, and %w", err, perr)
	}
	return text, nil
}
