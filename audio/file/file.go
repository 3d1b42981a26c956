// Package file writes the sound to a WAV file, in real time or as fast as the workers can render.
// Its [Writer] also serves programs that render without an engine.
package file

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/audio"
)

// Backend is the file backend. Its device is a path that ends in .wav. fast:PATH is not paced by a
// clock.
type Backend struct{}

// Name is "file".
func (Backend) Name() string { return "file" }

// Devices returns none: any path will do.
func (Backend) Devices() ([]audio.Device, error) { return nil, nil }

const (
	defaultPeriod = 64
	ringSeconds   = 2
	flushEvery    = 20 * time.Millisecond
	fastWait      = 100 * time.Microsecond
)

// Open creates the file.
func (Backend) Open(r audio.Request, fill audio.Fill) (audio.Stream, error) {
	path, fast := strings.CutPrefix(r.Device, "fast:")
	if path == "" {
		return nil, errors.New("backend file needs a file: --device out.wav, or fast:out.wav for faster than real time")
	}
	if ext := filepath.Ext(path); !strings.EqualFold(ext, ".wav") {
		return nil, fmt.Errorf("backend file writes WAV: %q must end in .wav", path)
	}
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return nil, fmt.Errorf("backend file: %s is not a regular file", path)
	}
	if r.Period == 0 {
		r.Period = defaultPeriod
	}
	create := Create
	if r.Again {
		create = Append
	}
	w, err := create(path, r.Rate, r.Channels)
	if err != nil {
		return nil, fmt.Errorf("backend file: %w", err)
	}
	s := &stream{
		w: w, fill: fill, fast: fast, ready: r.Ready,
		info: audio.Info{
			Backend: "file", API: "file", Device: path, Rate: r.Rate, Channels: r.Channels, Period: r.Period,
		},
		out:  make([]float32, r.Period*r.Channels),
		ring: make([]float32, (ringSeconds*r.Rate/r.Period+1)*r.Period*r.Channels),
	}
	s.pacer = audio.Pacer{Rate: r.Rate, Period: r.Period, Tick: s.tick}
	return s, nil
}

// stream passes what Fill makes to a writing goroutine through a ring, so that the callback never
// waits for the disk.
type stream struct {
	info  audio.Info
	w     *Writer
	fill  audio.Fill
	fast  bool
	ready func(int) bool
	out   []float32
	pacer audio.Pacer

	ring    []float32
	wrote   atomic.Int64 // samples in the ring so far
	saved   atomic.Int64 // samples on disk so far
	missed  atomic.Uint64
	err     atomic.Pointer[error] // why nothing can be written at present
	retryAt time.Time             // when to try again; used by write only

	quit    chan struct{} // ends write and, if fast, runFast
	threads sync.WaitGroup
	closed  bool
}

func (s *stream) Info() audio.Info { return s.info }

func (s *stream) Xruns() uint64 { return s.pacer.Xruns() + s.missed.Load() }

// Err returns nil: a full disk does not end the sound.
func (s *stream) Err() error { return nil }

// Problem describes why nothing can be written at present. Xruns counts periods that are lost,
// because the ring is full.
func (s *stream) Problem() string {
	if e := s.err.Load(); e != nil {
		return (*e).Error() + "; it is tried again every second"
	}
	return ""
}

func (s *stream) Start() error {
	s.quit = make(chan struct{})
	s.threads.Go(s.write)
	if s.fast {
		s.threads.Go(s.runFast)
	} else {
		s.pacer.Start()
	}
	return nil
}

// tick is one period in real time. The ring is full if the disk stalls for two seconds.
func (s *stream) tick() {
	s.fill(s.out)
	if !s.enqueue() {
		s.missed.Add(1)
	}
}

// runFast takes periods as fast as they are rendered.
func (s *stream) runFast() {
	frames := s.info.Period
	for {
		select {
		case <-s.quit:
			return
		default:
		}
		if s.ready != nil && !s.ready(frames) || s.room() < len(s.out) {
			time.Sleep(fastWait)
			continue
		}
		s.fill(s.out)
		s.enqueue()
	}
}

func (s *stream) room() int { return len(s.ring) - int(s.wrote.Load()-s.saved.Load()) }

func (s *stream) enqueue() bool {
	if s.room() < len(s.out) {
		return false
	}
	at := s.wrote.Load()
	copy(s.ring[at%int64(len(s.ring)):], s.out) // the ring holds a whole number of periods
	s.wrote.Store(at + int64(len(s.out)))
	return true
}

// write moves samples from the ring to disk until the end.
func (s *stream) write() {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.quit:
			return
		case now := <-tick.C:
			if s.err.Load() == nil || now.After(s.retryAt) {
				_ = s.flush()
			}
		}
	}
}

// retryAfter is how long write waits after an error.
const retryAfter = time.Second

func (s *stream) flush() error {
	n := int64(len(s.ring))
	for to := s.wrote.Load(); s.saved.Load() < to; {
		from := s.saved.Load()
		end := min(to, (from/n+1)*n)
		if err := s.w.Write(s.ring[from%n : from%n+end-from]); err != nil {
			s.err.Store(&err)
			s.retryAt = time.Now().Add(retryAfter)
			return err
		}
		s.err.Store(nil)
		s.saved.Store(end)
	}
	return nil
}

func (s *stream) Stop() error {
	if s.quit == nil {
		return nil
	}
	s.pacer.Stop()
	close(s.quit)
	s.threads.Wait()
	s.quit = nil
	return s.flush()
}

func (s *stream) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	return errors.Join(s.Stop(), s.w.Close())
}
