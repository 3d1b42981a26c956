// Package portaudio plays on sound cards and sound servers through PortAudio. It needs cgo: a
// program that brings its own backend needs no C compiler.
package portaudio

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync/atomic"

	pa "github.com/gordonklaus/portaudio"

	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/audio/internal/driver"
)

// Backend is the PortAudio backend. Its devices are named by host API and name ("JACK Audio
// Connection Kit/system"); any part that only one of them has will do.
type Backend struct{}

// Name is "portaudio".
func (Backend) Name() string { return "portaudio" }

// Devices lists the outputs as they are now: PortAudio looks for them when it is initialised.
func (Backend) Devices() (list []audio.Device, err error) {
	driver.Quietly(func() { err = pa.Initialize() })
	if err != nil {
		return nil, fmt.Errorf("portaudio: %w", err)
	}
	defer driver.Quietly(func() { _ = pa.Terminate() })
	outs, def, err := outputs()
	if err != nil {
		return nil, err
	}
	for _, d := range outs {
		list = append(list, audio.Device{
			ID: id(d), API: d.HostApi.Name, Name: d.Name, Channels: d.MaxOutputChannels,
			Rate: int(d.DefaultSampleRate), Default: def != nil && id(d) == id(def),
		})
	}
	return list, nil
}

func id(d *pa.DeviceInfo) string { return d.HostApi.Name + "/" + d.Name }

// outputs are the devices with output channels, and the default one, nil if there is none.
func outputs() (list []*pa.DeviceInfo, def *pa.DeviceInfo, err error) {
	all, err := pa.Devices()
	if err != nil {
		return nil, nil, fmt.Errorf("portaudio: %w", err)
	}
	for _, d := range all {
		if d.MaxOutputChannels > 0 && d.HostApi != nil {
			list = append(list, d)
		}
	}
	if def, err = pa.DefaultOutputDevice(); err != nil {
		def = nil
	}
	if def == nil && len(list) > 0 {
		def = list[0]
	}
	return list, def, nil
}

// find is the device that name means.
func find(name string) (*pa.DeviceInfo, error) {
	outs, def, err := outputs()
	if err != nil {
		return nil, err
	}
	var ids []string
	var hits []*pa.DeviceInfo
	for _, d := range outs {
		ids = append(ids, fmt.Sprintf("%q", id(d)))
		switch {
		case strings.EqualFold(id(d), name):
			return d, nil
		case strings.Contains(strings.ToLower(id(d)), strings.ToLower(name)):
			hits = append(hits, d)
		}
	}
	list := "there are " + strings.Join(ids, ", ")
	switch {
	case len(outs) == 0:
		return nil, errors.New("portaudio: there is no output device: start a JACK server, or use --backend null")
	case name == "":
		return def, nil
	case len(hits) == 1:
		return hits[0], nil
	case len(hits) > 1:
		return nil, fmt.Errorf("portaudio: device %q could be %d devices; %s", name, len(hits), list)
	}
	return nil, fmt.Errorf("portaudio: no device %q; %s", name, list)
}

// warm: PortAudio is initialised for the next Open. Streams are opened one at a time.
var warm bool

// Warm initialises PortAudio, which takes most of the time that Open does.
func (Backend) Warm() (err error) {
	if !warm {
		driver.Quietly(func() { err = pa.Initialize() })
		warm = err == nil
	}
	return err
}

// Open opens a device. PortAudio is initialised for it and terminated when it is closed, so that devices are looked for anew each time;
// if it was made warm and the device is not there, it is looked for anew too.
func (b Backend) Open(r audio.Request, fill audio.Fill) (audio.Stream, error) {
	was := warm
	if err := b.Warm(); err != nil {
		return nil, fmt.Errorf("portaudio: %w", err)
	}
	warm = false
	s, err := &stream{}, error(nil)
	driver.Quietly(func() { err = s.open(r, fill) })
	if err == nil {
		return s, nil
	}
	driver.Quietly(func() { _ = pa.Terminate() })
	if was {
		return b.Open(r, fill)
	}
	return nil, err
}

