package delay

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/signal"
)

// Tap reads a ring at a distance in whole frames. It crossfades from one distance to the next
// within GlideSeconds, without a click or a change of pitch. A distance that is set during a
// crossfade is used when that ends.
type Tap struct {
	low, high uint32 // least and greatest distance, in frames
	fade      uint32 // frames of a crossfade

	now, next, want uint32
	left            uint32 // frames of the crossfade to come
}

// NewTap returns a tap at 0 for distances from low to high, in frames, at a rate in Hz.
func NewTap(rate float64, low, high uint32) Tap {
	return Tap{low: low, high: high, fade: GlideFrames(rate)}
}

// To sets the distance, in frames, rounded and limited to the tap's range.
func (t *Tap) To(frames float64) {
	t.want = uint32(signal.Clamp(frames+0.5, float64(t.low), float64(t.high)))
}

// Next moves by a frame and returns the weight of the next distance, for Read.
func (t *Tap) Next() float64 {
	if t.left == 0 {
		if t.want == t.now {
			return 0
		}
		t.next, t.left = t.want, t.fade
	}
	t.left--
	if t.left == 0 {
		t.now = t.next
		return 0
	}
	return 1 - float64(t.left)/float64(t.fade)
}

// Read returns the ring's value at the tap, with the weight that Next returned. The newest frame,
// or the place for it, is pos.
func (t *Tap) Read(ring []float32, pos uint32, weight float64) float64 {
	v := float64(before(ring, pos, t.now))
	if weight > 0 {
		v += float64(weight * (float64(before(ring, pos, t.next)) - v))
	}
	return v
}

func before(ring []float32, pos, n uint32) float32 {
	i := int(pos) - int(n)
	if i < 0 {
		i += len(ring)
	}
	return ring[i]
}

// Jump ends a crossfade: the distance last set is in force.
func (t *Tap) Jump() { t.now, t.next, t.left = t.want, t.want, 0 }

// Save appends the state to e.
func (t *Tap) Save(e *dsp.Encoder) {
	for _, v := range [...]uint32{t.now, t.next, t.want, t.left} {
		e.Uint32(v)
	}
}

// Restore reads what Save wrote. A distance or time out of range fails d.
func (t *Tap) Restore(d *dsp.Decoder) {
	for _, v := range [...]*uint32{&t.now, &t.next, &t.want} {
		if *v = d.Uint32(); *v < t.low || *v > t.high {
			*v = t.low
			d.Fail()
		}
	}
	if t.left = d.Uint32(); t.left >= t.fade {
		t.left = 0
		d.Fail()
	}
}
