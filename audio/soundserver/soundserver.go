// Package soundserver finds the running sound servers, chooses the best path to the sound card, and
// prepares the environment for an audio process to use it.
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

// Servers tells which sound servers accept connections now.
type Servers struct {
	JACK     bool   // jackd, not PipeWire in its place
	PipeWire bool   // PipeWire's daemon
	Pulse    bool   // PulseAudio, or PipeWire in its place
	Library  string // folder of PipeWire's JACK library; "": not installed
}

// Look finds the running servers. It takes less than 1 ms if none hangs.
func Look() Servers {
	return Servers{JACK: jackd(), PipeWire: pipewire(), Pulse: pulse(), Library: library()}
}

// Desktop reports whether a desktop's server shares the sound cards among programs. A program that
// opens the hardware itself would take it from all others.
func (s Servers) Desktop() bool { return s.PipeWire || s.Pulse }

const (
	loaderPath = "LD_LIBRARY_PATH"
	auto       = "auto"
	jack       = "jack"
)

// Env returns what to add to the environment of an audio process with this backend: it puts
// PipeWire's JACK library first if no jackd runs, as pw-jack does.
func (s Servers) Env(backend string) []string {
	if s.JACK || s.Library == "" || backend != auto && backend != jack {
		return nil
	}
	return LibraryEnv(s.Library)
}

// LibraryEnv puts a folder first in the dynamic loader's path. It returns nil if the folder is in
// it.
func LibraryEnv(folder string) []string {
	folders := filepath.SplitList(os.Getenv(loaderPath))
	if folder == "" || slices.Contains(folders, folder) {
		return nil
	}
	all := append([]string{folder}, folders...)
	return []string{loaderPath + "=" + strings.Join(all, string(filepath.ListSeparator))}
}

// InUse returns the folder of PipeWire's JACK library in this process's environment; "": none.
func InUse() string {
	for _, folder := range filepath.SplitList(os.Getenv(loaderPath)) {
		if isLibrary(folder) {
			return folder
		}
	}
	return ""
}

// jackd reports whether the default JACK server of this user accepts connections.
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
	for _, folder := range []string{
		os.Getenv("PULSE_RUNTIME_PATH"), filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "pulse"),
	} {
		if folder != "" && accepts(filepath.Join(folder, "native")) {
			return true
		}
	}
	return false
}

// acceptWait is how long a server may take to accept a connection.
const acceptWait = 500 * time.Millisecond

// accepts reports whether a program listens at a socket. Connecting also starts a server that
// systemd starts on demand.
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
	"riscv64": "riscv64-linux-gnu", "ppc64le": "powerpc64le-linux-gnu",
	"s390x": "s390x-linux-gnu", "loong64": "loongarch64-linux-gnu",
}

// library looks where distributions install PipeWire's JACK library.
func library() string {
	for _, prefix := range []string{
		"/usr/lib/" + triplets[runtime.GOARCH], "/usr/lib64", "/usr/lib", "/usr/local/lib64", "/usr/local/lib",
	} {
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
