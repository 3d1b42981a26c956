package sequencer

import (
	"math"
	"math/bits"
)

// PulsesPerBeat is the resolution of musical positions: the pulses of a beat, a quarter note. The
// number is 2^14 3^2 5^4 7. So every step from 1/1 to 1/64 is a whole number of pulses, also of
// triplets, dotted notes and 5 or 7 steps a beat, and so is every thousandth of these.
const PulsesPerBeat = 1 << 14 * 39375

// MinTempo and MaxTempo bound a tempo in bpm. A tempo is rounded to a millionth of a bpm.
const (
	MinTempo = 20
	MaxTempo = 400
)

const (
	perBPM      = 1_000_000 // tempi are in millionths of a bpm, so that 117.3 is exact
	commonPulse = 480_000   // divides PulsesPerBeat and 60 perBPM
	pulseFactor = PulsesPerBeat / commonPulse
	frameFactor = 60 * perBPM / commonPulse

	maxSegments = 64
	maxRamp     = 1 << 29 // frames; keeps every product below within 128 bits
	maxFrame    = 1 << 62 // 3 million years
	maxPulse    = 1 << 61 // 17 years at 400 bpm
	never       = math.MaxUint64
)

// segment is a part of the tempo map: a constant tempo, or a linear ramp over ramp frames.
type segment struct {
	frame    uint64
	from, to uint32   // millionths of a bpm; equal if constant
	ramp     uint32   // frames; 0: constant
	begin    position // position at frame; only the first segment's is saved
}

// position is a musical position: a whole pulse and parts of 2^-64 pulse.
type position struct {
	pulse int64
	part  uint64
}

// plus clamps the sum to maxPulse, as all positions are.
func (p position) plus(q position) position {
	part, carry := bits.Add64(p.part, q.part, 0)
	return position{min(p.pulse+q.pulse+int64(carry), maxPulse), part}
}

func (p position) minus(q position) position {
	part, borrow := bits.Sub64(p.part, q.part, 0)
	return position{p.pulse - q.pulse - int64(borrow), part}
}

// up returns the first pulse at or after the position.
func (p position) up() int64 {
	if p.part > 0 {
		return p.pulse + 1
	}
	return p.pulse
}

// times returns the whole part of p k, for p from 0.
func (p position) times(k uint64) (hi, lo uint64) {
	hi, lo = bits.Mul64(uint64(p.pulse), k)
	low, _ := bits.Mul64(p.part, k)
	lo, carry := bits.Add64(lo, low, 0)
	return hi + carry, lo
}

// tempoMap is the present segment and the planned ones. All arithmetic is on integers, so each
// pulse's frame is exact, in ramps too. A change of tempo rounds the position there down by at most
// 2^-64 pulse.
type tempoMap struct {
	rate uint64
	n    int
	seg  [maxSegments]segment
}

func (m *tempoMap) reset() {
	m.seg = [maxSegments]segment{0: {from: 120 * perBPM, to: 120 * perBPM}}
	m.n = 1
}

// span integrates the tempo over x frames of a segment. The pulses are hi:lo / den.
func (m *tempoMap) span(g *segment, x uint64) (hi, lo, den uint64) {
	den = frameFactor * m.rate
	if g.ramp == 0 {
		hi, lo = bits.Mul64(x, uint64(g.from)*pulseFactor)
		return hi, lo, den
	}
	// from x + (to-from) x^2 / (2 ramp), times 2 ramp
	twice := 2 * uint64(g.ramp)
	x = min(x, uint64(g.ramp))
	mean := twice * uint64(g.from)
	if g.to >= g.from {
		mean += uint64(g.to-g.from) * x
	} else {
		mean -= uint64(g.from-g.to) * x
	}
	hi, lo = bits.Mul64(x, mean)
	carry, low := bits.Mul64(lo, pulseFactor)
	return hi*pulseFactor + carry, low, den * twice
}

// length is the progress in x frames of a segment.
func (m *tempoMap) length(g *segment, x uint64) position {
	hi, lo, den := m.span(g, x)
	if hi >= den {
		return position{pulse: maxPulse}
	}
	q, rest := bits.Div64(hi, lo, den)
	part, _ := bits.Div64(rest, 0, den)
	return position{int64(min(q, maxPulse)), part}
}

