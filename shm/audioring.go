package shm

import (
	"math"
	"sync/atomic"
	"unsafe"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/shm/interleave"
)

// blockHeader precedes each block's samples. number is the block number plus one, so that zeroed
// memory holds no block.
type blockHeader struct {
	number, hash atomic.Uint64
	_            [48]byte
}

var _ = [1]struct{}{}[unsafe.Sizeof(blockHeader{})-line]

// stride is the size in bytes of a block with its header, in whole cache lines.
func stride(g Geometry) int {
	return line + (4*g.samples()+line-1)/line*line
}

func audioSize(g Geometry) int { return int(g.Ring) * stride(g) }

// Hash returns the xxHash64 of a block's samples, bit for bit.
func Hash(samples []float32) uint64 {
	// SAFETY: a float32 slice is 4*len bytes.
	return xxhash.Sum64(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(samples))), 4*len(samples)))
}

func floatBits(v float64) uint64 { return math.Float64bits(v) }
func floatFrom(b uint64) float64 { return math.Float64frombits(b) }

// ring addresses the blocks of a slot segment. Block n lies at index n mod R.
type ring struct {
	seg    *Segment
	mask   uint64
	stride int
	count  int // samples in a block
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

// AudioWriter is a slot's audio ring as its worker has it.
type AudioWriter struct{ r ring }

// AudioReader is a slot's audio ring for other processes. The callback uses Holds and Block, slower
// readers use Hash.
type AudioReader struct {
	r   ring
	gen uint64
}

// AudioWriter returns the audio ring of a slot segment, for its worker.
func (s *Segment) AudioWriter() AudioWriter { return AudioWriter{s.ring()} }

// AudioReader returns the audio ring of a slot segment, for readers.
func (s *Segment) AudioReader() AudioReader {
	_, gen := s.Slot()
	return AudioReader{s.ring(), gen}
}

// Begin returns the samples of block n to be written. The place holds no block until Commit.
func (w AudioWriter) Begin(n uint64) []float32 {
	interleave.Yield()
	w.r.header(n).number.Store(0)
	interleave.Yield()
	return w.r.samples(n)
}

// Commit completes block n with its hash. Readers see it once Recorder.Publish moves the head.
func (w AudioWriter) Commit(n, hash uint64) {
	h := w.r.header(n)
	interleave.Yield()
	h.hash.Store(hash)
	interleave.Yield()
	h.number.Store(n + 1)
}

// Generation returns the generation of the worker that writes the ring.
func (a AudioReader) Generation() uint64 { return a.gen }

// Holds reports whether the ring has block n, given its slot's head. A worker does not overwrite a
// block before the clock has passed it.
func (a AudioReader) Holds(n uint64, head Head) bool {
	interleave.Yield()
	return head.Of(a.gen) && head.Published() > n && a.r.header(n).number.Load() == n+1
}

// Block returns block n in place, interleaved. The caller knows that the ring holds it.
func (a AudioReader) Block(n uint64) []float32 { return a.r.samples(n) }

// Hash returns the hash of block n as its worker computed it. ok is false if the ring does not hold
// n, or if the worker overwrote it meanwhile.
func (a AudioReader) Hash(n uint64, head Head) (hash uint64, ok bool) {
	if !a.Holds(n, head) {
		return 0, false
	}
	interleave.Yield()
	hash = a.r.header(n).hash.Load()
	interleave.Yield()
	return hash, a.r.header(n).number.Load() == n+1
}

// Touch writes to every page of the ring, so that the first lap causes no page fault.
func (w AudioWriter) Touch() {
	for n := range w.r.mask + 1 {
		clear(w.Begin(n))
	}
}

// Touch reads a word of every page of the ring, so that later reads cause no page fault.
func (a AudioReader) Touch() { a.r.seg.touch(a.r.offset(0), int(a.r.mask+1)*a.r.stride) }
