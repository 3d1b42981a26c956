// Package driver is shared by the backends that call a driver written in C. It silences what
// drivers print, bounds the time of their calls, and detects devices that stop calling.
package driver

import (
	"os"
	"sync"
	"syscall"
)

// stderrFD is where C libraries print complaints.
const stderrFD = 2

var quiet sync.Mutex

func init() {
	// A client that finds no JACK server must neither start one nor wait for D-Bus.
	for _, name := range []string{"JACK_NO_START_SERVER", "JACK_NO_AUDIO_RESERVATION"} {
		_ = os.Setenv(name, "1")
	}
}

// Debug reports whether the user wants to see what drivers print: CHRONUS_AUDIO_DEBUG=1.
func Debug() bool { return os.Getenv("CHRONUS_AUDIO_DEBUG") != "" }

// Quietly runs f while standard error of the process goes to /dev/null. ALSA and JACK print a line
// for each absent device when PortAudio enumerates them.
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
