// Package null asks for sound in real time and discards it. An engine without a sound card runs on
// it as it would with one.
package null

import (
	"fmt"

	"github.com/music-chronus/chronus/audio"
)

// Backend is the null backend.
type Backend struct{}

// Name is "null".
func (Backend) Name() string { return "null" }

// Devices returns its one device.
func (Backend) Devices() ([]audio.Device, error) {
	return []audio.Device{{ID: "null", API: "null", Name: "null", Channels: 64, Rate: 48000}}, nil
}

// defaultPeriod is the period of a fast sound card, in frames.
const defaultPeriod = 64

// Open makes a stream. The only device is "" or "null".
func (Backend) Open(r audio.Request, fill audio.Fill) (audio.Stream, error) {
	if r.Device != "" && r.Device != "null" {
		return nil, fmt.Errorf("backend null has no device %q: leave --device out", r.Device)
	}
	if r.Rate <= 0 || r.Channels <= 0 || r.Period < 0 {
		return nil, fmt.Errorf("backend null: invalid rate %d, channels %d or period %d", r.Rate, r.Channels, r.Period)
	}
	if r.Period == 0 {
		r.Period = defaultPeriod
	}
	out := make([]float32, r.Period*r.Channels)
	s := &stream{info: audio.Info{
		Backend: "null", API: "null", Device: "null", Rate: r.Rate, Channels: r.Channels, Period: r.Period,
	}}
	s.pacer = audio.Pacer{Rate: r.Rate, Period: r.Period, Tick: func() { fill(out) }}
	return s, nil
}

type stream struct {
	info  audio.Info
	pacer audio.Pacer
}

func (s *stream) Info() audio.Info { return s.info }
func (s *stream) Start() error     { s.pacer.Start(); return nil }
func (s *stream) Stop() error      { s.pacer.Stop(); return nil }
func (s *stream) Close() error     { s.pacer.Stop(); return nil }
func (s *stream) Xruns() uint64    { return s.pacer.Xruns() }
func (s *stream) Err() error       { return nil }
