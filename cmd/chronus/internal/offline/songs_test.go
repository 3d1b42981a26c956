package offline_test

import (
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/cmd/chronus/internal/offline"
	"github.com/music-chronus/chronus/dsp/patch"
)

// Every song is rendered with its score. It stays below full scale, has no offset, and dies away.
func TestSongs(t *testing.T) {
	if testing.Short() {
		t.Skip("renders five minutes of music")
	}
	songs := 0
	for _, name := range patch.Presets() {
		if !strings.HasPrefix(name, "songs/") {
			continue
		}
		songs++
		t.Run(strings.TrimPrefix(name, "songs/"), func(t *testing.T) { t.Parallel(); checkSong(t, name) })
	}
	if songs < 3 {
		t.Errorf("%d songs; want 3", songs)
	}
}

// checkSong renders a song and measures it.
func checkSong(t *testing.T, name string) {
	t.Helper()
	m, err := measure(name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	t.Logf("%s: %.1f s, peak %.1f dBFS, RMS %.1f dBFS, offset %.5f, silent for the last %.2f s", name,
		m.seconds, 20*math.Log10(m.peak), 10*math.Log10(m.power), m.offset, m.silent)
	if m.seconds < 60 || m.seconds > 150 || m.peak > 0.99 || m.peak < 0.3 || m.offset > 0.005 || m.silent < 0.25 || m.power < 1e-3 {
		t.Errorf("%s: %+v", name, m)
	}
}

// measured describes a stereo sound: linear levels, seconds.
type measured struct {
	seconds, peak, power, offset, silent float64
}

const rate = 48000

func measure(name string) (m measured, err error) {
	text, err := patch.Preset(name)
	if err != nil {
		return m, err
	}
	p, err := patch.Parse(name, text)
	if err != nil {
		return m, err
	}
	plan, err := patch.Compile(p, rate, 64, 2)
	if err != nil {
		return m, err
	}
	addresses, err := space.New(plan)
	if err != nil {
		return m, err
	}
	cues, err := offline.ReadScore(name, plan, addresses)
	if err != nil {
		return m, err
	}
	r, err := offline.Render(plan, offline.InOrder(cues), 0, true)
	if err != nil {
		return m, err
	}
	var sum [2]float64
	frames, last := 0, 0
	for {
		block, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return m, err
		}
		for i, v := range block {
			x := float64(v)
			m.peak = max(m.peak, math.Abs(x))
			m.power += x * x
			sum[i%2] += x
			if math.Abs(x) > offline.Inaudible {
				last = frames + i/2
			}
		}
		frames += len(block) / 2
	}
	m.seconds = float64(frames) / rate
	m.silent = float64(frames-last) / rate
	m.power /= float64(2 * frames)
	m.offset = max(math.Abs(sum[0]), math.Abs(sum[1])) / float64(frames)
	return m, nil
}
