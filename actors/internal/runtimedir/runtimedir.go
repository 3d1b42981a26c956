// Package runtimedir keeps the files of a runtime directory: the lock of the engine that runs
// there, its sockets, the list of its processes, and the level of an engine that is muted.
package runtimedir

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/music-chronus/chronus/actors/internal/survivors"
)

// ControlSocket is the file of the control socket: see package control.
const ControlSocket = "engine.sock"

const (
	lockFile      = "engine.lock" // locked while the engine lives; contains its process number
	processesFile = "processes.json"
	mutedFile     = "muted" // the amp before the engine was muted; no file: not muted
)

// socketMax is the most bytes of a socket's name, in Linux.
const socketMax = 107

// ErrRunning reports that the directory belongs to a living engine.
var ErrRunning = errors.New("an engine already runs")

// Dir is a locked runtime directory.
type Dir struct {
	path    string
	sockets []string
	lock    *os.File
	keep    bool
}

// Lock makes the directory if necessary, and locks it for this engine. It returns ErrRunning if
// another engine has the lock. sockets names the sockets that the engine puts there, besides
// ControlSocket.
func Lock(path string, sockets ...string) (*Dir, error) {
	sockets = append(sockets, ControlSocket)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("runtime directory %s: %w; choose another runtime directory", path, err)
	}
	for _, name := range sockets {
		if n := len(filepath.Join(path, name)); n > socketMax {
			return nil, fmt.Errorf("runtime directory %s: name too long for %s by %d bytes; "+
				"choose another runtime directory", path, name, n-socketMax)
		}
	}
	f, err := os.OpenFile(filepath.Join(path, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("runtime directory %s: %w; choose another runtime directory", path, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			pid := make([]byte, 20)
			n, _ := f.Read(pid)
			return nil, fmt.Errorf("%w in %s (process %s): stop it, or choose another runtime directory",
				ErrRunning, path, strings.TrimSpace(string(pid[:n])))
		}
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return &Dir{path: path, sockets: sockets, lock: f}, nil
}

// File returns the path of a file of the directory.
func (d *Dir) File(name string) string { return filepath.Join(d.path, name) }

// Keep makes Release leave all files in place: processes of a lost engine still use them.
func (d *Dir) Keep() { d.keep = true }

// Release removes the files that belong to a living engine, and the lock.
func (d *Dir) Release() {
	if !d.keep {
		for _, name := range append(d.sockets, processesFile, mutedFile) {
			_ = os.Remove(d.File(name))
		}
	}
	_ = d.lock.Close()
}

// SaveProcesses records the engine's processes for an engine that takes over.
func (d *Dir) SaveProcesses(list []survivors.Record) error {
	b, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return d.replace(processesFile, b)
}

// Processes returns the record of an earlier engine that did not end in order, or nil.
func (d *Dir) Processes() (list []survivors.Record, err error) {
	b, err := os.ReadFile(d.File(processesFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &list)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.File(processesFile), err)
	}
	return list, nil
}

// SaveMuted records that the engine is muted, with the amp that it had before, or that it is not
// muted.
func (d *Dir) SaveMuted(muted bool, before float64) error {
	if !muted {
		if err := os.Remove(d.File(mutedFile)); !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	return d.replace(mutedFile, strconv.AppendFloat(nil, before, 'g', -1, 64))
}

// Muted returns the record that SaveMuted made.
func (d *Dir) Muted() (before float64, muted bool, err error) {
	b, err := os.ReadFile(d.File(mutedFile))
	if errors.Is(err, os.ErrNotExist) {
		return 0, false, nil
	}
	if err == nil {
		before, err = strconv.ParseFloat(strings.TrimSpace(string(b)), 64)
	}
	if err == nil {
		err = CheckAmp(before)
	}
	if err != nil {
		return 0, false, fmt.Errorf("%s: %w", d.File(mutedFile), err)
	}
	return before, true, nil
}

// CheckAmp returns an error for a value that is not the amp of an engine.
func CheckAmp(x float64) error {
	if !(x >= 0 && x <= 1) {
		return fmt.Errorf("amp %g: want 0 to 1", x)
	}
	return nil
}

// replace writes a file as a whole or not at all.
func (d *Dir) replace(name string, b []byte) error {
	tmp := d.File(name + ".tmp")
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, d.File(name))
}
