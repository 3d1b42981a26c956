package statefile

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/shm"
)

// Recall reads the state that an earlier engine saved: to resume from it, or only to know the last
// patch that was good. It returns nil if there is no usable state. resumed is false if nothing has
// been saved yet. The error says why an engine that shall resume cannot.
func Recall(path string, resume bool, g shm.Geometry, samples string, own []*dsp.Desc, log *slog.Logger) (s *State, resumed bool, err error) {
	if path == "" {
		if resume {
			return nil, false, errors.New("resume: no state file is named: give --state")
		}
		return nil, false, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, resume, fmt.Errorf("state file: %w: choose another with --state", err)
	}
	read, err := Read(path)
	if err == nil && resume {
		err = read.Check(g, samples, own)
	}
	switch {
	case err == nil:
		return &read, resume, nil
	case errors.Is(err, os.ErrNotExist):
		if resume {
			log.Warn("nothing has been saved yet; it begins anew", "file", path)
		}
		return nil, false, nil
	case resume:
		return nil, true, fmt.Errorf("resume from %s: %w", path, err)
	}
	log.Warn("the saved state cannot be read, and will be written anew", "error", err)
	return nil, false, nil
}
