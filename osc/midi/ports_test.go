package midi

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// alsa makes folders as ALSA does.
func alsa(t *testing.T, devices map[string]string) Finder {
	t.Helper()
	f := Finder{Dev: t.TempDir(), Proc: t.TempDir()}
	for name, about := range devices {
		if err := syscall.Mkfifo(filepath.Join(f.Dev, name), 0o600); err != nil {
			t.Fatal(err)
		}
		card, device, ok := strings.Cut(strings.TrimPrefix(name, "midiC"), "D")
		if !ok || about == "" {
			continue
		}
		dir := filepath.Join(f.Proc, "card"+card)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "midi"+device), []byte(about), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

const inOut = "\n\nOutput 0\n  Tx bytes     : 0\nInput 0\n  Rx bytes     : 5\n  Buffer size  : 4096\n"

func TestPorts(t *testing.T) {
	f := alsa(t, map[string]string{
		"midiC10D0": "Keystation 88" + inOut, "midiC2D0": "nanoKONTROL2" + inOut, "midiC2D1": "nanoKEY2" + inOut,
		"midiC1D0": "Synth\n\nOutput 0\n  Tx bytes     : 0\n", "midiC3D0": "", "controlC0": "", "midiC3D0x": "",
	})
	ports, err := f.Ports()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range ports {
		got = append(got, strings.TrimPrefix(p.String(), f.Dev+"/"))
	}
	if want := "midiC2D0  nanoKONTROL2|midiC2D1  nanoKEY2|midiC3D0|midiC10D0  Keystation 88"; strings.Join(got, "|") != want {
		t.Errorf("%q, want %s", got, want)
	}
	for _, tt := range []struct{ name, path, err string }{
		{"auto", "midiC2D0", ""},
		{"keystation", "midiC10D0", ""},
		{"midiC3D0", "midiC3D0", ""},
		{"nano", "", `MIDI input "nano": ambiguous`},
		{"moog", "", `MIDI input "moog": not found; the inputs are`},
		{"/dev/nothing", "/dev/nothing", ""},
	} {
		p, err := f.Find(tt.name)
		if tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) || tt.err == "" && (err != nil || !strings.HasSuffix(p.Path, tt.path)) {
			t.Errorf("%s: %v, %v", tt.name, p, err)
		}
	}
	none := Finder{Dev: filepath.Join(t.TempDir(), "none")}
	if ports, err := none.Ports(); err != nil || len(ports) != 0 {
		t.Error(ports, err)
	}
	if _, err := none.Find(Auto); err == nil || !strings.Contains(err.Error(), "no MIDI input found: plug one in") {
		t.Error(err)
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "song.mid")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		file: "want a device, a FIFO or a pty", dir: "want a device", filepath.Join(dir, "none"): "none: no such file or directory",
	} {
		if _, err := (Port{Path: path}).open(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
