package statefile_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/internal/statefile"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream"
	"github.com/music-chronus/chronus/shm"
)

const sine = "version: 1\nnodes: [{id: a, type: sine}]\ncables: [a > out]\n"

// state returns a state of the patch sine after 7 blocks.
func state(t *testing.T) *statefile.State {
	t.Helper()
	p, err := patch.Parse("sine", []byte(sine))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := patch.Compile(p, 48000, 64, 1)
	if err != nil {
		t.Fatal(err)
	}
	s, err := stream.New(plan)
	if err != nil {
		t.Fatal(err)
	}
	s.Start(0, 0)
	out := make([]float32, 64)
	for range 7 {
		s.Render(out)
	}
	bytes, err := s.Save(nil)
	if err != nil {
		t.Fatal(err)
	}
	amp := 0.25
	return &statefile.State{
		At: time.Unix(1e9, 0).UTC(), Rate: 48000, Block: 64, Channels: 1, Name: "sine", Patch: sine, LastGood: "x",
		N: 7, Seq: 3, Values: map[string]float64{"/a": 1}, Muted: &amp, Bytes: bytes,
	}
}

var geometry = shm.Geometry{Rate: 48000, Block: 64, Channels: 1}

func TestReadReturnsWhatWriteWrote(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	want := state(t)
	for range 2 { // the second replaces the first
		if err := want.Write(path); err != nil {
			t.Fatal(err)
		}
	}
	got, err := statefile.Read(path)
	if err != nil || !reflect.DeepEqual(got, *want) {
		t.Errorf("%+v, %v; want %+v", got, err, *want)
	}
	if err := got.Check(geometry, t.TempDir(), nil); err != nil {
		t.Error(err)
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("files: %v", files)
	}
}

func TestReadRefusesDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	if _, err := statefile.Read(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := state(t).Write(path); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 1
	for _, tt := range []struct {
		name, want string
		text       []byte
	}{
		{"a changed byte", "damaged: its hash differs", flipped},
		{"a changed patch", "damaged: its hash differs", bytes.Replace(good, []byte("sine}"), []byte("fine}"), 1)},
		{"a missing end", "damaged: ", good[:len(good)-9]},
		{"another version", "version 0; this program reads 1", []byte("{}\n")},
		{"another file", "invalid first line", []byte("hello")},
	} {
		if err := os.WriteFile(path, tt.text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := statefile.Read(path); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestCheckFindsWhatDoesNotFit(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(s *statefile.State)
		want   string
	}{
		"another rate":         {func(s *statefile.State) { s.Rate = 44100 }, "state of 44100 Hz, block 64, 1 channels: the engine has 48000 Hz"},
		"a patch that is none": {func(s *statefile.State) { s.Patch = "?" }, "sine"},
		"another stream":       {func(s *statefile.State) { s.Bytes = s.Bytes[:8] }, ""},
	} {
		s := state(t)
		tt.change(s)
		if err := s.Check(geometry, t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}
