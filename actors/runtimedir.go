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

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm/sys"
)

// The files of a runtime directory.
const (
	lockFile        = "engine.lock" // held by the living engine; has its pid
	SocketFile      = "engine.sock" // HTTP for status and the like
	audioSocketFile = "audio.sock"  // the audio process's, for its engine
	nextSocketFile  = "audio-next.sock"
	spareSocketFile = "audio-spare.sock"
	crewFile        = "crew.json" // the processes that the engine started
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
	if n := len(filepath.Join(path, spareSocketFile)); n > 107 {
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
	_ = os.Remove(d.file(audioSocketFile))
	_ = os.Remove(d.file(nextSocketFile))
	_ = os.Remove(d.file(spareSocketFile))
	_ = os.Remove(d.file(crewFile))
	_ = os.Remove(d.file(mutedFile))
	_ = d.lock.Close()
}

// member is a process of the crew. Start, in clock ticks since boot, tells it from a later
// process of the same number.
type member struct {
	Role  string `json:"role"` // workerChild or audioChild
	PID   int    `json:"pid"`
	Start uint64 `json:"start"`
}

// open is the process, if it is still there. The caller closes it.
func (m member) open() (p sys.Process, ok bool) {
	p, err := sys.OpenProcess(m.PID) // first, so that what is looked at is what is signalled
	if err != nil {
		return p, false
	}
	if start, ok := sys.StartTime(m.PID); !ok || start != m.Start {
		_ = p.Close()
		return p, false
	}
	return p, true
}

// saveCrew puts the processes on record for the engine after this one.
func (d *runtimeDir) saveCrew(crew []member) error {
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
func (d *runtimeDir) crew() (crew []member, err error) {
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

// saveCrew puts the living processes on record, and more, which has just been started. It is called with the rig locked, before
// the process gets anything that an engine after this one would have to know of.
func (r *rig) saveCrew(more ...member) {
	crew := more
	if r.audio.running {
		crew = append(crew, member{Role: audioChild, PID: r.audio.proc.PID})
	}
	for _, a := range []*audioProcess{&r.next, &r.spareAudio} {
		if a.running {
			crew = append(crew, member{Role: audioChild, PID: a.proc.PID})
		}
	}
	if r.spare != nil {
		crew = append(crew, member{Role: workerChild, PID: r.spare.proc.PID})
	}
	for _, s := range r.slots {
		if s.phase != empty {
			crew = append(crew, member{Role: workerChild, PID: s.proc.PID})
		}
	}
	for i := range crew {
		crew[i].Start, _ = sys.StartTime(crew[i].PID)
	}
	if err := r.enrol(crew); err != nil {
		r.emit(report.SaveFailed{What: "list of processes", Err: err})
	}
}
