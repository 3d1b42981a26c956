package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/audio/backendtest"
)

// alsaHome makes a home directory whose .asoundrc has a PCM without a device, and one that records.
func alsaHome(t *testing.T) (recorded string) {
	t.Helper()
	home := t.TempDir()
	recorded = filepath.Join(home, "out.wav")
	rc := fmt.Sprintf("pcm.nothing { type null }\npcm.recorder { type file slave.pcm null file %q format wav }\n", recorded)
	if err := os.WriteFile(filepath.Join(home, ".asoundrc"), []byte(rc), 0o600); err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{"HOME": home, "XDG_RUNTIME_DIR": home, "JACK_DEFAULT_SERVER": "no-such-server", "JACK_NO_START_SERVER": "1"} {
		t.Setenv(k, v)
	}
	return recorded
}

// TestE2EALSA plays on ALSA's null and file PCMs, which have no clock. PortAudio's callback gives
// them one: no block is concealed, and the file has an unbroken sine.
func TestE2EALSA(t *testing.T) {
	recorded := alsaHome(t)
	for _, tt := range []struct {
		device string
		flags  []string
	}{
		{"ALSA/nothing", nil}, {"ALSA/recorder", nil}, {"ALSA/recorder", []string{"--period", "256"}}, {"ALSA/recorder", []string{"--channels", "1"}},
	} {
		e := up(t, append([]string{"--backend", "portaudio", "--device", tt.device, "--patch", steadyPatch}, tt.flags...)...)
		before, began := e.redundancy(), time.Now()
		e.playedTo(before.Clock + 1500)
		took, after := time.Since(began), e.must()
		e.down()
		if n := after.Concealed - before.Concealed; n != 0 || took < time.Second {
			t.Errorf("%v: %d blocks concealed, two seconds played in %v", tt, n, took)
		}
		if after.Path == "" || !strings.Contains(tt.device, after.Device) {
			t.Errorf("%v: plays on %q by %q", tt, after.Device, after.Path)
		}
		if tt.device == "ALSA/nothing" {
			continue
		}
		channels, samples := recordedByALSA(t, recorded)
		if channels != after.Channels {
			t.Errorf("%v: %d channels recorded, want %d", tt, channels, after.Channels)
		}
		var mono []float32
		const edge = 24000 // frames: the start is not compared, and the end fades out
		for i := edge * channels; i < len(samples)-edge*channels; i += channels {
			mono = append(mono, samples[i])
		}
		s := backendtest.FitSine(mono, after.Rate, steadyFrequency)
		t.Logf("%v: period %d, lead %d; %v", tt, after.Period, after.Lead, s)
		if len(s.Breaks) > 0 || s.Frames < 48000 {
			t.Errorf("%v: %v", tt, s)
		}
	}
}

// recordedByALSA reads what ALSA's file plugin has written: floats, under a header of 44 bytes that
// calls them integers.
func recordedByALSA(t *testing.T, path string) (channels int, samples []float32) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const header, channelsAt = 44, 22
	for i := header; i+4 <= len(b); i += 4 {
		samples = append(samples, math.Float32frombits(binary.LittleEndian.Uint32(b[i:])))
	}
	return int(binary.LittleEndian.Uint16(b[channelsAt:])), samples
}

// TestMissingDevice starts engines whose device is missing. Without --fallback each ends with code
// 1 and one line that lists what was found. With --fallback it plays, and says that nobody hears
// it.
func TestMissingDevice(t *testing.T) {
	alsaHome(t)
	for _, tt := range []struct {
		flags []string
		want  string
	}{
		{[]string{"--device", "hw:3"}, `portaudio: no device "hw:3"; there are "ALSA/nothing", "ALSA/recorder"`},
		{[]string{"--backend", "portaudio", "--device", "hw:3"}, `no device "hw:3"; there are "ALSA/nothing", "ALSA/recorder"`},
		{[]string{"--backend", "portaudio", "--device", "ALSA/"}, `device "ALSA/" is ambiguous: 2 devices match`},
	} {
		flags := append([]string{"up", "--runtime-dir", t.TempDir(), "--osc", "none", "--state", noState}, tt.flags...)
		out, errOut, code := chronus(flags...)
		if code != 1 || !strings.Contains(errOut, tt.want) || strings.Count(errOut, "\n") != 1 || out != "" {
			t.Errorf("%v: code %d, %q%q, want %s", tt.flags, code, out, errOut, tt.want)
		}
	}
	e := up(t, "--device", "hw:3", "--fallback", "null")
	st := e.must()
	if st.Backend != "null" || !st.Unheard || !st.OnFallback || !strings.Contains(st.Note, "hw:3") {
		t.Errorf("plays on %s, blank %t, second %t, note %q", st.Backend, st.Unheard, st.OnFallback, st.Note)
	}
	out, _, _ := chronus("status", "--runtime-dir", e.dir)
	for what, text := range map[string]string{"status": out, "up": e.log.String()} {
		if !strings.Contains(text, "Nobody hears this: auto:hw:3 is not there") {
			t.Errorf("%s does not say that nobody hears it: %s", what, text)
		}
	}
}

// TestDeadServer has a PipeWire that accepts connections and ends each at once, like a daemon that
// crashes again and again.
func TestDeadServer(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	dir := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", dir)
	t.Setenv("PIPEWIRE_RUNTIME_DIR", dir)
	l, err := net.Listen("unix", filepath.Join(dir, "pipewire-0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	out, errOut, code := chronus("up", "--runtime-dir", filepath.Join(dir, "engine"), "--osc", "none", "--state", noState)
	// PipeWire's ALSA plugin opens without its server.
	if want := "was opened but asked for no sound"; code != 1 || !strings.Contains(errOut, want) || strings.Count(errOut, "\n") != 1 {
		t.Errorf("code %d, %q%q, want %s", code, out, errOut, want)
	}
	if st := up(t, "--fallback", "null").must(); st.Backend != "null" || !st.Unheard {
		t.Errorf("plays on %s, blank %t", st.Backend, st.Unheard)
	}
}
