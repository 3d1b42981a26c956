package soundserver

import (
	"fmt"
	"strings"
)

// Explain describes the path from the engine to the sound card, with its reason, and a better path;
// "": none. backend, api and device are those of audio.Info. library is InUse.
func (s Servers) Explain(backend, api, device, library string) (path, better string) {
	switch {
	case backend == jack || strings.HasPrefix(api, "JACK"):
		if library != "" && !s.JACK {
			return "PipeWire by its JACK library: PipeWire is running, no jackd is", ""
		}
		return "JACK: its server is running", ""
	case api == "ALSA" && Hardware(device):
		if s.Desktop() {
			return "ALSA hardware, for this program alone",
				s.Name() + " is running: leave --device out to share the card with other programs"
		}
		return "ALSA hardware: no sound server is running", ""
	case api == "ALSA":
		return s.plugin(device)
	case api == "OSS":
		return "OSS: neither a sound server nor ALSA has a device", ""
	}
	return "", ""
}

// plugin explains an ALSA device that is not hardware.
func (s Servers) plugin(device string) (path, better string) {
	switch {
	case s.JACK:
		return fmt.Sprintf("ALSA plugin %q", device), "a JACK server is running: use --backend jack for less latency"
	case s.PipeWire && s.Library != "":
		return "PipeWire by its ALSA plugin",
			"PipeWire's JACK library is installed: leave --backend and --device out for less latency"
	case s.PipeWire:
		return "PipeWire by its ALSA plugin: PipeWire is running without its JACK library",
			"PipeWire is running; install pipewire-jack or start with pw-jack for less latency"
	case s.Pulse:
		return "PulseAudio by its ALSA plugin: PulseAudio is running",
			"start a JACK server, or PipeWire with pipewire-jack, for less latency"
	}
	return fmt.Sprintf("ALSA plugin %q: no hardware device could be opened", device),
		"name a device of the hardware for less latency: chronus devices lists them"
}

// Name returns the server that a program plays on by default; "": none runs.
func (s Servers) Name() string {
	switch {
	case s.JACK:
		return "JACK"
	case s.PipeWire:
		return "PipeWire"
	case s.Pulse:
		return "PulseAudio"
	}
	return ""
}

// Hardware reports whether PortAudio's name of an ALSA device means a card, not a plugin.
func Hardware(device string) bool { return strings.Contains(device, "(hw:") }

// Rank orders PortAudio's devices by preference for a program that names none. Lower is better.
func (s Servers) Rank(api, device string) int {
	name := strings.ToLower(device)
	hardware := Hardware(name)
	screen := strings.Contains(name, "hdmi") || strings.Contains(name, "displayport")
	switch {
	case strings.HasPrefix(api, "JACK"):
		return 0
	case api == "OSS":
		return 90
	case api != "ALSA":
		return 20
	case hardware && screen:
		return s.exclusive() + 1
	case hardware:
		return s.exclusive()
	case s.PipeWire && name == "pipewire", s.Pulse && name == "pulse":
		return 30
	case name == "default":
		return 31
	case name == "sysdefault", name == "dmix":
		return 32
	}
	return 33
}

// exclusive is the rank of a card: better than all plugins, unless a desktop uses the card.
func (s Servers) exclusive() int {
	if s.Desktop() {
		return 40
	}
	return 10
}
