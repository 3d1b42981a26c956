package sequencer

import (
	"fmt"
	"strings"
)

// Division is the length of a step in beats, Num/Den. Sixteenths are 1/4. A division must be 1/24
// to 6 beats and a whole number of pulses.
type Division struct{ Num, Den uint32 }

// ParseDivision reads 1/1, 1/2, 1/4, 1/8, 1/16, 1/32 or 1/64 of a whole note. A suffix t makes it a
// triplet's, d a dotted one.
func ParseDivision(text string) (Division, error) {
	plain, d := text, Division{4, 1}
	switch {
	case strings.HasSuffix(text, "t"):
		plain, d = text[:len(text)-1], Division{8, 3}
	case strings.HasSuffix(text, "d"):
		plain, d = text[:len(text)-1], Division{6, 1}
	}
	for n := uint32(1); n <= 64; n *= 2 {
		if plain == fmt.Sprintf("1/%d", n) {
			d.Den *= n
			return d.reduced(), nil
		}
	}
	return Division{}, fmt.Errorf("division %q; it must be 1/1, 1/2, 1/4 ... 1/64, "+
		"or one of these with t (triplet) or d (dotted)", text)
}

// String returns a text that ParseDivision reads. A length without such a name comes as Num/Den
// beats.
func (d Division) String() string {
	for n := 1; n <= 64; n *= 2 {
		for _, suffix := range []string{"", "t", "d"} {
			text := fmt.Sprintf("1/%d%s", n, suffix)
			if x, err := ParseDivision(text); err == nil && x == d.reduced() {
				return text
			}
		}
	}
	return fmt.Sprintf("%d/%d beats", d.Num, d.Den)
}

func (d Division) reduced() Division {
	a, b := d.Num, d.Den
	for b > 0 {
		a, b = b, a%b
	}
	return Division{d.Num / a, d.Den / a}
}

// pulses returns the length in pulses. ok is false if the division is invalid.
func (d Division) pulses() (n int64, ok bool) {
	if d.Num < 1 || d.Den < 1 || uint64(d.Num)*PulsesPerBeat%uint64(d.Den) != 0 {
		return 0, false
	}
	n = int64(uint64(d.Num) * PulsesPerBeat / uint64(d.Den))
	return n, n >= PulsesPerBeat/24 && n <= PulsesPerBeat*6
}

// When is the moment at which a track takes another pattern.
type When uint8

// The moments: the next bar line, from the pattern's first step; the end of the present pattern,
// from the first step; the track's next step, from the present place.
const (
	AtBar When = iota + 1
	AtEnd
	AtOnce
)

// None is the number of no pattern.
const None = -1

const (
	minSwing = perUnit / 2
	maxSwing = perUnit / 4 * 3
	perUnit  = 1_000_000 // a swing is in millionths
)

// note is the note that a track plays.
type note struct {
	on bool
	// the next step is a tie, or was when this was decided; the step tells when the note ends
	held bool
	cut  bool  // ends at once
	note int32 // note number
	off  int64 // the pulse at which it ends, if not held
}

// track plays a pattern on a grid. Step k begins at origin + k length; the swing delays odd steps.
type track struct {
	pattern  int32 // or None
	queued   int32
	when     When // 0: nothing is queued
	switchAt int64
	div      Division
	steps    int32 // of the cycle; 0: as many as the pattern has
	swing    uint32
	shift    int32 // semitones
	mute     bool

	origin, k, first int64 // k is the next step's number, first that of the pattern's first step
	note             note

	// Derived, and not saved: length and delay from div and swing, the others the frames of due
	// events.
	length, delay            int64
	stepDue, offDue, swapDue uint64
}

func (t *track) reset() {
	*t = track{pattern: None, queued: None, div: Division{1, 4}, swing: minSwing}
	t.measure()
	t.stepDue, t.offDue, t.swapDue = never, never, never
}

// measure derives length and delay. A pair of steps is as long as without swing. Fractions of a
// pulse round up, so that a time that is a whole frame is never taken for the frame before.
func (t *track) measure() {
	t.length, _ = t.div.pulses()
	t.delay = (t.length*int64(2*t.swing-perUnit) + perUnit - 1) / perUnit
}

// start returns the pulse at which step k begins.
func (t *track) start(k int64) int64 { return t.origin + k*t.length + (k&1)*t.delay }

// align makes the first step that begins at a pulse or later the next one.
func (t *track) align(pulse int64) {
	t.k = max(pulse-t.origin, 0) / t.length
	for t.start(t.k) < pulse {
		t.k++
	}
}

// number counts steps of this length from beat 0.
func (t *track) number() int64 { return (t.origin + t.k*t.length) / t.length }

var rest = Step{Gate: Whole, Probability: Whole}

// index returns the place of step k in the track's cycle.
func (s *Sequencer) index(t *track, k int64) int {
	n := int64(s.patterns[t.pattern].N)
	if t.steps > 0 {
		n = int64(t.steps)
	}
	return int((k - t.first) % n)
}

// step returns step k. A cycle longer than the pattern ends with rests.
func (s *Sequencer) step(t *track, k int64) *Step {
	p := &s.patterns[t.pattern]
	if i := s.index(t, k); i < p.N {
		return &p.Steps[i]
	}
	return &rest
}

// swap takes the queued pattern. The track keeps its place on the grid and in the cycle.
func (t *track) swap() {
	t.pattern, t.queued, t.when, t.switchAt = t.queued, None, 0, 0
	if t.pattern == None && t.note.held {
		t.note.cut = true
	}
}

// swapAtBar takes the queued pattern and begins a new grid at the bar line.
func (t *track) swapAtBar() {
	t.origin, t.k, t.first = t.switchAt, 0, 0
	t.swap()
}

// refresh finds the frames of the track's next events.
func (s *Sequencer) refresh(t *track) {
	t.stepDue, t.offDue, t.swapDue = never, never, never
	switch n := &t.note; {
	case n.on && n.cut:
		t.offDue = s.now
	case n.on && !n.held && s.rolling:
		t.offDue = s.frameOf(n.off)
	}
	if !s.rolling {
		return
	}
	if t.pattern != None {
		t.stepDue = s.frameOf(t.start(t.k))
	}
	if t.when == AtBar {
		t.swapDue = s.frameOf(t.switchAt)
	}
}

// frameOf returns the frame of a pulse that is to come.
func (s *Sequencer) frameOf(pulse int64) uint64 { return max(s.now, s.tempo.frameOf(pulse)) }
