package null_test

import (
	"testing"

	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/audio/backendtest"
	"github.com/music-chronus/chronus/audio/null"
)

func TestBackend(t *testing.T) {
	for _, period := range []int{0, 64, 100} {
		backendtest.Run(t, null.Backend{}, audio.Request{Rate: 48000, Channels: 2, Period: period})
	}
}

func TestRefuses(t *testing.T) {
	for _, r := range []audio.Request{{Rate: 48000, Channels: 2, Device: "hw:0"}, {Rate: 0, Channels: 2}, {Rate: 48000}, {Rate: 1, Channels: 1, Period: -1}} {
		if _, err := (null.Backend{}).Open(r, func([]float32) {}); err == nil {
			t.Errorf("%+v was opened", r)
		}
	}
}
