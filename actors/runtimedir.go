package actors

import (
	"github.com/music-chronus/chronus/actors/internal/output"
	"github.com/music-chronus/chronus/actors/internal/runtimedir"
)

// ErrRunning is returned by Start if another engine runs in the runtime directory.
var ErrRunning = runtimedir.ErrRunning

// DefaultRuntimeDir returns XDG_RUNTIME_DIR/chronus, or else a directory of the user's own in the
// system's directory for temporary files.
func DefaultRuntimeDir() string { return runtimedir.Default() }

// DefaultStateFile returns the file in which an engine of a runtime directory saves its state. It
// lies in XDG_STATE_HOME/chronus, or else in ~/.local/state/chronus. Without a home directory it is
// "".
func DefaultStateFile(runtimeDir string) string { return runtimedir.DefaultStateFile(runtimeDir) }

func (e *Engine) lockRuntimeDir() (err error) {
	if e.cfg.RuntimeDir == "" {
		return errNoRuntimeDir
	}
	e.dir, err = runtimedir.Lock(e.cfg.RuntimeDir, output.MainSocket, output.CandidateSocket, output.SpareSocket)
	return err
}

// Down is closed when a client of the control socket, such as `chronus down`, asks for the engine's
// end.
func (e *Engine) Down() <-chan struct{} { return e.control.Down() }
