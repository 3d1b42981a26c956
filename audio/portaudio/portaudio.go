// Package portaudio plays on sound cards and sound servers through PortAudio. It needs cgo. A
// program with a backend of its own needs no C compiler.
package portaudio

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	pa "github.com/gordonklaus/portaudio"

	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/audio/internal/driver"
)

// Backend is the PortAudio backend. Its devices are named by host API and name, as "JACK Audio
// Connection Kit/system". Any part that identifies one device will do.
type Backend struct{}

// Name is "portaudio".
func (Backend) Name() string { return "portaudio" }

// warm means that PortAudio is initialized for the next Open. Streams are opened one at a time.
var warm bool

// Warm initializes PortAudio, which takes most of the time of Open.
func (Backend) Warm() (err error) {
	if !warm {
		driver.Quietly(func() { err = pa.Initialize() })
		warm = err == nil
	}
	return err
}

// Open opens a device. It initializes PortAudio, and closing the stream terminates it, so each Open
// finds the present devices. If Warm came before and the device is not found, Open enumerates
// again.
func (b Backend) Open(r audio.Request, fill audio.Fill) (audio.Stream, error) {
	was := warm
	if err := b.Warm(); err != nil {
		return nil, fmt.Errorf("portaudio: %w", err)
	}
	warm = false
	s, err := (*stream)(nil), error(nil)
	driver.Quietly(func() { s, err = openFirst(r, fill) })
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
	info     audio.Info
	pa       *pa.Stream
	xruns    atomic.Uint64
	running  bool
	closed   bool
	watch    driver.Watch
	throttle throttle
}

// openFirst opens the named device, or the first that can be opened: PortAudio lists a card that
// another program uses, but cannot open it.
func openFirst(r audio.Request, fill audio.Fill) (*stream, error) {
	list, err := find(r.Device)
	if err != nil {
		return nil, err
	}
	var failed []error
	for _, d := range list {
		s := &stream{}
		if err := s.open(d, r, fill); err != nil {
			failed = append(failed, err)
			continue
		}
		return s, nil
	}
	return nil, oneLine(failed)
}

// oneLine joins errors in one line.
func oneLine(list []error) error {
	err := list[0]
	for _, e := range list[1:] {
		err = fmt.Errorf("%w; %w", err, e)
	}
	return err
}

func (s *stream) open(d *pa.DeviceInfo, r audio.Request, fill audio.Fill) (err error) {
	p := pa.StreamParameters{
		Output: pa.StreamDeviceParameters{
			Device: d, Channels: min(d.MaxOutputChannels, max(1, r.Channels)), Latency: latency(d, r),
		},
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
		// A starting device has played nothing yet, so its first underruns are no loss.
		if n > startCalls && flags&(pa.OutputUnderflow|pa.OutputOverflow) != 0 {
			s.xruns.Add(1)
		}
		frames := len(out) / p.Output.Channels
		s.throttle.wait(frames)
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
	if plugin(d) {
		s.throttle = newThrottle(r.Rate, s.pa.Info().OutputLatency)
	}
	s.info = audio.Info{
		Backend: "portaudio", API: d.HostApi.Name, Device: d.Name,
		Rate: r.Rate, Channels: p.Output.Channels, Period: r.Period,
	}
	s.watch.What, s.watch.Rate = fmt.Sprintf("portaudio: device %q", d.Name), r.Rate
	return nil
}

// opened counts calls of pa.OpenStream. Streams are opened one at a time.
var opened int

// skipNumbers keeps the binding from giving number 1 to the second stream. The binding passes the
// number to C as a pointer. A number in [1, 4096) is not a valid pointer and ends a program built
// with -race or -d=checkptr. Streams that fail to open use up numbers too.
func skipNumbers() {
	if opened++; opened != 2 {
		return
	}
	for range 4095 {
		_, _ = pa.OpenStream(pa.StreamParameters{})
	}
}

// startCalls is the number of first callbacks whose underruns are ignored.
const startCalls = 4

func rateError(d *pa.DeviceInfo, want int, is float64) error {
	return audio.Refused(fmt.Errorf("portaudio: device %q runs at %.0f Hz, not %d: start with --rate %.0f",
		id(d), is, want, is))
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
	stopped := s.Stop()
	if errors.Is(stopped, driver.ErrNoAnswer) {
		return stopped // PortAudio aborts if it closes a stream whose callback thread still runs
	}
	return errors.Join(stopped, s.within(func() error {
		err := s.pa.Close()
		driver.Quietly(func() { _ = pa.Terminate() })
		return err
	}))
}

func (s *stream) within(f func() error) error {
	if err := driver.Within(driver.StopTimeout(s.Err() != nil), f); err != nil {
		return fmt.Errorf("portaudio: %w", err)
	}
	return nil
}
