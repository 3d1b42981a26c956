package runtimedir_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/actors/internal/runtimedir"
	"github.com/music-chronus/chronus/actors/internal/survivors"
)

func lock(t *testing.T, path string) *runtimedir.Dir {
	t.Helper()
	d, err := runtimedir.Lock(path, "audio.sock")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestLockBelongsToOneEngine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chronus")
	d := lock(t, path)
	_, err := runtimedir.Lock(path)
	if !errors.Is(err, runtimedir.ErrRunning) || !strings.Contains(err.Error(), "process "+strconv.Itoa(os.Getpid())) {
		t.Errorf("the second lock: %v", err)
	}
	d.Release()
	lock(t, path).Release()
	if _, err := runtimedir.Lock(filepath.Join(path, strings.Repeat("x", 100))); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("a long name: %v", err)
	}
}

func TestReleaseRemovesWhatBelongsToALivingEngine(t *testing.T) {
	path := t.TempDir()
	for _, keep := range []bool{true, false} {
		d := lock(t, path)
		if err := errors.Join(d.SaveMuted(true, 0.5), d.SaveProcesses(nil), os.WriteFile(d.File("audio.sock"), nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		if keep {
			d.Keep()
		}
		d.Release()
		files, err := os.ReadDir(path)
		if want := map[bool]int{true: 4, false: 1}[keep]; err != nil || len(files) != want {
			t.Errorf("keep %t: %v, %v; want %d files", keep, files, err, want)
		}
	}
}

func TestProcesses(t *testing.T) {
	d := lock(t, t.TempDir())
	defer d.Release()
	if list, err := d.Processes(); list != nil || err != nil {
		t.Errorf("without a record: %v, %v", list, err)
	}
	want := []survivors.Record{{Role: survivors.RoleAudio, PID: 7, Start: 8}, {Role: survivors.RoleWorker, PID: 9}}
	if err := d.SaveProcesses(want); err != nil {
		t.Fatal(err)
	}
	if got, err := d.Processes(); err != nil || !slices.Equal(got, want) {
		t.Fatalf("%v, %v; want %v", got, err, want)
	}
	if err := os.WriteFile(d.File("processes.json"), []byte("?"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Processes(); err == nil || !strings.Contains(err.Error(), "processes.json") {
		t.Errorf("a damaged record: %v", err)
	}
}

func TestMuted(t *testing.T) {
	d := lock(t, t.TempDir())
	defer d.Release()
	if _, muted, err := d.Muted(); muted || err != nil {
		t.Errorf("without a record: %t, %v", muted, err)
	}
	if err := d.SaveMuted(true, 0.1); err != nil {
		t.Fatal(err)
	}
	if before, muted, err := d.Muted(); before != 0.1 || !muted || err != nil {
		t.Errorf("%g, %t, %v", before, muted, err)
	}
	for range 2 {
		if err := d.SaveMuted(false, 0); err != nil {
			t.Error(err)
		}
	}
	if _, muted, err := d.Muted(); muted || err != nil {
		t.Errorf("heard again: %t, %v", muted, err)
	}
	for _, text := range []string{"loud", "7", "-1", "NaN"} {
		if err := os.WriteFile(d.File("muted"), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, muted, err := d.Muted(); muted || err == nil {
			t.Errorf("%q: muted %t, %v", text, muted, err)
		}
	}
	for _, x := range []float64{0, 0.5, 1} {
		if err := runtimedir.CheckAmp(x); err != nil {
			t.Error(err)
		}
	}
	if runtimedir.CheckAmp(math.Inf(1)) == nil {
		t.Error("an infinite amp passes")
	}
}
