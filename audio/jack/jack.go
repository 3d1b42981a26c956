// Package jack plays on a JACK server: jackd, or PipeWire through its own libjack. It needs cgo. A
// program with a backend of its own needs no C compiler.
//
// The client's ports are out_1, out_2 and so on. They are connected with the ports of the first
// playback device, or as before (audio.Request.Wiring).
//
// The backend counts an xrun when the server went on without the client: the server's frame time
// has advanced by more than a period since the last call. It ignores xruns that the server reports.
// An asynchronous jackd reports them when clients come, though no frame is lost. Xruns of a sound
// card are in the server's own log.
package jack

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/audio/internal/driver"
)

// Backend is the JACK backend. Its devices are servers: JACK for the default one, or JACK/SERVER.
type Backend struct{}

// Name is "jack".
func (Backend) Name() string { return "jack" }

const (
	clientName = "chronus"
	deviceKind = "JACK"
)

// Devices lists the default server, if it runs.
func (Backend) Devices() ([]audio.Device, error) {
	c, err := openClient(clientName+"-probe", "")
	if errors.Is(err, errNoServer) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("jack: %w", err)
	}
	d := audio.Device{ID: deviceKind + "/" + c.server, API: api(), Name: c.server, Default: true}
	d.Channels, d.Rate = len(c.playback()), c.rate()
	err = driver.Within(answerWithin, c.close)
	if err != nil {
		return nil, fmt.Errorf("jack: %w", err)
	}
	return []audio.Device{d}, nil
}

// serverOf returns the server that a device names; "": the default one.
func serverOf(device string) (string, error) {
	kind, server, _ := strings.Cut(device, "/")
	switch {
	case device == "" || strings.EqualFold(device, defaultServer()):
		return "", nil
	case !strings.EqualFold(kind, deviceKind):
		return "", fmt.Errorf("jack: no device %q: try JACK, or JACK/SERVER", device)
	case server == defaultServer():
		return "", nil
	}
	return server, nil
}

// Open connects to a running server. The server calls at once, and gets silence until Start.
func (Backend) Open(r audio.Request, fill audio.Fill) (audio.Stream, error) {
	server, err := serverOf(r.Device)
	if err != nil {
		return nil, err
	}
	channels := max(1, r.Channels)
	if channels > maxPorts {
		return nil, fmt.Errorf("jack: %d channels: a client has at most %d ports", channels, maxPorts)
	}
	want := r.ClientName
	if want == "" {
		want = clientName
	}
	c, err := openNamed(want, server, r.Again)
	if errors.Is(err, errNoServer) {
		if server == "" {
			server = defaultServer()
		}
		return nil, fmt.Errorf("jack: server %q is not running: "+
			"start jackd or PipeWire (with pw-jack), or choose another --backend", server)
	}
	if err != nil {
		return nil, fmt.Errorf("jack: %w", err)
	}
	if rate := c.rate(); rate != r.Rate {
		_ = driver.Within(answerWithin, c.close)
		return nil, audio.Refused(fmt.Errorf("jack: server %q runs at %d Hz, not %d: start with --rate %d",
			c.server, rate, r.Rate, rate))
	}
	if r.Audible && r.Wiring == nil && len(c.playback()) == 0 {
		_ = driver.Within(answerWithin, c.close)
		return nil, audio.Refused(fmt.Errorf("jack: server %q has no playback port: "+
			"start a device, or name --backend jack and connect the ports by hand", c.server))
	}
	s := newStream(c, channels, r, fill)
	if c.name != want {
		s.info.Note = fmt.Sprintf("jack: client name %q is taken: using %q", want, c.name)
	}
	if r.Period > 0 && r.Period != s.info.Period {
		s.info.Note = joined(s.info.Note, periodNote(s.info.Period, r.Period, r.Rate))
	}
	if err := s.activate(); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("jack: server %q: %w", c.server, err)
	}
	return s, nil
}

func periodNote(is, want, rate int) string {
	way := fmt.Sprintf("jack_bufsize %d", want)
	if isPipeWire() {
		way = fmt.Sprintf("PIPEWIRE_QUANTUM=%d/%d", want, rate)
	}
	return fmt.Sprintf("jack: the server's period is %d frames, not %d; try %s", is, want, way)
}

func joined(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// How long openNamed waits until the server notices that the last client has died.
const (
	nameWait = 300 * time.Millisecond
	nameTick = 10 * time.Millisecond
)

// openNamed connects under a name. If the name is taken, the server appends a number. When a stream
// is opened again, its last client may just have died, so openNamed waits for the name. jackd has
// no status for a name that is taken and must be exact.
func openNamed(name, server string, again bool) (*client, error) {
	for began := time.Now(); ; time.Sleep(nameTick) {
		c, err := openClient(name, server)
		if err != nil || c.name == name || !again || time.Since(began) > nameWait {
			return c, err
		}
		if err := driver.Within(answerWithin, c.close); err != nil {
			return nil, err
		}
	}
}
