package actors

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/music-chronus/chronus/actors/internal/output"
	"github.com/music-chronus/chronus/actors/internal/survivors"
)

// The files of a runtime directory.
const (
	lockFile   = "engine.lock" // held by the living engine; has its pid
	SocketFile = "engine.sock" // HTTP for status and the like
	crewFile   = "crew.json"   // the processes that the engine started
)

// DefaultRuntimeDir is XDG_RUNTIME_DIR/chronus, else a directory of the user's own under the
// system's temporary one.
func DefaultRuntimeDir() string {
	if d := os.Getenv("XDG_RUNTIME_DIR"); d != "" {
		return filepath.Join(d, "chronus")
	}
	return filepath.Join(os.TempDir(), "chronus-"+strconv.Itoa(os.Getuid()))
}

// runtimeDir is a locked runtime directory.
type runtimeDir struct {
	path     string
	lock     *os.File
	occupied bool // processes of an engine that was lost live here and are let be
}

// lockRuntimeDir makes the directory if need be and takes its lock. Only one engine has it.
func lockRuntimeDir(path string) (*runtimeDir, error) {
	if path == "" {
		return nil, errNoRuntimeDir
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("runtime directory %s: %w: choose another with --runtime-dir", path, err)
	}
	if n := len(filepath.Join(path, output.SpareSocket)); n > 107 {
		return nil, fmt.Errorf("runtime directory %s: its name is too long for a socket by %d bytes: choose another with --runtime-dir", path, n-107)
	}
	f, err := os.OpenFile(filepath.Join(path, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("runtime directory %s: %w: choose another with --runtime-dir", path, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			pid := make([]byte, 20)
			n, _ := f.Read(pid)
			return nil, fmt.Errorf("an engine already runs in %s (process %s): stop it with chronus down, or use another --runtime-dir",
				path, strings.TrimSpace(string(pid[:n])))
		}
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return &runtimeDir{path: path, lock: f}, nil
}

func (d *runtimeDir) file(name string) string { return filepath.Join(d.path, name) }

// release removes what only a living engine has, and the lock with it.
func (d *runtimeDir) release() {
	if d.occupied {
		_ = d.lock.Close()
		return
	}
	_ = os.Remove(d.file(SocketFile))
	_ = os.Remove(d.file(output.MainSocket))
	_ = os.Remove(d.file(output.CandidateSocket))
	_ = os.Remove(d.file(output.SpareSocket))
	_ = os.Remove(d.file(crewFile))
	_ = os.Remove(d.file(mutedFile))
	_ = d.lock.Close()
}

// saveCrew puts the processes on record for the engine after this one.
func (d *runtimeDir) saveCrew(crew []survivors.Record) error {
	b, err := json.Marshal(crew)
	if err != nil {
		return err
	}
	return d.replace(crewFile, b)
}

// replace puts a file in the place of the one that is there, whole or not at all.
func (d *runtimeDir) replace(name string, b []byte) error {
	tmp := d.file(name + ".tmp")
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, d.file(name))
}

// crew is what the engine before this one had on record when it ended, if it did not end in order.
func (d *runtimeDir) crew() (crew []survivors.Record, err error) {
	b, err := os.ReadFile(d.file(crewFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &crew)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.file(crewFile), err)
	}
	return crew, nil
}
