package actors

import "github.com/music-chronus/chronus/actors/internal/runtimedir"

// ErrRunning is returned by Start if another engine runs in the runtime directory.
var ErrRunning = runtimedir.ErrRunning

// DefaultRuntimeDir returns XDG_RUNTIME_DIR/chronus, or else a directory of the user's own in the
// system's directory for temporary files.
func DefaultRuntimeDir() string { return runtimedir.Default() }

// DefaultStateFile returns the file in which an engine of a runtime directory saves its state. The
// file lies in XDG_STATE_HOME/chronus, or else in ~/.local/state/chronus. Without a home directory,
// DefaultStateFile returns "".
func DefaultStateFile(runtimeDir string) string { return runtimedir.DefaultStateFile(runtimeDir) }
