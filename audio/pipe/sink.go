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

// Options configure a Sink. The zero value of a field means its default.
type Options struct {
	Rate     int           // Hz, as the engine; default 48,000
	Channels int           // as the engine; default 2
	Period   int           // most frames of one request to the audio process; default 256
	Patience time.Duration // how long Read waits for slow workers before it gets concealed sound; default 1 s
}

// ErrClosed is returned by Read after Close.
var ErrClosed = errors.New("pipe.Sink is closed")

// Sink receives the sound of an engine whose Config has Backend "pipe" and the Sink's Path as
// Device. Time in the engine advances as the program reads. A program therefore reads all the time,
// even if it discards the sound; see Pace.
type Sink struct {
	path         string
	o            Options
	listener     *net.UnixListener
	done         sync.WaitGroup
	acceptErrors atomic.Int64 // failed attempts to accept a connection

	reading sync.Mutex // held by Read
	bytes   []byte

	mu      sync.Mutex
	changed *sync.Cond
	conn    net.Conn // to the latest audio process; nil: none
	closed  bool
}

// Listen makes a Sink at path. It replaces a socket file that no program listens at. The caller
// closes the Sink, after the engine.
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
		return nil, fmt.Errorf("pipe: invalid rate %d, channels %d, period %d (1 to %d) or patience %v",
			o.Rate, o.Channels, o.Period, maxPeriod, o.Patience)
	}
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
		return nil, fmt.Errorf("pipe %s: another program listens there", path)
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

// acceptRetry is how long accept waits after an error.
const acceptRetry = 100 * time.Millisecond

// Path returns the value for the engine's Config.Device.
func (s *Sink) Path() string { return s.path }

// accept accepts audio processes. The latest replaces the one before.
func (s *Sink) accept() {
	for {
		c, err := s.listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // for example too many open files, which may pass
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

// Read fills out with the next frames, interleaved. out holds whole frames. Read waits while no
// audio process is connected. Only one goroutine may call it at a time.
func (s *Sink) Read(out []float32) error {
	if len(out)%s.o.Channels != 0 {
		return fmt.Errorf("pipe: %d samples are not a whole number of frames of %d channels", len(out), s.o.Channels)
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
			continue // its frames are lost, as with any audio process that ends
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

// Pace calls take with one period after the other, in real time, until the Sink is closed. It is
// for a program without a clock of its own. take must not keep the slice. After a delay Pace
// catches up, so take gets every frame.
func (s *Sink) Pace(take func(frames []float32)) error {
	out := make([]float32, s.o.Period*s.o.Channels)
	began := time.Now()
	for n := int64(0); ; n++ {
		if err := s.Read(out); err != nil {
			return err
		}
		take(out)
		frames, rate := (n+1)*int64(s.o.Period), int64(s.o.Rate)
		due := began.Add(time.Duration(frames/rate)*time.Second +
			time.Duration(frames%rate)*time.Second/time.Duration(rate))
		if late := time.Since(due); late > time.Second { // after a long pause, count from now on
			began, n = time.Now(), -1
			continue
		}
		time.Sleep(time.Until(due))
	}
}

// Close closes the Sink. A waiting Read returns ErrClosed.
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
