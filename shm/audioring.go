package shm

import (
	"math"
	"sync/atomic"
	"unsafe"

	"github.com/cespare/xxhash/v2"
)

// blockHeader precedes each block's samples. number is the block number plus one: zeroed
// memory is no block.
type blockHeader struct {
	number, hash atomic.Uint64
	_            [48]byte
}

var _ = [1]struct{}{}[unsafe.Sizeof(blockHeader{})-line]

// stride of a block in a ring: its header and its samples, in whole lines.
func stride(g Geometry) int {
	return line + (4*g.samples()+line-1)/line*line
}

func audioSize(g Geometry) int { return int(g.Ring) * stride(g) }

// Hash is the 64-bit hash (xxHash64) of a block's samples, bit for bit.
func Hash(samples []float32) uint64 {
	// SAFETY: a float32 slice is 4*len bytes.
	return xxhash.Sum64(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(samples))), 4*len(samples)))
}

func floatBits(v float64) uint64 { return math.Float64bits(v) }
func floatFrom(b uint64) float64 { return math.Float64frombits(b) }

// ring addresses the blocks of a slot segment: block n lies at n mod R.
type ring struct {
	seg    *Segment
	mask   uint64
	stride int
	count  int // samples a block
}

func (s *Segment) ring() ring {
	g := s.Geometry()
	return ring{s, uint64(g.Ring - 1), stride(g), g.samples()}
}

func (r ring) offset(n uint64) int {
	return int(unsafe.Sizeof(commandWords{})) + int(n&r.mask)*r.stride
}

func (r ring) header(n uint64) *blockHeader { return at[blockHeader](r.seg, r.offset(n)) }

func (r ring) samples(n uint64) []float32 {
	b := r.seg.bytes(r.offset(n)+line, 4*r.count)
	// SAFETY: b has count float32, 64-byte aligned.
	return unsafe.Slice((*float32)(unsafe.Pointer(&b[0])), r.count)
}

// AudioWriter is the worker's side of its own ring.
type AudioWriter struct{ r ring }

// AudioReader is a reader's side: the callback, which needs no more than Holds and Block,
// or somebody slower, who uses Copy.
type AudioReader struct {
	r   ring
	gen uint64
}

// AudioWriter of a slot segment, for its worker.
func (s *Segment) AudioWriter() AudioWriter { return AudioWriter{s.ring()} }

// AudioReader of a slot segment.
func (s *Segment) AudioReader() AudioReader {
	_, gen := s.Slot()
	return AudioReader{s.ring(), gen}
}

// Begin takes the place of block n for writing: it holds no block until Commit.
func (w AudioWriter) Begin(n uint64) []float32 {
	yield()
	w.r.header(n).number.Store(0)
	yield()
	return w.r.samples(n)
}

// Commit says that block n is written. It is not published by that: the head is.
func (w AudioWriter) Commit(n, hash uint64) {
	h := w.r.header(n)
	yield()
	h.hash.Store(hash)
	yield()
	h.number.Store(n + 1)
}

// Generation of the worker that writes the ring.
func (a AudioReader) Generation() uint64 { return a.gen }

// Holds tells whether the ring has block n, given its slot's head. What may still be played
// stays until the clock has passed it.
func (a AudioReader) Holds(n uint64, head Head) bool {
	yield()
	return head.Of(a.gen) && head.Published() > n && a.r.header(n).number.Load() == n+1
}

// Block is block n in place, interleaved, for one who knows that it is held and not overwritten.
func (a AudioReader) Block(n uint64) []float32 { return a.r.samples(n) }

// Hash is the hash of block n as its worker computed it; ok is false if the ring does not
// hold n, or no longer.
func (a AudioReader) Hash(n uint64, head Head) (hash uint64, ok bool) {
	if !a.Holds(n, head) {
		return 0, false
	}
	yield()
	hash = a.r.header(n).hash.Load()
	yield()
	return hash, a.r.header(n).number.Load() == n+1
}

// Touch writes to every page of the ring, so that none is missing at the first lap.
func (w AudioWriter) Touch() {
	for n := range w.r.mask + 1 {
		clear(w.Begin(n))
	}
}

// Touch reads a word of every page of the ring, so that no later read by this process faults.
func (a AudioReader) Touch() { a.r.seg.touch(a.r.offset(0), int(a.r.mask+1)*a.r.stride) }
