// Package soundserver finds the sound servers of this machine, says which way to the sound card is the
// best of those that exist, and prepares the environment in which an audio process can take it.
package soundserver

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Servers are the sound servers that accept connections now.
type Servers struct {
	JACK     bool   // a jackd, not PipeWire in its place
	PipeWire bool   // PipeWire's daemon
	Pulse    bool   // PulseAudio, or PipeWire in its place
	Library  string // the folder of PipeWire's JACK library; "": it is not installed
}

// Look looks for servers. It takes less than a millisecond if none hangs.
func Look() Servers {
	return Servers{JACK: jackd(), PipeWire: pipewire(), Pulse: pulse(), Library: library()}
}

// Desktop tells whether a server of the desktop shares the sound cards among programs: one that
// opens the hardware itself takes it from all others.
func (s Servers) Desktop() bool { return s.PipeWire || s.Pulse }

const (
	loaderPath = "LD_LIBRARY_PATH"
	auto       = "auto"
	jack       = "jack"
)

// Env has what to add to the environment of an audio process that is to play on the given backend:
// PipeWire's JACK library comes first if no jackd can be reached. pw-jack does the same.
func (s Servers) Env(backend string) []string {
	if s.JACK || s.Library == "" || backend != auto && backend != jack {
		return nil
	}
	return LibraryEnv(s.Library)
}

// LibraryEnv puts a folder before those that the dynamic loader searches; nil if it is there already.
func LibraryEnv(folder string) []string {
	folders := filepath.SplitList(os.Getenv(loaderPath))
	if folder == "" || slices.Contains(folders, folder) {
		return nil
	}
	return []string{loaderPath + "=" + strings.Join(append([]string{folder}, folders...), string(filepath.ListSeparator))}
}

// InUse is the folder of PipeWire's JACK library in this process's environment; "": none.
func InUse() string {
	for _, folder := range filepath.SplitList(os.Getenv(loaderPath)) {
		if isLibrary(folder) {
			return folder
		}
	}
	return ""
}

// jackd tells whether the JACK server that this user would reach by default accepts connections.
func jackd() bool {
	name := os.Getenv("JACK_DEFAULT_SERVER")
	if name == "" {
		name = "default"
	}
	uid := strconv.Itoa(os.Getuid())
	owner := uid
	if os.Getenv("JACK_PROMISCUOUS_SERVER") != "" {
		owner = "*"
	}
	for _, folder := range []string{"/dev/shm", "/tmp"} {
		for _, socket := range []string{
			fmt.Sprintf("jack_%s_%s_0", name, owner), // JACK 2
			fmt.Sprintf("jack-%s/%s/jack_0", uid, name),
		} {
			found, _ := filepath.Glob(filepath.Join(folder, socket))
			if slices.ContainsFunc(found, accepts) {
				return true
			}
		}
	}
	return false
}

func pipewire() bool {
	name := os.Getenv("PIPEWIRE_REMOTE")
	if name == "" {
		name = "pipewire-0"
	}
	for _, folder := range []string{os.Getenv("PIPEWIRE_RUNTIME_DIR"), os.Getenv("XDG_RUNTIME_DIR")} {
		if folder != "" && accepts(filepath.Join(folder, name)) {
			return true
		}
	}
	return filepath.IsAbs(name) && accepts(name)
}

func pulse() bool {
	if server := os.Getenv("PULSE_SERVER"); server != "" {
		path, local := strings.CutPrefix(server, "unix:")
		return !local || accepts(path)
	}
	for _, folder := range []string{os.Getenv("PULSE_RUNTIME_PATH"), filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "pulse")} {
		if folder != "" && accepts(filepath.Join(folder, "native")) {
			return true
		}
	}
	return false
}

// acceptWait is how long a server may take to accept a connection.
const acceptWait = 500 * time.Millisecond

// accepts tells whether somebody listens at a socket. A connection also starts a server that systemd
// starts on demand.
func accepts(socket string) bool {
	c, err := net.DialTimeout("unix", socket, acceptWait)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// triplets are Debian's names of architectures.
var triplets = map[string]string{
	"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu", "arm": "arm-linux-gnueabihf", "386": "i386-linux-gnu",
	"riscv64": "riscv64-linux-gnu", "ppc64le": "powerpc64le-linux-gnu", "s390x": "s390x-linux-gnu", "loong64": "loongarch64-linux-gnu",
}

// library looks where distributions install PipeWire's JACK library.
func library() string {
	for _, prefix := range []string{"/usr/lib/" + triplets[runtime.GOARCH], "/usr/lib64", "/usr/lib", "/usr/local/lib64", "/usr/local/lib"} {
		if folder := prefix + "/pipewire-0.3/jack"; isLibrary(folder) {
			return folder
		}
	}
	return ""
}

func isLibrary(folder string) bool {
	if !strings.Contains(folder, "pipewire") {
		return false
	}
	_, err := os.Stat(filepath.Join(folder, "libjack.so.0"))
	return err == nil
}