// position returns the musical position at a frame.
func (m *tempoMap) position(frame uint64) position {
	g := &m.seg[m.at(frame)]
	return g.begin.plus(m.length(g, frame-min(frame, g.frame)))
}

// at returns the index of the segment that a frame lies in.
func (m *tempoMap) at(frame uint64) int {
	i := 0
	for i+1 < m.n && m.seg[i+1].frame <= frame {
		i++
	}
	return i
}

// frameOf returns the frame in which a pulse falls: its time, rounded down, or never if that lies
// above maxFrame.
func (m *tempoMap) frameOf(pulse int64) uint64 {
	if pulse >= maxPulse {
		return never
	}
	i := 0
	for i+1 < m.n && m.seg[i+1].begin.up() <= pulse {
		i++
	}
	g := &m.seg[i]
	most := uint64(maxFrame)
	if i+1 < m.n {
		most = m.seg[i+1].frame - g.frame - 1
	}
	d := position{pulse: pulse}.minus(g.begin)
	x := most
	switch {
	case d.pulse < 0:
		x = 0
	case g.ramp > 0:
		x = m.search(g, d, min(most, uint64(g.ramp)))
	default:
		hi, lo := d.times(frameFactor * m.rate)
		if den := uint64(g.from) * pulseFactor; hi < den {
			x, _ = bits.Div64(hi, lo, den)
		}
	}
	if f := g.frame + min(x, most); f < maxFrame {
		return f
	}
	return never
}

// search finds the last frame of a ramp, up to most, by which the progress does not exceed d.
func (m *tempoMap) search(g *segment, d position, most uint64) uint64 {
	first, last := uint64(0), most
	for first < last {
		x := (first + last + 1) / 2
		hi, lo, den := m.span(g, x)
		if h, l := d.times(den); hi > h || hi == h && lo > l {
			last = x - 1
		} else {
			first = x
		}
	}
	return first
}

// bpm returns the tempo at a frame in millionths of a bpm.
func (m *tempoMap) bpm(frame uint64) uint32 {
	g := &m.seg[m.at(frame)]
	if g.ramp == 0 {
		return g.from
	}
	x := int64(min(frame-min(frame, g.frame), uint64(g.ramp)))
	return uint32(int64(g.from) + (int64(g.to)-int64(g.from))*x/int64(g.ramp))
}

// link computes where each segment begins, from the beginning of the first.
func (m *tempoMap) link() {
	for i := 1; i < m.n; i++ {
		g := &m.seg[i-1]
		m.seg[i].begin = g.begin.plus(m.length(g, m.seg[i].frame-g.frame))
	}
}

// prune drops the segments that ended before a frame.
func (m *tempoMap) prune(frame uint64) {
	if i := m.at(frame); i > 0 {
		m.n = copy(m.seg[:], m.seg[i:m.n])
	}
}

// anchor sets the position at the present frame to a pulse.
func (m *tempoMap) anchor(frame uint64, pulse int64) {
	m.prune(frame)
	g := &m.seg[0]
	g.begin = position{pulse: pulse}
	if g.ramp == 0 {
		g.frame = frame
	} else {
		g.begin = g.begin.minus(m.length(g, frame-g.frame))
	}
	m.link()
}

// set plans a tempo from a frame on, reached by a linear ramp over ramp frames. Changes planned for
// that frame or later are dropped.
func (m *tempoMap) set(now, frame uint64, bpm, ramp uint32) error {
	from := m.bpm(frame)
	m.prune(now)
	kept := m.n
	for kept > 0 && m.seg[kept-1].frame >= frame {
		kept--
	}
	if last := &m.seg[max(kept-1, 0)]; kept > 0 && ramp == 0 && last.ramp == 0 && last.from == bpm {
		m.n = kept // the tempo is set already
		return nil
	}
	if kept+2 > maxSegments {
		return ErrTempoMap
	}
	begin := m.seg[0].begin // stays, even if no segment does: then the first new one begins there
	m.n = kept
	if ramp > 0 {
		m.seg[m.n] = segment{frame: frame, from: from, to: bpm, ramp: ramp}
		m.n++
	}
	m.seg[m.n] = segment{frame: frame + uint64(ramp), from: bpm, to: bpm}
	m.n++
	m.seg[0].begin = begin
	m.link()
	return nil
}
