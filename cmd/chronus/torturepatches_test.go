package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream"
)

// torturePatches are the patches of the batches, in turn: the default patch, a song, a patch with
// many voices, and one with much state.
var torturePatches = []struct {
	name string
	text func() string // nil: name is a preset, or "" for the default patch
}{
	{"", nil},
	{"songs/night", nil},
	{"64 voices", voicesPatch},
	{"8 MB of state", statePatch},
}

// voicesPatch has 64 voices of three modules each.
func voicesPatch() string {
	return `version: 1
name: 64 voices
voices:
  count: 64
  nodes:
    - {id: osc, type: saw, params: {gain: 0.05}}
    - {id: amp, type: adsr, params: {attack: 0.005, decay: 0.3, sustain: 0.5, release: 1}}
    - {id: lp, type: svf, params: {cutoff: 1800}}
cables:
  - note.pitch > osc.pitch
  - osc > amp > lp > out
`
}

// statePatch has a chain of delays of two seconds each, behind the default patch's voice.
func statePatch() string {
	const delays = 11
	var nodes, chain strings.Builder
	for i := range delays {
		fmt.Fprintf(&nodes, "  - {id: echo%d, type: delay, params: {time: 2, mix: 0.2}}\n", i)
		fmt.Fprintf(&chain, " > echo%d", i)
	}
	return "version: 1\nname: 8 MB of state\nnodes:\n" +
		"  - {id: sine1, type: sine, params: {freq: 440, gain: 0.3}}\n" +
		"  - {id: adsr1, type: adsr, params: {attack: 0.01, decay: 0.1, sustain: 0.7, release: 0.2}}\n" +
		nodes.String() + "cables:\n  - sine1 > adsr1" + chain.String() + " > out\nfreq: sine1.freq\n"
}

// tortureFlags returns the flags of an engine with a patch and an adaptive lead.
func tortureFlags(t *testing.T, i int) []string {
	t.Helper()
	p := torturePatches[i%len(torturePatches)]
	flags := []string{"--backend", "null"}
	switch {
	case p.text != nil:
		path := filepath.Join(t.TempDir(), "patch.yaml")
		if err := os.WriteFile(path, []byte(p.text()), 0o600); err != nil {
			t.Fatal(err)
		}
		return append(flags, "--patch", path)
	case p.name != "":
		return append(flags, "--patch", p.name)
	}
	return flags
}

// The patches have the voices and the state that their names say.
func TestTorturePatches(t *testing.T) {
	size := func(text string) int {
		p, err := patch.Parse("test", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		c, err := patch.Compile(p, 48000, 64, 2)
		if err != nil {
			t.Fatal(err)
		}
		s, err := stream.New(c)
		if err != nil {
			t.Fatal(err)
		}
		s.Start(0, 0)
		b, err := s.Save(nil)
		if err != nil {
			t.Fatal(err)
		}
		return len(b)
	}
	if n := size(statePatch()); n < 8<<20 || n > 9<<20 {
		t.Errorf("a state of %d bytes", n)
	}
	if n := strings.Count(voicesPatch(), "count: 64"); n != 1 || size(voicesPatch()) == 0 {
		t.Errorf("%d groups of 64 voices", n)
	}
}
