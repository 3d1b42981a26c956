package actors

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/music-chronus/chronus/actors/internal/runtimedir"
	"github.com/music-chronus/chronus/actors/report"
)

// ErrRunning is returned by Start if another engine runs in the runtime directory.
var ErrRunning = runtimedir.ErrRunning

// DefaultRuntimeDir returns XDG_RUNTIME_DIR/chronus, or else a directory of the user's own in the system's
// directory for temporary files.
func DefaultRuntimeDir() string {
	if d := os.Getenv("XDG_RUNTIME_DIR"); d != "" {
		return filepath.Join(d, "chronus")
	}
	return filepath.Join(os.TempDir(), "chronus-"+strconv.Itoa(os.Getuid()))
}

// DefaultStateFile returns the file in which an engine of a runtime directory saves its state. It lies in
// XDG_STATE_HOME/chronus, or else in ~/.local/state/chronus. Without a home directory it is "".
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

// Down is closed when a client of the control socket, such as `chronus down`, asks for the engine's end.
func (e *Engine) Down() <-chan struct{} { return e.control.Down() }

// recordProcesses records the living processes, and started, the numbers of workers that have no place yet.
// Call it with the rig locked, before a new process gets a descriptor that a later engine would need.
func (r *rig) recordProcesses(started ...int) {
	var list []runtimedir.Process
	add := func(role string, pid int) { list = append(list, runtimedir.Record(role, pid)) }
	for _, pid := range started {
		add(workerChild, pid)
	}
	if r.audio.running {
		add(audioChild, r.audio.proc.PID)
	}
	for _, a := range []*audioProcess{&r.next, &r.spareAudio} {
		if a.running {
			add(audioChild, a.proc.PID)
		}
	}
	if r.spare != nil {
		add(workerChild, r.spare.proc.PID)
	}
	for _, s := range r.slots {
		if s.phase != empty {
			add(workerChild, s.proc.PID)
		}
	}
	if err := r.enrol(list); err != nil {
		r.emit(report.SaveFailed{What: "list of processes", Err: err})
	}
}
