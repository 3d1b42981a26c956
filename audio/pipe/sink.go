package pipe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Options of a Sink. The zero value of a field means its default.
type Options struct {
	Rate     int           // Hz, as the engine's; default 48,000
	Channels int           // as the engine's; default 2
	Period   int           // the most frames that one Read asks for; default 256
	Patience time.Duration // how long a Read waits for workers that are behind before it gets concealed sound; default 1 s
}

// ErrClosed: the Sink has been closed.
var ErrClosed = errors.New("the pipe has been closed")

// Sink is where a program takes the sound of an engine, whose Config names it: Backend "pipe", Device the Sink's Path. Time passes in the engine as the
// sound is taken, so a program reads all the time, be it only to throw it away; see Pace.
type Sink struct {
	path         string
	o            Options
	listener     *net.UnixListener
	done         sync.WaitGroup
	acceptErrors atomic.Int64 // how often nobody could be let in

	reading sync.Mutex // held by Read
	bytes   []byte

	mu      sync.Mutex
	changed *sync.Cond
	conn    net.Conn // to the audio process that came last; nil: none
	closed  bool
}

// Listen makes a Sink at path. A socket that nobody listens at any more is replaced. The caller closes the Sink, after the engine.
func Listen(path string, o Options) (*Sink, error) {
	for _, d := range []struct {
		v   *int
		std int
	}{{&o.Rate, 48000}, {&o.Channels, 2}, {&o.Period, 256}} {
		if *d.v == 0 {
			*d.v = d.std
		}
	}
	if o.Patience == 0 {
		o.Patience = time.Second
	}
	if o.Rate < 0 || o.Channels < 0 || o.Period < 0 || o.Period > maxPeriod || o.Patience < 0 {
		return nil, fmt.Errorf("pipe: rate %d, channels %d, period %d (1 to %d), patience %v", o.Rate, o.Channels, o.Period, maxPeriod, o.Patience)
	}
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
		return nil, fmt.Errorf("pipe %s: another program takes sound there", path)
	} else if errors.Is(err, syscall.ECONNREFUSED) {
		_ = os.Remove(path)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("pipe: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("pipe: %w", err)
	}
	s := &Sink{path: path, o: o, listener: l, bytes: make([]byte, 4*o.Period*o.Channels)}
	s.changed = sync.NewCond(&s.mu)
	s.done.Go(s.accept)
	return s, nil
}

// acceptRetry is how long to wait after an audio process could not be let in.
const acceptRetry = 100 * time.Millisecond

// Path is the Config.Device of the engine.
func (s *Sink) Path() string { return s.path }

// accept lets one audio process after the other in; the last counts.
func (s *Sink) accept() {
	for {
		c, err := s.listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // the program has no descriptor left, say: not for ever
			s.acceptErrors.Add(1)
			time.Sleep(acceptRetry)
			continue
		}
		if ok, err := s.handshake(c); !ok || err != nil {
			c.Close()
			continue
		}
		s.mu.Lock()
		old := s.conn
		if s.conn = c; s.closed {
			c.Close()
		}
		s.changed.Broadcast()
		s.mu.Unlock()
		if old != nil {
			old.Close()
		}
	}
}

func (s *Sink) handshake(c net.Conn) (ok bool, err error) {
	_ = c.SetDeadline(time.Now().Add(helloWait))
	defer func() { _ = c.SetDeadline(time.Time{}) }()
	h, err := readHello(c)
	if err != nil {
		return false, err
	}
	if int(h.a) != s.o.Rate || int(h.b) != s.o.Channels {
		return false, hello{0, uint32(s.o.Rate)}.write(c)
	}
	return true, hello{uint32(s.o.Period), uint32(s.o.Patience / time.Millisecond)}.write(c)
}

// Read takes the next frames, interleaved, and fills out, which is a whole number of frames. While there is no audio process it waits. One goroutine at a time.
func (s *Sink) Read(out []float32) error {
	if len(out)%s.o.Channels != 0 {
		return fmt.Errorf("pipe: %d samples are no whole number of frames of %d channels", len(out), s.o.Channels)
	}
	s.reading.Lock()
	defer s.reading.Unlock()
	for len(out) > 0 {
		n := min(len(out), s.o.Period*s.o.Channels)
		c, err := s.connection()
		if err != nil {
			return err
		}
		if s.exchange(c, n) != nil {
			s.drop(c)
			continue // the frames that this one had are lost with it, as with any audio process that ends
		}
		takeSamples(out[:n], s.bytes)
		out = out[n:]
	}
	return nil
}

func (s *Sink) exchange(c net.Conn, samples int) error {
	var ask [4]byte
	binary.LittleEndian.PutUint32(ask[:], uint32(samples/s.o.Channels))
	if _, err := c.Write(ask[:]); err != nil {
		return err
	}
	_, err := io.ReadFull(c, s.bytes[:4*samples])
	return err
}

// connection waits for an audio process.
func (s *Sink) connection() (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.conn == nil && !s.closed {
		s.changed.Wait()
	}
	if s.closed {
		return nil, ErrClosed
	}
	return s.conn, nil
}

func (s *Sink) drop(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Close()
	if s.conn == c {
		s.conn = nil
	}
}

// Pace reads a period at a time in real time and hands it to take, which is not to keep it, until the Sink is closed: for a program that has no clock
// of its own. What it is late for it makes up at once: nothing is left out.
func (s *Sink) Pace(take func(frames []float32)) error {
	out := make([]float32, s.o.Period*s.o.Channels)
	began := time.Now()
	for n := int64(0); ; n++ {
		if err := s.Read(out); err != nil {
			return err
		}
		take(out)
		frames, rate := (n+1)*int64(s.o.Period), int64(s.o.Rate)
		due := began.Add(time.Duration(frames/rate)*time.Second + time.Duration(frames%rate)*time.Second/time.Duration(rate))
		if late := time.Since(due); late > time.Second { // it was away for long: begin to count anew
			began, n = time.Now(), -1
			continue
		}
		time.Sleep(time.Until(due))
	}
}

// Close ends the Sink; a Read that waits returns ErrClosed.
func (s *Sink) Close() error {
	s.mu.Lock()
	s.closed = true
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
	s.changed.Broadcast()
	s.mu.Unlock()
	err := s.listener.Close()
	s.done.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
