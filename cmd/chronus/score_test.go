package main

import (
	"bytes"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mewkiz/flac"
	"gitlab.com/gomidi/midi/v2"
	"gitlab.com/gomidi/midi/v2/smf"
)

const polyPatch = `version: 1
voices:
  count: 8
  nodes:
    - {id: osc, type: sine, params: {gain: 0.1}}
    - {id: env, type: adsr, params: {attack: 0.002, release: 0.05}}
cables: [note > osc > env > out]
`

func writeFile(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// renderedWAV returns the samples that chronus render makes of the arguments.
func renderedWAV(t *testing.T, args ...string) []float32 {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out.wav")
	_, errOut, code := chronus(append([]string{"render", "-o", path}, args...)...)
	if code != 0 {
		t.Fatalf("%v: %s", args, errOut)
	}
	_, samples := readWAV(t, path)
	return samples
}

// A MIDI file, timed OSC and --at with the same content give the same sound, bit for bit, from the
// exact frame until it has died away.
func TestScore(t *testing.T) {
	poly := writeFile(t, "poly.yaml", []byte(polyPatch))
	var track smf.Track
	track.Add(0, smf.MetaTempo(120))
	track.Add(960, midi.NoteOn(0, 60, 127)) // a beat: 0.5 s
	track.Add(0, midi.NoteOn(1, 64, 127))
	track.Add(480, midi.Pitchbend(0, 8191))
	track.Add(480, midi.NoteOff(0, 60))
	track.Add(0, smf.MetaTempo(60))
	track.Add(960, midi.NoteOn(1, 64, 0)) // a beat: 1 s
	track.Close(0)
	file := smf.New()
	file.TimeFormat = smf.MetricTicks(960)
	if err := file.Add(track); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := file.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	fromMIDI := renderedWAV(t, poly, "--score", writeFile(t, "a.mid", b.Bytes()))
	lines := []string{"2 /note/off 64", "0.5 /note/on 60 1", "0.5 /note/on 64 1", "0.75 /engine/bend 1.999755859375", "1 /note/off 60"}
	fromText := renderedWAV(t, poly, "--score", writeFile(t, "a.txt", []byte("# a remark\n\n"+strings.Join(lines, " # and another\n"))))
	args := []string{poly, "--seconds", "3"}
	for _, l := range lines {
		args = append(args, "--at", l)
	}
	fromFlags := renderedWAV(t, args...)
	if !slices.Equal(fromMIDI, fromText) {
		t.Error("timed OSC and MIDI sound different")
	}
	if n := min(len(fromText), len(fromFlags)); !slices.Equal(fromText[:n], fromFlags[:n]) {
		t.Error("timed OSC and --at sound different")
	}
	first := slices.IndexFunc(fromMIDI, func(v float32) bool { return v != 0 }) / 2
	if first < 24000 || first > 24002 {
		t.Errorf("the first note is heard at frame %d, not 24000", first)
	}
	if seconds := float64(len(fromMIDI)) / 96000; seconds < 2.5 || seconds > 3 {
		t.Errorf("%g s long; the last note ends at 2 s", seconds)
	}
}

// A FLAC file has the samples of the WAV file, rounded to 24 bits.
func TestFLAC(t *testing.T) {
	poly := writeFile(t, "poly.yaml", []byte(polyPatch))
	args := []string{poly, "--seconds", "0.3", "--at", "0 /note/on 60", "--at", "0.1 /note/on 67"}
	want := renderedWAV(t, args...)
	path := filepath.Join(t.TempDir(), "out.flac")
	if _, errOut, code := chronus(append([]string{"render", "-o", path}, args...)...); code != 0 {
		t.Fatal(errOut)
	}
	f, err := flac.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	at := 0
	for {
		fr, err := f.ParseNext()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range fr.Subframes[0].Samples {
			for c := range 2 {
				if got := float64(fr.Subframes[c].Samples[i]) / (1<<23 - 1); math.Abs(got-float64(want[at])) > 1.0/(1<<23) {
					t.Fatalf("sample %d is %g, in the WAV it is %g", at, got, want[at])
				}
				at++
			}
		}
	}
	if at != len(want) {
		t.Errorf("%d samples, the WAV has %d", at, len(want))
	}
}

func TestScoreErrors(t *testing.T) {
	poly := writeFile(t, "poly.yaml", []byte(polyPatch))
	for _, tt := range []struct{ patch, name, text, want string }{
		{poly, "a.mid", "MThd", "not a Standard MIDI File"},
		{poly, "a.mid", "", "not a Standard MIDI File"},
		{poly, "a.txt", "0 /note/on 60\nlater /note/off 60\n", `line 2: time "later": must be a number of seconds from 0 to 86400`},
		{poly, "a.txt", "0 /note/on 600", "line 1: 600 is not a note"},
		{poly, "a.mid", "MThd\x00\x00\x00\x06\x00\x00\x00\x01\xe7\x28MTrk\x00\x00\x00\x04\x00\xff\x2f\x00", "SMPTE"},
		{poly, "a.txt", "0", "line 1: incomplete message: write a time"},
		{poly, "a.txt", "0 /engine/status", "line 1: /engine/status: a score can only play"},
		{"", "a.txt", "0 /note/on 60", "line 1: unknown; the nearest is"},
	} {
		args := []string{"render", "-o", filepath.Join(t.TempDir(), "o.wav"), "--score", writeFile(t, tt.name, []byte(tt.text))}
		if tt.patch != "" {
			args = append(args, tt.patch)
		}
		if _, errOut, code := chronus(args...); code == 0 || !strings.Contains(errOut, tt.want) {
			t.Errorf("%q: code %d, %s\nwant %s", tt.text, code, errOut, tt.want)
		}
	}
}
