package runtimedir

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Default returns XDG_RUNTIME_DIR/chronus, or else a directory of the user's own in the system's
// directory for temporary files.
func Default() string {
	if d := os.Getenv("XDG_RUNTIME_DIR"); d != "" {
		return filepath.Join(d, "chronus")
	}
	return filepath.Join(os.TempDir(), "chronus-"+strconv.Itoa(os.Getuid()))
}

// DefaultStateFile returns the file in XDG_STATE_HOME/chronus, or else in ~/.local/state/chronus, in
// which an engine of a runtime directory saves its state. Without a home directory it returns "".
func DefaultStateFile(dir string) string {
	base := os.Getenv("XDG_STATE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		base = filepath.Join(home, ".local", "state")
	}
	name := strings.ReplaceAll(strings.Trim(filepath.ToSlash(dir), "/"), "/", "-")
	return filepath.Join(base, "chronus", name+".state")
}
