// Package driver has the common part of the backends that call a driver written in C: its
// complaints are silenced, its calls are bounded, and its silence is noticed.
package driver

import (
	"os"
	"sync"
	"syscall"
)

// stderrFD is where C libraries complain.
const stderrFD = 2

var quiet sync.Mutex

func init() {
	// A client that finds no JACK server must not start one, and must not wait for D-Bus.
	for _, name := range []string{"JACK_NO_START_SERVER", "JACK_NO_AUDIO_RESERVATION"} {
		_ = os.Setenv(name, "1")
	}
}

// Debug tells whether the user wants to see the complaints of drivers: CHRONUS_AUDIO_DEBUG=1.
func Debug() bool { return os.Getenv("CHRONUS_AUDIO_DEBUG") != "" }

// Quietly runs f with the process's standard error thrown away: while PortAudio looks for
// devices, ALSA and JACK print about each that is not there.
func Quietly(f func()) {
	quiet.Lock()
	defer quiet.Unlock()
	if Debug() {
		f()
		return
	}
	saved, err := syscall.Dup(stderrFD)
	if err != nil {
		f()
		return
	}
	defer syscall.Close(saved)
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		f()
		return
	}
	defer null.Close()
	_ = syscall.Dup3(int(null.Fd()), stderrFD, 0)
	defer func() { _ = syscall.Dup3(saved, stderrFD, 0) }()
	f()
}
