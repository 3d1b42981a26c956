package samples_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/samples"
)

// wav is a mono WAV file of 16 bits at 48 kHz.
func wav(frames int) []byte {
	b := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\xbb\x00\x00\x00\x77\x01\x00\x02\x00\x10\x00data")
	b = append(b, byte(2*frames), byte(2*frames>>8), byte(2*frames>>16), byte(2*frames>>24))
	for i := range frames {
		b = append(b, byte(i), byte(i>>8))
	}
	return b
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func text(samples string) []byte {
	return []byte("version: 1\nsamples: {" + samples + "} # mine\nnodes: [{id: a, type: sampler, sample: kick}]\ncables: [a > out]\n")
}

// A loaded patch plays from the store alone, so its files may change or disappear. Loading it again
// copies nothing.
func TestLoad(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "made", "store")
	store := samples.In(folder)
	kick, long := wav(100), wav(1000)
	write(t, filepath.Join(dir, "kick.wav"), kick)
	write(t, filepath.Join(dir, "long.wav"), long)
	for round := range 2 {
		got, err := store.Load("p", text("kick: kick.wav, abs: "+filepath.Join(dir, "long.wav")+", same: ./kick.wav"), dir)
		want := text(fmt.Sprintf("kick: sha256:%s, abs: sha256:%s, same: sha256:%s", sumOf(kick), sumOf(long), sumOf(kick)))
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("round %d: %v\n%s\nwant\n%s", round, err, got, want)
		}
		if again, err := store.Load("p", got, ""); err != nil || !bytes.Equal(again, got) {
			t.Fatalf("round %d, the text with sums: %v\n%s", round, err, again)
		}
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 2 {
		t.Errorf("%d files in the store, %v", len(files), err)
	}
	write(t, filepath.Join(dir, "kick.wav"), []byte("changed"))
	s, err := store.Open(sumOf(kick))
	if err != nil || s.Frames() != 100 || s.Channels()[0][3] != 3.0/(1<<15) {
		t.Errorf("from the store: %v", err)
	}
}

// Load rejects unusable samples, with the place in the patch, the name and the file. The store
// stays empty.
func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "store")
	store := samples.In(folder)
	write(t, filepath.Join(dir, "text.wav"), []byte("no sound"))
	write(t, filepath.Join(dir, "cut.wav"), wav(100)[:80])
	write(t, filepath.Join(dir, "big.wav"), wav(patch.MaxSampleBytes/4+1))
	write(t, filepath.Join(dir, "half.wav"), wav(patch.MaxSampleBytes/8+1))
	write(t, filepath.Join(dir, "other.wav"), wav(patch.MaxSampleBytes/8))
	for _, tt := range []struct {
		samples, dir, want string
	}{
		{"kick: none.wav", dir, `patch p:2:17: sample "kick": ` + filepath.Join(dir, "none.wav") + ": no such file; relative paths begin at the patch's folder"},
		{"kick: text.wav", dir, "text.wav: neither a WAV nor a FLAC file"},
		{"kick: cut.wav", dir, "cut.wav: cut off: 18 of 100 frames are there"},
		{"kick: .", dir, "not a regular file"},
		{"kick: big.wav", dir, "big.wav: too long"},
		{"kick: text.wav", "", "write an absolute path"},
		{"kick: sha256:" + sumOf([]byte("x")), dir, "load the patch from its file again, or copy its samples into"},
	} {
		if _, err := store.Load("p", text(tt.samples), tt.dir); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v; want %s", tt.samples, err, tt.want)
		}
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("what was refused came into the store")
	}
	_, err := store.Load("p", text("kick: half.wav, snare: other.wav"), dir)
	if err == nil || !strings.Contains(err.Error(), `p:2:34: sample "snare": with it the samples take 65 MB`) || !strings.Contains(err.Error(), "the maximum is 64 MB") {
		t.Errorf("two that are too much together: %v", err)
	}
	write(t, filepath.Join(dir, "kick.wav"), wav(10))
	for _, bad := range []string{"", filepath.Join(dir, "kick.wav", "store")} {
		if _, err := samples.In(bad).Load("p", text("kick: kick.wav"), dir); err == nil || !strings.Contains(err.Error(), "folder for samples") {
			t.Errorf("store %q: %v", bad, err)
		}
	}
}

// Open rejects a file in the store whose bytes differ from its sum. Loading the patch from its file
// again repairs it.
func TestDamagedStore(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "store")
	store := samples.In(folder)
	b := wav(100)
	write(t, filepath.Join(dir, "kick.wav"), b)
	load := func() {
		t.Helper()
		if _, err := store.Load("p", text("kick: kick.wav"), dir); err != nil {
			t.Fatal(err)
		}
	}
	load()
	path := filepath.Join(folder, sumOf(b))
	if _, err := store.Open(sumOf(b[:1])); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v; it must not look as if the patch itself were missing", err)
	}
	for _, damage := range [][]byte{wav(101), append(wav(100), 0), b[:90], nil, []byte("x")} {
		write(t, path, damage)
		if _, err := store.Open(sumOf(b)); err == nil || !strings.Contains(err.Error(), path+" is damaged: its SHA-256 is "+sumOf(damage)) {
			t.Errorf("%d bytes: %v", len(damage), err)
		}
		load()
		if _, err := store.Open(sumOf(b)); err != nil {
			t.Errorf("it was not set right: %v", err)
		}
	}
}

func TestDefaultDir(t *testing.T) {
	t.Setenv(samples.DirVariable, "")
	t.Setenv("XDG_DATA_HOME", "/data")
	t.Setenv("HOME", "/nobody")
	if got := samples.DefaultDir(); got != "/data/chronus/samples" {
		t.Error(got)
	}
	t.Setenv("XDG_DATA_HOME", "")
	if got := samples.DefaultDir(); got != "/nobody/.local/share/chronus/samples" {
		t.Error(got)
	}
	t.Setenv(samples.DirVariable, "/mine")
	if got := samples.DefaultDir(); got != "/mine" {
		t.Error(got)
	}
	t.Setenv(samples.DirVariable, "")
	t.Setenv("HOME", "")
	if got := samples.DefaultDir(); got != "" {
		t.Error(got)
	}
}
