// Package delay has the parts of effects that are built on delay lines: rings and how they are
// read between frames, taps whose length changes without a click, loop filters, and an end for
// long tails.
package delay

import "github.com/music-chronus/chronus/dsp"

// DenormalFloor is the magnitude below which a value enters a delay line as 0: 1e-15, which is
// -300 dB. Tails reach exactly 0 by it, and denormal numbers never circulate.
const DenormalFloor = 1e-15

// GlideSeconds is the time in which depths, sizes and lengths move. Delays that followed them
// within the 5 ms of other parameters would chirp.
const GlideSeconds = 0.05

// GlideFrames returns GlideSeconds in frames, at least 1, for a rate in Hz.
func GlideFrames(rate float64) uint32 { return max(1, uint32(GlideSeconds*rate)) }

// RingSize returns the smallest power of two that holds a time in s and 8 frames more, at least 16.
func RingSize(seconds, rate float64) int {
	n := 16
	for float64(n) < float64(seconds*rate)+8 {
		n *= 2
	}
	return n
}

// Hermite reads a ring at a distance in frames before pos. The length of the ring is a power of
// two, and frames is at least 2 and at most the length less 3. Hermite interpolates by Catmull and
// Rom's cubic through four frames. Its gain is at most 1 at every frequency, so a loop stays
// stable.
func Hermite(ring []float32, pos uint32, frames float64) float64 {
	n := uint32(frames)
	t := frames - float64(n)
	mask := uint32(len(ring) - 1)
	a, b := float64(ring[(pos-n+1)&mask]), float64(ring[(pos-n)&mask])
	c, d := float64(ring[(pos-n-1)&mask]), float64(ring[(pos-n-2)&mask])
	c1 := float64(0.5 * (c - a))
	c3 := float64(1.5*(b-c)) + float64(0.5*(d-a))
	c2 := a - b + c1 - c3
	v := c2 + float64(c3*t)
	v = c1 + float64(v*t)
	return b + float64(v*t)
}

// Flush returns v as a delay line stores it: 0 below DenormalFloor.
func Flush(v float64) float32 {
	if v < DenormalFloor && v > -DenormalFloor {
		return 0
	}
	return float32(v)
}

// SoftClip returns v up to a magnitude of 1, and bends it towards 2 above. It bounds a feedback
// loop.
func SoftClip(v float64) float64 {
	switch {
	case v > 1:
		return 2 - 1/v
	case v < -1:
		return -2 - 1/v
	}
	return v
}

// RestorePos reads a position in a ring of n frames. A position outside fails d and returns 0.
func RestorePos(d *dsp.Decoder, n int) uint32 {
	pos := d.Uint32()
	if pos >= uint32(n) {
		d.Fail()
		return 0
	}
	return pos
}
