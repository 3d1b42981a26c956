package main

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/cmd/chronus/internal/offline"
	"github.com/music-chronus/chronus/dsp/patch"
)

// Every song is rendered with its score. It stays below full scale, has no offset, and dies away.
func TestSongs(t *testing.T) {
	songs := 0
	for _, name := range patch.Presets() {
		if !strings.HasPrefix(name, "songs/") {
			continue
		}
		songs++
		t.Run(strings.TrimPrefix(name, "songs/"), func(t *testing.T) { t.Parallel(); checkSong(t, name) })
	}
	if songs < 3 {
		t.Errorf("%d songs; there are to be 3", songs)
	}
}

// checkSong renders a song and measures it.
func checkSong(t *testing.T, name string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "song.wav")
	began := time.Now()
	if _, errOut, code := chronus("render", name, "-o", path); code != 0 {
		t.Errorf("%s: %s", name, errOut)
		return
	}
	took := time.Since(began).Seconds()
	_, x := readWAV(t, path)
	peak, sum, square, last := 0.0, [2]float64{}, 0.0, 0
	for i, v := range x {
		peak = max(peak, math.Abs(float64(v)))
		sum[i%2] += float64(v)
		square += float64(v) * float64(v)
		if math.Abs(float64(v)) > offline.Inaudible {
			last = i
		}
	}
	seconds := float64(len(x)) / 96000
	offset := max(math.Abs(sum[0]), math.Abs(sum[1])) / float64(len(x)/2)
	t.Logf("%-12s %5.1f s, peak %5.1f dBFS, RMS %5.1f dBFS, offset %.5f, silent for the last %.2f s, rendered in %.1f s", name, seconds,
		20*math.Log10(peak), 10*math.Log10(square/float64(len(x))), offset, float64(len(x)-last)/96000, took)
	if seconds < 60 || seconds > 150 || peak > 0.99 || peak < 0.3 || offset > 0.005 || len(x)-last < 96000/4 || square/float64(len(x)) < 1e-3 {
		t.Errorf("%s: %g s, peak %g, offset %g, silent for the last %d samples", name, seconds, peak, offset, len(x)-last)
	}
}
