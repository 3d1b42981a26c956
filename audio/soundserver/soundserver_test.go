package soundserver_test

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/audio/soundserver"
)

// soundserver.Look finds the sockets that a program listens at, and no others.
func TestLook(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", dir)
	for _, k := range []string{"PIPEWIRE_RUNTIME_DIR", "PIPEWIRE_REMOTE", "PULSE_SERVER", "PULSE_RUNTIME_PATH"} {
		t.Setenv(k, "")
	}
	t.Setenv("JACK_DEFAULT_SERVER", "no-such-server")
	if s := soundserver.Look(); s.JACK || s.PipeWire || s.Pulse || s.Desktop() {
		t.Errorf("nothing runs, and %+v", s)
	}
	if err := os.Mkdir(filepath.Join(dir, "pulse"), 0o700); err != nil {
		t.Fatal(err)
	}
	listen := func(path string) net.Listener {
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		l.(*net.UnixListener).SetUnlinkOnClose(false) // a server that crashed leaves its socket
		return l
	}
	pipewire, pulse := listen(filepath.Join(dir, "pipewire-0")), listen(filepath.Join(dir, "pulse", "native"))
	if s := soundserver.Look(); !s.PipeWire || !s.Pulse || s.JACK {
		t.Errorf("PipeWire and Pulse run, and %+v", s)
	}
	_, _ = pipewire.Close(), pulse.Close()
	if s := soundserver.Look(); s.PipeWire || s.Pulse {
		t.Errorf("both have ended, and %+v", s)
	}
}

func TestEnv(t *testing.T) {
	const lib = "/usr/lib/pipewire-0.3/jack"
	for _, tt := range []struct {
		servers       soundserver.Servers
		backend, path string
		want          []string
	}{
		{soundserver.Servers{PipeWire: true, Library: lib}, "auto", "", []string{"LD_LIBRARY_PATH=" + lib}},
		{soundserver.Servers{PipeWire: true, Library: lib}, "jack", "/opt/lib", []string{"LD_LIBRARY_PATH=" + lib + ":/opt/lib"}},
		{soundserver.Servers{PipeWire: true, Library: lib}, "jack", "/opt/lib:" + lib, nil},
		{soundserver.Servers{PipeWire: true, Library: lib}, "portaudio", "", nil},
		{soundserver.Servers{PipeWire: true, Library: lib, JACK: true}, "auto", "", nil},
		{soundserver.Servers{PipeWire: true}, "auto", "", nil},
		{soundserver.Servers{Library: lib}, "auto", "", []string{"LD_LIBRARY_PATH=" + lib}}, // PipeWire may start later
	} {
		t.Setenv("LD_LIBRARY_PATH", tt.path)
		if got := tt.servers.Env(tt.backend); !slices.Equal(got, tt.want) {
			t.Errorf("%+v, backend %s, path %q: %v, want %v", tt.servers, tt.backend, tt.path, got, tt.want)
		}
	}
}

// TestRank orders the devices of a laptop, with and without a desktop's sound server.
func TestRank(t *testing.T) {
	list := [][2]string{
		{"OSS", "/dev/dsp"}, {"ALSA", "HDA Intel: HDMI 0 (hw:0,3)"}, {"ALSA", "sysdefault"}, {"ALSA", "default"}, {"ALSA", "pulse"},
		{"ALSA", "pipewire"}, {"ALSA", "USB Audio (hw:1,0)"}, {"JACK Audio Connection Kit", "system"},
	}
	for _, tt := range []struct {
		servers soundserver.Servers
		want    string
	}{
		{soundserver.Servers{}, "system, USB Audio (hw:1,0), HDA Intel: HDMI 0 (hw:0,3), default, sysdefault, pulse, pipewire, /dev/dsp"},
		{soundserver.Servers{PipeWire: true, Pulse: true}, "system, pulse, pipewire, default, sysdefault, USB Audio (hw:1,0), HDA Intel: HDMI 0 (hw:0,3), /dev/dsp"},
		{soundserver.Servers{PipeWire: true}, "system, pipewire, default, sysdefault, pulse, USB Audio (hw:1,0), HDA Intel: HDMI 0 (hw:0,3), /dev/dsp"},
		{soundserver.Servers{Pulse: true}, "system, pulse, default, sysdefault, pipewire, USB Audio (hw:1,0), HDA Intel: HDMI 0 (hw:0,3), /dev/dsp"},
	} {
		ranked := slices.SortedStableFunc(slices.Values(list), func(a, b [2]string) int {
			return tt.servers.Rank(a[0], a[1]) - tt.servers.Rank(b[0], b[1])
		})
		var names []string
		for _, d := range ranked {
			names = append(names, d[1])
		}
		if got := strings.Join(names, ", "); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.servers, got, tt.want)
		}
	}
}

func TestExplain(t *testing.T) {
	const lib = "/usr/lib/pipewire-0.3/jack"
	for _, tt := range []struct {
		servers                       soundserver.Servers
		backend, api, device, library string
		path, better                  string
	}{
		{soundserver.Servers{PipeWire: true, Library: lib}, "jack", "JACK", "nullsink", lib, "PipeWire by its JACK library", ""},
		{soundserver.Servers{JACK: true, Library: lib}, "jack", "JACK", "system", lib, "JACK: its server is running", ""},
		{soundserver.Servers{JACK: true}, "portaudio", "JACK Audio Connection Kit", "system", "", "JACK: its server is running", ""},
		{soundserver.Servers{PipeWire: true}, "portaudio", "ALSA", "default", "", "without its JACK library", "install pipewire-jack or start with pw-jack"},
		{soundserver.Servers{PipeWire: true, Library: lib}, "portaudio", "ALSA", "default", "", "PipeWire by its ALSA plugin", "leave --backend and --device out"},
		{soundserver.Servers{Pulse: true}, "portaudio", "ALSA", "pulse", "", "PulseAudio by its ALSA plugin", "start a JACK server"},
		{soundserver.Servers{}, "portaudio", "ALSA", "default", "", `ALSA plugin "default"`, "name a device of the hardware"},
		{soundserver.Servers{}, "portaudio", "ALSA", "USB Audio (hw:1,0)", "", "ALSA hardware: no sound server is running", ""},
		{soundserver.Servers{Pulse: true}, "portaudio", "ALSA", "USB Audio (hw:1,0)", "", "for this program alone", "PulseAudio is running: leave --device out"},
		{soundserver.Servers{}, "null", "null", "null", "", "", ""},
	} {
		path, better := tt.servers.Explain(tt.backend, tt.api, tt.device, tt.library)
		if !strings.Contains(path, tt.path) || !strings.Contains(better, tt.better) || (path == "") != (tt.path == "") || (better == "") != (tt.better == "") {
			t.Errorf("%+v %s %q: %q, %q; want %q, %q", tt.servers, tt.api, tt.device, path, better, tt.path, tt.better)
		}
	}
}