type stream struct {
	info    audio.Info
	pa      *pa.Stream
	xruns   atomic.Uint64
	running bool
	closed  bool
	watch   driver.Watch
}

func (s *stream) open(r audio.Request, fill audio.Fill) error {
	d, err := find(r.Device)
	if err != nil {
		return err
	}
	p := pa.StreamParameters{
		Output:          pa.StreamDeviceParameters{Device: d, Channels: min(d.MaxOutputChannels, max(1, r.Channels)), Latency: d.DefaultLowOutputLatency},
		SampleRate:      float64(r.Rate),
		FramesPerBuffer: pa.FramesPerBufferUnspecified,
	}
	if r.Period > 0 {
		p.FramesPerBuffer = r.Period
	}
	callback := func(out []float32, _ pa.StreamCallbackTimeInfo, flags pa.StreamCallbackFlags) {
		n := s.watch.Called(len(out) / p.Output.Channels)
		if n == 1 {
			audio.RealTime()
		}
		// A device that starts has played nothing yet: what it misses then is no loss.
		if n > startCalls && flags&(pa.OutputUnderflow|pa.OutputOverflow) != 0 {
			s.xruns.Add(1)
		}
		fill(out)
	}
	skipNumbers()
	if s.pa, err = pa.OpenStream(p, callback); err != nil {
		return openError(d, p, r, err)
	}
	rate := s.pa.Info().SampleRate
	if math.Abs(rate-float64(r.Rate)) > 0.5 {
		s.pa.Close()
		return rateError(d, r.Rate, rate)
	}
	s.info = audio.Info{Backend: "portaudio", API: d.HostApi.Name, Device: d.Name, Rate: r.Rate, Channels: p.Output.Channels, Period: r.Period}
	s.watch.What, s.watch.Rate = fmt.Sprintf("portaudio: device %q", d.Name), r.Rate
	return nil
}

// opened counts the calls of pa.OpenStream that skipNumbers has let pass. Streams are opened one
// at a time.
var opened int

// skipNumbers keeps the second stream from being number 1. The binding counts its streams and hands the
// number to C as a pointer; one in [1, 4096) is no pointer to Go, and ends a program built with -race or
// -d=checkptr. What cannot be opened, such as nothing, has a number too.
func skipNumbers() {
	if opened++; opened != 2 {
		return
	}
	for range 4095 {
		_, _ = pa.OpenStream(pa.StreamParameters{})
	}
}

// startCalls is how many callbacks a starting device is excused.
const startCalls = 4

func rateError(d *pa.DeviceInfo, want int, is float64) error {
	return fmt.Errorf("portaudio: device %q runs at %.0f Hz, not %d: start with --rate %.0f", id(d), is, want, is)
}

func openError(d *pa.DeviceInfo, p pa.StreamParameters, r audio.Request, err error) error {
	if d.DefaultSampleRate != float64(r.Rate) && errors.Is(err, pa.InvalidSampleRate) {
		return rateError(d, r.Rate, d.DefaultSampleRate)
	}
	return fmt.Errorf("portaudio: device %q, %d channels, %d Hz: %w", id(d), p.Output.Channels, r.Rate, err)
}

func (s *stream) Info() audio.Info { return s.info }

func (s *stream) Xruns() uint64 { return s.xruns.Load() }

func (s *stream) Err() error { return s.watch.Err() }

func (s *stream) Start() (err error) {
	driver.Quietly(func() { err = s.pa.Start() })
	if err != nil {
		return fmt.Errorf("portaudio: start %q: %w", s.info.Device, err)
	}
	s.running = true
	s.watch.Start()
	return nil
}

func (s *stream) Stop() error {
	if !s.running {
		return nil
	}
	s.running = false
	s.watch.Stop()
	return s.within(func() error { return s.pa.Stop() })
}

func (s *stream) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	return errors.Join(s.Stop(), s.within(func() error {
		err := s.pa.Close()
		driver.Quietly(func() { _ = pa.Terminate() })
		return err
	}))
}

func (s *stream) within(f func() error) error {
	if err := driver.Within(driver.Patience(s.Err() != nil), f); err != nil {
		return fmt.Errorf("portaudio: %w", err)
	}
	return nil
}
