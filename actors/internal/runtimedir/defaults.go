package runtimedir

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Default returns the runtime directory of a user: see actors.DefaultRuntimeDir.
func Default() string {
	if d := os.Getenv("XDG_RUNTIME_DIR"); d != "" {
		return filepath.Join(d, "chronus")
	}
	return filepath.Join(os.TempDir(), "chronus-"+strconv.Itoa(os.Getuid()))
}

// DefaultStateFile returns the state file that belongs to a runtime directory: see
// actors.DefaultStateFile.
func DefaultStateFile(runtimeDir string) string {
	base := os.Getenv("XDG_STATE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		base = filepath.Join(home, ".local", "state")
	}
	name := strings.ReplaceAll(strings.Trim(filepath.ToSlash(runtimeDir), "/"), "/", "-")
	return filepath.Join(base, "chronus", name+".state")
}
