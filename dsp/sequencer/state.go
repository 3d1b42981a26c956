package sequencer

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
)

// StateBytes is the size of a saved state in bytes.
const StateBytes = 76 + maxSegments*20 + Tracks*80 + Patterns*(16+MaxSteps*(4+4*Lanes))

// noValue marks a lane without a value in a saved step.
const noValue = 0x7fc00000

// Save appends the complete state, always of StateBytes.
func (s *Sequencer) Save(e *dsp.Encoder) {
	e.Uint64(s.now)
	e.Uint32(flags(s.rolling, s.start.on, s.start.resume, s.stop.on))
	e.Uint64(uint64(s.resting))
	e.Uint64(s.start.frame)
	e.Uint64(s.stop.frame)
	e.Uint32(s.bar.count<<16 | s.bar.unit)
	e.Uint64(uint64(s.bar.origin))
	e.Uint64(uint64(s.bar.number))
	e.Uint64(uint64(s.tempo.seg[0].begin.pulse))
	e.Uint64(s.tempo.seg[0].begin.part)
	e.Uint32(uint32(s.tempo.n))
	for i := range s.tempo.seg {
		var g segment
		if i < s.tempo.n {
			g = s.tempo.seg[i]
		}
		e.Uint64(g.frame)
		e.Uint32(g.from)
		e.Uint32(g.to)
		e.Uint32(g.ramp)
	}
	for i := range s.tracks {
		s.tracks[i].save(e)
	}
	for i := range s.patterns {
		s.patterns[i].save(e)
	}
}

// Restore reads a state that Save wrote. On an invalid state it fails the decoder and resets the
// sequencer.
func (s *Sequencer) Restore(d *dsp.Decoder) {
	s.now = d.Uint64()
	on := d.Uint32()
	s.rolling, s.start.on, s.start.resume, s.stop.on = on&1 != 0, on&2 != 0, on&4 != 0, on&8 != 0
	s.resting = int64(d.Uint64())
	s.start.frame, s.stop.frame = d.Uint64(), d.Uint64()
	signature := d.Uint32()
	s.bar = bar{count: signature >> 16, unit: signature & 0xffff, origin: int64(d.Uint64()), number: int64(d.Uint64())}
	ok := s.now <= maxFrame && on < 16 && isPulse(s.resting) && s.start.valid(s.now) && s.stop.valid(s.now) &&
		s.bar.valid() &&
		isPulse(s.bar.origin) && isPulse(s.bar.number)
	ok = s.tempo.restore(d, s.now) && ok
	for i := range s.tracks {
		ok = s.tracks[i].restore(d, s.rolling) && ok
	}
	for i := range s.patterns {
		ok = s.patterns[i].restore(d) && ok
	}
	if !ok {
		d.Fail()
	}
	if d.Err() != nil {
		s.Reset()
		return
	}
	s.tempo.link()
	s.refreshAll()
}

// flags packs up to 32 booleans into a word.
func flags(list ...bool) (word uint32) {
	for i, b := range list {
		if b {
			word |= 1 << i
		}
	}
	return word
}

func isPulse(p int64) bool { return p >= 0 && p <= maxPulse }

func (p *planned) valid(now uint64) bool {
	if !p.on {
		return p.frame == 0 && !p.resume
	}
	return p.frame >= now && p.frame <= maxFrame
}

func (m *tempoMap) restore(d *dsp.Decoder, now uint64) bool {
	begin := position{int64(d.Uint64()), d.Uint64()}
	n := int(d.Uint32())
	ok := n >= 1 && n <= maxSegments && begin.pulse >= -maxPulse && begin.pulse <= maxPulse
	for i := range m.seg {
		g := segment{frame: d.Uint64(), from: d.Uint32(), to: d.Uint32(), ramp: d.Uint32()}
		m.seg[i] = g
		if i >= n {
			ok = ok && g == segment{}
			continue
		}
		ok = ok && min(g.from, g.to) >= MinTempo*perBPM && max(g.from,
			g.to) <= MaxTempo*perBPM && g.ramp <= maxRamp && g.frame < 2*maxFrame &&
			(g.ramp > 0 || g.from == g.to)
		if i == 0 {
			ok = ok && g.frame <= now
			continue
		}
		before := m.seg[i-1]
		ok = ok && g.frame > before.frame && (before.ramp == 0 || g.frame-before.frame <= uint64(before.ramp))
	}
	if !ok || m.seg[n-1].ramp > 0 {
		return false
	}
	m.n = n
	m.seg[0].begin = begin
	return true
}

