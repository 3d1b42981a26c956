package jack

import (
	"testing"
	"unsafe"

	"github.com/music-chronus/chronus/audio"
)

// ports returns the buffers of n ports, full of 9.
func ports(n, frames int) (list []unsafe.Pointer, bufs [][]float32) {
	for range n {
		b := make([]float32, frames)
		for i := range b {
			b[i] = 9
		}
		bufs, list = append(bufs, b), append(list, unsafe.Pointer(&b[0]))
	}
	return list, bufs
}

// counting is a stream that plays 0, 1, 2, ... over the channels of each frame.
func counting(channels int) *stream {
	next := float32(0)
	s := &stream{block: make([]float32, maxFrames*channels), info: audio.Info{Channels: channels}}
	s.fill = func(out []float32) {
		for i := range out {
			out[i] = next
			next++
		}
	}
	s.running.Store(true)
	return s
}

// Every port gets its channel, for any period, also above JACK's largest.
func TestDeinterleaves(t *testing.T) {
	s, at := counting(3), 0
	for _, frames := range []int{1, 64, 2048, maxFrames, 2*maxFrames + 5, 32} {
		list, bufs := ports(3, frames)
		s.process(uint32(at), frames, list)
		for c, b := range bufs {
			for i, x := range b {
				if want := float32(3*(at+i) + c); x != want {
					t.Fatalf("%d frames at %d: channel %d, frame %d is %g, want %g", frames, at, c, i, x, want)
				}
			}
		}
		at += frames
	}
}

// A stream that is not running plays silence and does not call Fill.
func TestSilentUntilStarted(t *testing.T) {
	s := counting(2)
	s.running.Store(false)
	s.fill = func([]float32) { t.Error("it was asked") }
	list, bufs := ports(2, 64)
	s.process(0, 64, list)
	for _, b := range bufs {
		for _, x := range b {
			if x != 0 {
				t.Fatalf("%g, want silence", x)
			}
		}
	}
}

// Only a jump of the server's time is an xrun, for any change of the period. The frame time may
// wrap, and the first calls are not checked.
func TestXruns(t *testing.T) {
	s := counting(1)
	at := ^uint32(0) - 1000
	call := func(skipped, frames uint32) {
		list, _ := ports(1, int(frames))
		at += skipped
		s.process(at, int(frames), list)
		at += frames
	}
	call(0, 64)
	call(64, 64)
	call(0, 64)
	call(0, 64)
	for _, frames := range []uint32{64, 256, 32, 2048, 64} { // PipeWire's time
		call(0, frames)
	}
	last := uint32(64)
	for _, frames := range []uint32{64, 256, 32, 2048, 64} { // jackd's time
		call(frames-last, frames)
		last = frames
	}
	if n := s.Xruns(); n != 0 {
		t.Errorf("%d xruns, and nothing was skipped", n)
	}
	call(64, 64)
	call(0, 64)
	call(3*64, 64)
	if n := s.Xruns(); n != 2 {
		t.Errorf("%d xruns; the server skipped twice", n)
	}
	at -= 64 // it read the time of a cycle late
	call(0, 64)
	if n := s.Xruns(); n != 2 {
		t.Errorf("%d xruns; time that stands still is none", n)
	}
}

func TestNoAllocs(t *testing.T) {
	s := counting(2)
	list, _ := ports(2, 256)
	at := uint32(0)
	if n := testing.AllocsPerRun(300, func() {
		s.process(at, 256, list)
		at += 300
	}); n != 0 {
		t.Errorf("%v allocations a callback", n)
	}
}
