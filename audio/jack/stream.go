package jack

import "C"

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/audio/internal/driver"
)

const (
	// maxFrames is JACK's largest period. process fills a longer one in parts.
	maxFrames = 8192
	// startCalls is the number of first calls that are not checked for xruns.
	startCalls = 4
	// firstCall is how long a server may take until it calls a new client.
	firstCall = time.Second
	stopTick  = time.Millisecond
)

type stream struct {
	info   audio.Info
	fill   audio.Fill
	client *client
	// prepare is Request.Prepare.
	prepare func(frames int)
	handle  int
	block   []float32 // interleaved, for one call
	watch   driver.Watch
	wiring  *wiring
	closed  bool
	last    error // result of Err after Close

	running atomic.Bool // Fill is called
	inside  atomic.Bool // the callback runs
	xruns   atomic.Uint64
	// Only the callback uses these: its calls since Start, and frame time and frames of the
	// last call.
	calls, at, frames uint32
}

// handles holds the streams that the servers' threads call, by handle.
var handles [16]atomic.Pointer[stream]

func newStream(c *client, channels int, r audio.Request, fill audio.Fill) *stream {
	s := &stream{
		info: audio.Info{
			Backend: Backend{}.Name(), API: api(), Device: c.server,
			Rate: r.Rate, Channels: channels, Period: c.period(),
		},
		fill: fill, prepare: r.Prepare, client: c, handle: -1,
		block: make([]float32, maxFrames*channels),
	}
	if r.WiringOf != "" && r.WiringOf != s.info.Path() {
		r.Wiring = nil
	}
	s.watch.What, s.watch.Rate = fmt.Sprintf("jack: server %q", c.server), r.Rate
	s.wiring = newWiring(c, c.name, channels, r.Wiring)
	return s
}

// activate lets the server call, and waits until it does.
func (s *stream) activate() error {
	for i := range handles {
		if handles[i].CompareAndSwap(nil, s) {
			s.handle = i
			break
		}
	}
	if s.handle < 0 {
		return fmt.Errorf("%d streams are open, the most for one process", len(handles))
	}
	err := driver.Within(answerWithin, func() error { return s.client.activate(s.info.Channels, uint32(s.handle)) })
	if err != nil {
		return err
	}
	for began := time.Now(); s.watch.Calls() == 0; time.Sleep(time.Millisecond) {
		if reason, ok := s.client.ended(); ok {
			return errors.New("ended: " + reason)
		}
		if time.Since(began) > firstCall {
			return fmt.Errorf("asked for no sound in %v", firstCall)
		}
	}
	s.watch.Start()
	return nil
}

//export chronusProcess
func chronusProcess(handle, at, frames C.uint, out **C.float, channels C.uint) {
	ports := unsafe.Slice((*unsafe.Pointer)(unsafe.Pointer(out)), channels)
	if s := handles[handle].Load(); s != nil {
		s.process(uint32(at), int(frames), ports)
		return
	}
	silence(ports, int(frames)) // the stream was closed, but the server did not answer
}

//export chronusResized
func chronusResized(handle, frames C.uint) {
	if s := handles[handle].Load(); s != nil && s.running.Load() && s.prepare != nil {
		s.prepare(int(frames))
	}
}

// process fills the buffers of all ports. at is the server's frame time.
func (s *stream) process(at uint32, frames int, ports []unsafe.Pointer) {
	s.inside.Store(true)
	defer s.inside.Store(false)
	if s.watch.Called(frames) == 1 {
		audio.RealTime() // PipeWire may call on a thread without real-time priority
	}
	if !s.running.Load() {
		s.calls = 0
		silence(ports, frames)
		return
	}
	s.countXrun(at, uint32(frames))
	for done := 0; done < frames; {
		n := min(frames-done, maxFrames)
		block := s.block[:n*len(ports)]
		s.fill(block)
		for c, p := range ports {
			to := unsafe.Slice((*float32)(p), frames)[done : done+n]
			for i := range to {
				to[i] = block[i*len(ports)+c]
			}
		}
		done += n
	}
}

// countXrun counts an xrun if the server's time has advanced by more than a period since the last
// call. In a call with a new period jackd's time has advanced by the new one, PipeWire's by the
// old.
func (s *stream) countXrun(at, frames uint32) {
	if gone := int32(at - s.at); s.calls >= startCalls && gone > int32(max(frames, s.frames)) {
		s.xruns.Add(1)
	}
	s.calls++
	s.at, s.frames = at, frames
}

func silence(ports []unsafe.Pointer, frames int) {
	for _, p := range ports {
		clear(unsafe.Slice((*float32)(p), frames))
	}
}

func (s *stream) Info() audio.Info { return s.info }

func (s *stream) Xruns() uint64 { return s.xruns.Load() }

// Err reports the end of the server at once, and a server that stops calling after 1 second.
func (s *stream) Err() error {
	if s.closed {
		return s.last
	}
	if reason, ok := s.client.ended(); ok {
		return fmt.Errorf("jack: server %q has ended: %s", s.info.Device, reason)
	}
	return s.watch.Err()
}

// Problem reports that nothing is connected, though it should be.
func (s *stream) Problem() string { return *s.wiring.problem.Load() }

// Wiring returns what the user or the backend has connected.
func (s *stream) Wiring() [][]string { return *s.wiring.published.Load() }

func (s *stream) Start() error {
	if err := s.Err(); err != nil {
		return err
	}
	s.running.Store(true)
	s.wiring.start(func() bool { return s.Err() == nil })
	return nil
}

func (s *stream) Stop() error {
	if !s.running.Swap(false) {
		return nil
	}
	limit := driver.StopTimeout(s.Err() != nil)
	for began := time.Now(); s.inside.Load(); time.Sleep(stopTick) {
		if time.Since(began) > limit {
			return fmt.Errorf("jack: the callback has not returned for %v", limit)
		}
	}
	return s.within(limit, s.wiring.stop)
}

// Close leaves the client open until the process ends if libjack hangs: its memory is in use.
func (s *stream) Close() error {
	if s.closed {
		return nil
	}
	err := s.Stop()
	s.watch.Stop()
	s.last, s.closed = s.Err(), true
	if err != nil {
		return err
	}
	return s.within(driver.StopTimeout(s.last != nil), func() error {
		err := s.client.close()
		if s.handle >= 0 {
			handles[s.handle].Store(nil)
		}
		return err
	})
}

func (s *stream) within(limit time.Duration, f func() error) error {
	if err := driver.Within(limit, f); err != nil {
		return fmt.Errorf("jack: %w", err)
	}
	return nil
}
