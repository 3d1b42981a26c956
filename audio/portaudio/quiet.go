package portaudio

// #include <stdlib.h>
import "C"

import (
	"os"
	"sync"
	"syscall"
	"unsafe"
)

// stderrFD is where C libraries complain.
const stderrFD = 2

var quiet sync.Mutex

func init() {
	// A client that finds no JACK server must not start one, and must not wait for D-Bus.
	for _, name := range []string{"JACK_NO_START_SERVER", "JACK_NO_AUDIO_RESERVATION"} {
		setenv(name, "1")
	}
}

// setenv sets a variable where C sees it: os.Setenv does so only in programs that import cgo's
// hook at the right time.
func setenv(name, value string) {
	n, v := C.CString(name), C.CString(value)
	defer C.free(unsafe.Pointer(n))
	defer C.free(unsafe.Pointer(v))
	C.setenv(n, v, 1)
}

// quietly runs f with the process's standard error thrown away: while PortAudio looks for
// devices, ALSA and JACK print about each that is not there. CHRONUS_AUDIO_DEBUG=1 shows it.
func quietly(f func()) {
	quiet.Lock()
	defer quiet.Unlock()
	if os.Getenv("CHRONUS_AUDIO_DEBUG") != "" {
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
