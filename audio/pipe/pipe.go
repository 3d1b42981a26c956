// Package pipe plays into another program, which embeds the engine and reads the sound from a
// socket. The program makes a [Sink]. The audio process connects to it by [Backend]. Failover
// works as with a sound card, and neither side needs cgo.
package pipe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/audio"
)

// Backend is the pipe backend. Its device is the path of a Sink.
type Backend struct{}

// Name is "pipe".
func (Backend) Name() string { return "pipe" }

// Devices returns none: any Sink will do.
func (Backend) Devices() ([]audio.Device, error) { return nil, nil }

const (
	maxPeriod     = 1 << 16 // frames
	defaultPeriod = 64
	readyEvery    = 100 * time.Microsecond
	dialEvery     = 100 * time.Millisecond
	helloWait     = 2 * time.Second
)

// Open connects to the Sink. If the Sink ends later, the stream plays on by a clock, unheard, until
// a Sink listens there again.
func (Backend) Open(r audio.Request, fill audio.Fill) (audio.Stream, error) {
	if r.Device == "" {
		return nil, errors.New("backend pipe needs the path of a pipe.Sink as its device")
	}
	if r.Rate <= 0 || r.Channels <= 0 || r.Period < 0 {
		return nil, fmt.Errorf("backend pipe: invalid rate %d, channels %d or period %d", r.Rate, r.Channels, r.Period)
	}
	s := &stream{fill: fill, ready: r.Ready, info: audio.Info{
		Backend: "pipe", API: "pipe", Device: r.Device, Rate: r.Rate, Channels: r.Channels, Period: r.Period,
	}}
	t, err := s.dial()
	switch {
	case err != nil && !r.Again:
		return nil, fmt.Errorf("backend pipe: no pipe.Sink at %s: %w: create it first", r.Device, err)
	case err == nil:
		s.sink, s.info.Period = t, t.period
	case s.info.Period == 0:
		s.info.Period = defaultPeriod
	}
	s.out = make([]float32, s.info.Period*r.Channels)
	s.bytes = make([]byte, 4*len(s.out))
	s.pacer = audio.Pacer{Rate: r.Rate, Period: s.info.Period, Tick: func() { fill(s.out) }}
	return s, nil
}

// sinkConn is a connection to a Sink.
type sinkConn struct {
	conn     net.Conn
	period   int
	patience time.Duration
}

// stream serves one Sink after the other.
type stream struct {
	info  audio.Info
	fill  audio.Fill
	ready func(int) bool
	out   []float32
	bytes []byte
	pacer audio.Pacer

	mu      sync.Mutex
	sink    *sinkConn // nil: no Sink is connected
	stopped bool

	quit    chan struct{}
	threads sync.WaitGroup
	unread  atomic.Bool
}

// dial connects, and learns what the Sink wants.
func (s *stream) dial() (*sinkConn, error) {
	conn, err := net.Dial("unix", s.info.Device)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(helloWait))
	err = hello{uint32(s.info.Rate), uint32(s.info.Channels)}.write(conn)
	var h hello
	if err == nil {
		h, err = readHello(conn)
	}
	if err == nil && h.a == 0 {
		err = fmt.Errorf("the sink wants %d Hz, or other than %d channels", h.b, s.info.Channels)
	}
	if err == nil && (h.a == 0 || h.a > maxPeriod) {
		err = fmt.Errorf("the sink wants %d frames at a time: the limits are 1 and %d", h.a, maxPeriod)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	_ = conn.SetDeadline(time.Time{})
	return &sinkConn{conn, int(h.a), time.Duration(h.b) * time.Millisecond}, nil
}

// Info describes the stream.
func (s *stream) Info() audio.Info { return s.info }

// Start starts to serve.
func (s *stream) Start() error {
	s.quit = make(chan struct{})
	s.mu.Lock()
	s.stopped = false
	s.mu.Unlock()
	s.threads.Go(s.run)
	return nil
}

func (s *stream) run() {
	for {
		s.mu.Lock()
		t, stopped := s.sink, s.stopped
		s.mu.Unlock()
		if stopped {
			return
		}
		if t == nil {
			if t = s.resume(); t == nil {
				return
			}
			s.mu.Lock()
			if s.stopped {
				s.mu.Unlock()
				t.conn.Close()
				return
			}
			s.sink = t
			s.mu.Unlock()
		}
		s.serve(t)
		t.conn.Close()
		s.mu.Lock()
		s.sink = nil
		s.mu.Unlock()
	}
}

// resume plays by the clock until a Sink listens again. It returns nil if the stream was stopped.
func (s *stream) resume() *sinkConn {
	s.unread.Store(true)
	defer s.unread.Store(false)
	s.pacer.Start()
	defer s.pacer.Stop()
	tick := time.NewTicker(dialEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.quit:
			return nil
		case <-tick.C:
			if t, err := s.dial(); err == nil {
				return t
			}
		}
	}
}

// serve sends what one Sink asks for, until its connection ends.
func (s *stream) serve(t *sinkConn) {
	var ask [4]byte
	for {
		if _, err := io.ReadFull(t.conn, ask[:]); err != nil {
			return
		}
		frames := int(binary.LittleEndian.Uint32(ask[:]))
		if frames < 1 || frames > maxPeriod {
			return
		}
		for frames > 0 {
			n := min(frames, s.info.Period)
			if !s.await(n, t.patience) {
				return
			}
			out := s.out[:n*s.info.Channels]
			s.fill(out)
			if _, err := t.conn.Write(putSamples(s.bytes, out)); err != nil {
				return
			}
			frames -= n
		}
	}
}

// await waits until the workers have this many frames, but at most for the Sink's patience. It
// returns false if the stream was stopped.
func (s *stream) await(frames int, patience time.Duration) bool {
	if s.ready == nil {
		return true
	}
	for began := time.Now(); !s.ready(frames) && time.Since(began) < patience; time.Sleep(readyEvery) {
		select {
		case <-s.quit:
			return false
		default:
		}
	}
	return true
}

// Stop returns after the last Fill.
func (s *stream) Stop() error {
	if s.quit == nil {
		return nil
	}
	close(s.quit)
	s.mu.Lock()
	s.stopped = true
	if s.sink != nil {
		s.sink.conn.Close()
	}
	s.mu.Unlock()
	s.threads.Wait()
	s.quit = nil
	return nil
}

// Close closes the stream.
func (s *stream) Close() error {
	err := s.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sink != nil {
		s.sink.conn.Close()
		s.sink = nil
	}
	return err
}

// Xruns returns the number of periods that were skipped without a Sink.
func (s *stream) Xruns() uint64 { return s.pacer.Xruns() }

// Err returns nil: a Sink may come back.
func (s *stream) Err() error { return nil }

// Problem reports that no Sink is connected.
func (s *stream) Problem() string {
	if s.unread.Load() {
		return "no pipe.Sink at " + s.info.Device + ": the sound goes on unheard"
	}
	return ""
}
