package portaudio

import (
	"strings"
	"testing"

	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/audio/backendtest"
)

// The callback gets the device's own period, or the requested one.
func TestPeriods(t *testing.T) {
	for _, tt := range []struct{ jack, asked, want int }{{64, 0, 64}, {256, 0, 256}, {1024, 0, 1024}, {256, 100, 100}} {
		backendtest.JACK(t, 48000, tt.jack)
		got := backendtest.Run(t, Backend{}, audio.Request{Rate: 48000, Channels: 2, Period: tt.asked, Device: "jack"})
		if got != tt.want {
			t.Errorf("JACK's period %d, asked for %d: got %d, want %d", tt.jack, tt.asked, got, tt.want)
		}
	}
}

func TestDevices(t *testing.T) {
	backendtest.JACK(t, 44100, 128)
	list, err := Backend{}.Devices()
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, d := range list {
		found = found || strings.Contains(d.API, "JACK") && d.Name == "system" && d.Channels == 2 && d.Rate == 44100
	}
	if !found {
		t.Errorf("JACK's system is not among %+v", list)
	}
	for _, tt := range []struct{ device, want string }{
		{"nothing-like-it", `no device "nothing-like-it"; there are`},
		{"jack", "runs at 44100 Hz, not 48000: start with --rate 44100"},
	} {
		_, err := Backend{}.Open(audio.Request{Rate: 48000, Channels: 2, Device: tt.device}, func([]float32) {})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.device, err, tt.want)
		}
	}
}

// Only existing channels are opened.
func TestChannels(t *testing.T) {
	backendtest.JACK(t, 48000, 128)
	for asked, want := range map[int]int{1: 1, 2: 2, 8: 2} {
		s, err := Backend{}.Open(audio.Request{Rate: 48000, Channels: asked, Device: "jack"}, func(out []float32) { clear(out) })
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Info().Channels; got != want {
			t.Errorf("asked for %d channels, got %d, want %d", asked, got, want)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
