package sampler

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/wave"
)

// samplerHead is a moving place in a file.
type samplerHead struct {
	on        bool
	round     bool   // the loop has repeated: its last frame precedes its first
	closed    bool   // the gate is closed
	at        uint64 // frames of the file, with samplerBits fractional bits
	low, high uint32 // the loop [low, high); high 0: none
	level     dsp.Ramp
}

// next returns a frame of both channels and moves the head.
func (s *sampler) next(h *samplerHead) (l, r float64) {
	if !h.on {
		return 0, 0
	}
	level := h.level.Next()
	l, r = s.read(h)
	l, r = float64(l*level), float64(r*level)
	h.at += s.step
	if h.high > 0 {
		h.wrap()
	}
	if h.at>>samplerBits >= uint64(s.count+wave.SincReach) || level == 0 && !h.level.Moving() && h.level.Target() == 0 {
		*h = samplerHead{}
	}
	return l, r
}

// wrap moves a head that is behind the loop back into it.
func (h *samplerHead) wrap() {
	if high := uint64(h.high) << samplerBits; h.at >= high {
		low := uint64(h.low) << samplerBits
		h.at = low + (h.at-low)%(high-low)
		h.round = true
	}
}

// read returns both channels at the head.
func (s *sampler) read(h *samplerHead) (l, r float64) {
	index, behind := int(h.at>>samplerBits), h.at&(1<<samplerBits-1)
	channels := s.file.Channels()
	if behind == 0 && s.narrow == 1 && index < s.count { // the frame, bit for bit
		l = float64(channels[0][index])
		return l, float64(channels[len(channels)-1][index])
	}
	w := s.sinc.Weights(&s.weights, float64(float64(behind)*(1.0/(1<<samplerBits))), s.narrow)
	first := index + 1 - len(w)/2
	l = float64(wave.WeightedSum(w, s.window(h, channels[0], first, len(w))) * s.narrow)
	if r = l; len(channels) > 1 {
		r = float64(wave.WeightedSum(w, s.window(h, channels[1], first, len(w))) * s.narrow)
	}
	return l, r
}

// window returns n frames of a channel from first on, with the loop repeated and with silence
// outside the file.
func (s *sampler) window(h *samplerHead, x []float32, first, n int) []float32 {
	least, most := 0, len(x)
	low, high := int(h.low), int(h.high)
	if high > 0 {
		most = high
	}
	if h.round {
		least = low
	}
	if first >= least && first+n <= most {
		return x[first : first+n]
	}
	for k := range s.around[:n] {
		i := first + k
		switch {
		case high > 0 && i >= high:
			i = low + (i-low)%(high-low)
		case high > 0 && h.round && i < low:
			i = high - 1 - (low-1-i)%(high-low)
		}
		s.around[k] = 0
		if i >= 0 && i < len(x) {
			s.around[k] = x[i]
		}
	}
	return s.around[:n]
}

func (h *samplerHead) save(e *dsp.Encoder) {
	e.Bool(h.on)
	e.Bool(h.round)
	e.Bool(h.closed)
	e.Uint64(h.at)
	e.Uint32(h.low)
	e.Uint32(h.high)
	h.level.Save(e)
}

// restore reads what save wrote. A place outside a file of count frames fails d.
func (h *samplerHead) restore(d *dsp.Decoder, count int) {
	h.on, h.round, h.closed = d.Bool(), d.Bool(), d.Bool()
	h.at, h.low, h.high = d.Uint64(), d.Uint32(), d.Uint32()
	h.level.Restore(d)
	looped := h.high == 0 || h.low < h.high && int64(h.high) <= int64(count)
	inside := h.at>>samplerBits < uint64(count+wave.SincReach) && looped
	if h.on && (!inside || count == 0) || h.round && h.high == 0 && h.on {
		d.Fail()
	}
	if d.Err() != nil {
		*h = samplerHead{}
	}
}
