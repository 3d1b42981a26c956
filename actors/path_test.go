package actors

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm/wire"
)

// TestUnheard has an engine on the clock for three minutes, then on a device: it says at once and every
// minute that nobody hears it, and no more.
func TestUnheard(t *testing.T) {
	var said []string
	r, err := newRig(Config{Backend: "jack", Lead: 16}.withDefaults(), patch.Default(), func(ev Event) { said = append(said, ev.String()) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	r.plays, r.audio.opened, r.audio.info = true, true, wire.Opened{Backend: nullBackend, OnFallback: true, Note: "no server"}
	now := time.Now()
	for range 3 * 60 {
		r.tendBlank(now)
		now = now.Add(time.Second)
	}
	if len(said) != 3 || !strings.Contains(said[0], "nobody hears this: jack is not there") || !strings.Contains(said[0], "no server") {
		t.Errorf("%d times: %q", len(said), said)
	}
	r.audio.info = wire.Opened{Backend: "jack"}
	r.tendBlank(now)
	if r.blank() || len(said) != 3 {
		t.Errorf("on the device: %q", said[3:])
	}
	r.audio.info = wire.Opened{Backend: nullBackend, OnFallback: true}
	r.tendBlank(now.Add(time.Second))
	if len(said) != 4 {
		t.Errorf("lost again, and told %d times", len(said)-3)
	}
}

// TestKeepPath checks that auto stays with the server that it has found, and with its library.
func TestKeepPath(t *testing.T) {
	const lib = "/usr/lib/pipewire-0.3/jack"
	t.Setenv("LD_LIBRARY_PATH", "")
	for _, tt := range []struct {
		backend string
		opened  wire.Opened
		want    string
		env     []string
	}{
		{"auto", wire.Opened{Backend: "jack", Library: lib}, "jack", []string{"LD_LIBRARY_PATH=" + lib}},
		{"auto", wire.Opened{Backend: "jack"}, "jack", nil},
		{"auto", wire.Opened{Backend: "portaudio"}, "portaudio", nil},
		{"jack", wire.Opened{Backend: "jack", Library: lib}, "jack", []string{"LD_LIBRARY_PATH=" + lib}},
	} {
		r := &rig{cfg: Config{Backend: tt.backend, Device: "out"}}
		r.audio.opened, r.audio.info = true, wire.Opened{Backend: nullBackend, OnFallback: true}
		if r.keepPath(); r.preferred() != (wire.Target{Backend: tt.backend, Device: "out"}) {
			t.Errorf("%s: the clock was taken for the path: %v", tt.backend, r.preferred())
		}
		r.audio.info = tt.opened
		r.keepPath()
		r.audio.info = wire.Opened{Backend: nullBackend, OnFallback: true}
		r.keepPath()
		if got := r.preferred(); got.Backend != tt.want || got.Device != "out" || !slices.Equal(r.audioEnv(), tt.env) {
			t.Errorf("%s on %+v: %v, %v", tt.backend, tt.opened, got, r.audioEnv())
		}
	}
}

// TestDeviceFlags has what no device can be asked for.
func TestDeviceFlags(t *testing.T) {
	for _, tt := range []struct {
		cfg  Config
		want string // in the error; "": none
	}{
		{Config{Period: 256, Channels: 64, ClientName: "stage left"}, ""},
		{Config{Channels: 65}, "channels 65 is outside 1 to 64"},
		{Config{Period: 15}, "period 15 is outside 16 to 4096"},
		{Config{Period: 4097}, "period 4097 is outside"},
		{Config{ClientName: "a:b"}, `client name "a:b"`},
		{Config{ClientName: strings.Repeat("x", 33)}, "at most 32 bytes"},
	} {
		_, err := tt.cfg.withDefaults().geometry()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%+v: %v, want %q", tt.cfg, err, tt.want)
		}
	}
}

// TestAdoptedOtherwise has an engine that takes over another's sound with other wishes say what goes on.
func TestAdoptedOtherwise(t *testing.T) {
	for _, tt := range []struct {
		adopted bool
		cfg     Config
		want    string
	}{
		{true, Config{Backend: "auto", Period: 128}, ""},
		{true, Config{Backend: "auto", Period: 256}, "keeps period 128, not 256"},
		{true, Config{Backend: "jack"}, "stays on backend portaudio, not jack"},
		{false, Config{Backend: "jack", Period: 256}, ""},
	} {
		r := &rig{cfg: tt.cfg, adopted: tt.adopted}
		got := r.otherwise(wire.Opened{Backend: "portaudio", Period: 128})
		if !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
			t.Errorf("%+v: %q, want %q", tt.cfg, got, tt.want)
		}
	}
}