func (t *track) save(e *dsp.Encoder) {
	e.Uint32(uint32(t.pattern))
	e.Uint32(uint32(t.queued))
	e.Uint32(uint32(t.when))
	e.Uint64(uint64(t.switchAt))
	e.Uint32(t.div.Num)
	e.Uint32(t.div.Den)
	e.Uint32(uint32(t.steps))
	e.Uint32(t.swing)
	e.Uint32(uint32(t.shift))
	e.Uint64(uint64(t.origin))
	e.Uint64(uint64(t.k))
	e.Uint64(uint64(t.first))
	e.Uint32(flags(t.mute, t.note.on, t.note.held, t.note.cut))
	e.Uint32(uint32(t.note.note))
	e.Uint64(uint64(t.note.off))
}

func (t *track) restore(d *dsp.Decoder, rolling bool) bool {
	t.pattern, t.queued = int32(d.Uint32()), int32(d.Uint32())
	when := d.Uint32()
	t.when, t.switchAt = When(when), int64(d.Uint64())
	t.div = Division{d.Uint32(), d.Uint32()}
	t.steps, t.swing, t.shift = int32(d.Uint32()), d.Uint32(), int32(d.Uint32())
	t.origin, t.k, t.first = int64(d.Uint64()), int64(d.Uint64()), int64(d.Uint64())
	on := d.Uint32()
	t.mute = on&1 != 0
	n := note{on: on&2 != 0, held: on&4 != 0, cut: on&8 != 0, note: int32(d.Uint32()), off: int64(d.Uint64())}
	t.note = n
	if _, ok := t.div.pulses(); !ok || t.swing < minSwing || t.swing > maxSwing {
		return false
	}
	t.measure()
	queue := when == 0 && t.queued == None || when >= uint32(AtBar) && when <= uint32(AtEnd) && rolling
	grid := isPulse(t.origin) && isPulse(t.k) && t.k <= (maxPulse-t.origin)/t.length+1 && isPulse(t.first) &&
		t.first <= t.k
	// Something must end a note, or it would sound for ever.
	sound := n == note{} || n.on && n.note >= 0 && n.note <= 127 && isPulse(n.off) && (n.cut || rolling &&
		!(n.held && t.pattern == None))
	return queue && grid && sound && isNumber(t.pattern) && isNumber(t.queued) && isPulse(t.switchAt) && on < 16 &&
		t.steps >= 0 && t.steps <= MaxSteps && t.shift >= -60 && t.shift <= 60
}

func isNumber(n int32) bool { return n >= None && n < Patterns }

func (p *Pattern) save(e *dsp.Encoder) {
	e.Uint32(uint32(p.N)<<16 | uint32(p.Base))
	e.Uint32(uint32(p.Soft)<<16 | uint32(p.Loud))
	e.Uint64(p.Seed)
	for i := range p.Steps {
		s := &p.Steps[i]
		e.Uint32(uint32(s.Trig)<<28 | uint32(uint8(s.Note))<<20 | uint32(s.Gate)<<10 | uint32(s.Probability))
		for lane, v := range s.Values {
			word := uint32(noValue)
			if s.has(lane) {
				word = math.Float32bits(v)
			}
			e.Uint32(word)
		}
	}
}

func (p *Pattern) restore(d *dsp.Decoder) bool {
	shape, loudness := d.Uint32(), d.Uint32()
	p.N, p.Base, p.Soft, p.Loud = int(shape>>16), int(shape&0xffff), int(loudness>>16), int(loudness&0xffff)
	p.Seed = d.Uint64()
	ok := true
	for i := range p.Steps {
		word := d.Uint32()
		s := Step{Trig: Trig(word >> 28), Note: int8(word >> 20), Gate: uint16(word >> 10 & 0x3ff),
			Probability: uint16(word & 0x3ff)}
		for lane := range s.Values {
			if v := d.Uint32(); v != noValue {
				s.SetValue(lane, math.Float32frombits(v))
			}
		}
		ok = ok && s.fault() == ""
		p.Steps[i] = s
	}
	_, fault := p.fault()
	return ok && fault == ""
}
