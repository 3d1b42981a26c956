package sequencer_test

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"github.com/music-chronus/chronus/dsp/sequencer"
)

// A ramp is the integral of its tempo. The test compares it with the sum over all frames and with
// the exact root of the quadratic.
func TestRamp(t *testing.T) {
	for _, tt := range []struct {
		rate, from, to, seconds float64
	}{{48000, 60, 180, 30}, {44100, 180.5, 20, 61.7}, {48000, 117.3, 117.4, 600}, {96000, 400, 399, 0.5}, {44100, 20, 400, 0.01}} {
		s := playing(t, tt.rate, "x")
		must(t, s.SetTempo(0, tt.from), s.RampSeconds(1000, tt.to, tt.seconds), s.SetDivision(0, sequencer.Division{1, 24}))
		n := math.Floor(tt.seconds*tt.rate + 0.5)
		end := 1000 + uint64(n) + 10000
		beat, worst := 0.0, 0.0
		for f := range end {
			if f%997 == 0 || f == end-1 {
				worst = max(worst, math.Abs(s.BeatAt(f)-beat))
			}
			x := min(max(float64(f)+0.5-1000, 0), n)
			beat += (tt.from + (tt.to-tt.from)*x/n) / 60 / tt.rate
		}
		if worst > 1e-8 {
			t.Errorf("%+v: the position is %.3g beats off", tt, worst)
		}
		wrong, steps := 0, 0
		for k, f := range frames(until(s, end), sequencer.NoteOn, 0) {
			if want, exact := rampFrame(tt.rate, tt.from, tt.to, n, float64(k)/24); exact && f != want {
				wrong++
			}
			steps++
		}
		t.Logf("%+v: %d steps, %d not exact, position off by %.2g beats of the sum", tt, steps, wrong, worst)
		if wrong > 0 {
			t.Errorf("%+v: %d of %d steps are not at their exact frames", tt, wrong, steps)
		}
	}
}

// rampFrame solves for the frame of a beat with 300 bits. ok is false if the beat is too near a
// frame's edge to tell.
func rampFrame(rate, from, to, n, beat float64) (frame uint64, exact bool) {
	num := func(x float64) *big.Float { return new(big.Float).SetPrec(300).SetFloat64(x) }
	op := func() *big.Float { return new(big.Float).SetPrec(300) }
	micro := func(x float64) *big.Float { return op().Quo(num(math.Round(x*1e6)), num(1e6)) }
	a, b := micro(from), micro(to)
	step := num(math.Round(beat * 24))
	step.Quo(step, num(24))
	work := op().Mul(step, num(60*rate)) // bpm frames
	lead := op().Mul(a, num(1000))
	x := op()
	switch rest := op().Sub(work, lead); {
	case rest.Sign() < 0:
		x.Quo(work, a)
	default:
		whole := op().Quo(op().Mul(op().Add(a, b), num(n)), num(2))
		if rest.Cmp(whole) >= 0 {
			x.Quo(op().Sub(rest, whole), b)
			x.Add(x, num(1000+n))
			break
		}
		// a x + (b-a)/(2n) x^2 = rest: x = 2 rest / (a + sqrt(a^2 + 2 rest (b-a)/n))
		d := op().Mul(a, a)
		d.Add(d, op().Quo(op().Mul(op().Mul(num(2), rest), op().Sub(b, a)), num(n)))
		x.Quo(op().Mul(num(2), rest), op().Add(a, op().Sqrt(d)))
		x.Add(x, num(1000))
	}
	frame, _ = x.Uint64()
	off, _ := op().Sub(x, num(float64(frame))).Float64()
	return frame, off > 1e-15 && off < 1-1e-15
}

// A ramp over beats ends at that beat, to a frame.
func TestRampBeats(t *testing.T) {
	s := playing(t, 48000, "x")
	must(t, s.SetTempo(0, 90), s.RampBeats(48000, 150.7, 32))
	f, ok := s.FrameAt(1.5 + 32)
	if !ok || s.Position(f+1).Tempo != 150.7 || s.Position(f-1).Tempo >= 150.7 {
		t.Errorf("beat 33.5 is at frame %d (%v), with %v bpm before and %v after", f, ok, s.Position(f-1).Tempo, s.Position(f+1).Tempo)
	}
	if mid := s.Position(48000 + (f-48000)/2).Tempo; math.Abs(mid-(90+150.7)/2) > 1e-3 {
		t.Errorf("half way %v bpm", mid)
	}
	if err := s.RampBeats(48000, 150, math.Inf(1)); !errors.Is(err, sequencer.ErrTempoRamp) {
		t.Error(err)
	}
	if err := s.RampBeats(48000, math.NaN(), 4); !errors.Is(err, sequencer.ErrTempo) {
		t.Error(err)
	}
}

// A change of tempo, with a ramp or without, does not move the position. Frames and beats are
// inverses.
func TestTempoContinuous(t *testing.T) {
	s := playing(t, 44100, "x")
	must(t, s.RampSeconds(0, 300, 20))
	for i := range 2000 {
		at := uint64(i) * 331
		until(s, at)
		before := s.PositionAt(at)
		bpm := 20 + math.Mod(float64(i)*77.7123, 380)
		if i%3 == 0 {
			must(t, s.RampSeconds(at, bpm, 0.01))
		} else {
			must(t, s.SetTempo(at, bpm))
		}
		if after := s.PositionAt(at); after != before {
			t.Fatalf("change %d: position %v before, %v after", i, before, after)
		}
	}
	for i := range 1000 {
		beat := s.BeatAt(2000*331) + float64(i)/7
		f, ok := s.FrameAt(beat)
		if b, c := s.BeatAt(f), s.BeatAt(f+1); !ok || b > beat+1e-8 || c < beat-1e-8 {
			t.Fatalf("beat %v is at frame %d (%v), which is beats %v to %v", beat, f, ok, b, c)
		}
	}
}

// Setting a tempo drops the changes planned after it. A tempo map holds 64 segments.
func TestTempoPlan(t *testing.T) {
	s := sequencer.New(48000)
	must(t, s.SetTempo(1000, 100), s.RampSeconds(2000, 200, 1), s.SetTempo(90000, 50))
	for f, want := range map[uint64]float64{0: 120, 999: 120, 1000: 100, 2000: 100, 26000: 150, 50000: 200, 89999: 200, 90000: 50} {
		if got := s.Position(f).Tempo; got != want {
			t.Errorf("frame %d: %v bpm, not %v", f, got, want)
		}
	}
	must(t, s.SetTempo(26000, 60))
	for f, want := range map[uint64]float64{14000: 125, 25999: 149.997916, 26000: 60, 1e9: 60} {
		if got := s.Position(f).Tempo; got != want {
			t.Errorf("frame %d: %v bpm, not %v", f, got, want)
		}
	}
	var err error
	n := 0
	for ; err == nil && n < 1000; n++ {
		err = s.SetTempo(uint64(100000+n), 100+float64(n%2))
	}
	if !errors.Is(err, sequencer.ErrTempoMap) || n < 55 {
		t.Errorf("after %d changes: %v", n, err)
	}
	for _, bpm := range []float64{19.9, 400.1, math.NaN(), math.Inf(1), -1} {
		if err := s.SetTempo(0, bpm); !errors.Is(err, sequencer.ErrTempo) {
			t.Errorf("%v bpm: %v", bpm, err)
		}
	}
	if err := s.SetTempo(1<<63, 100); !errors.Is(err, sequencer.ErrFrame) {
		t.Error(err)
	}
}

// Frames are still exact long after the start. The end of the range of positions is safe.
func TestLong(t *testing.T) {
	s := sequencer.New(48000)
	const late = 48000 * 86400 * 365 // a year
	must(t, s.SetPattern(0, pattern(t, "x")), s.Assign(0, 0, sequencer.AtBar), s.SetTempo(0, 117.3), s.Start(0))
	s.Advance(late)
	step := new(big.Rat).Mul(framesPerBeat(48000, rat(t, "117.3")), big.NewRat(1, 4))
	for k, f := range frames(until(s, late+1e6), sequencer.NoteOn, 0) {
		first := new(big.Rat).Quo(new(big.Rat).SetInt64(late), step)
		at := new(big.Rat).SetUint64(floor(first) + uint64(k))
		if want := floor(at.Mul(at, step)); f != want {
			t.Fatalf("step %d after a year at %d, not %d", k, f, want)
		}
	}
	for _, far := range []uint64{1 << 50, 1 << 56, 1 << 60, sequencer.MaxFrame - 1, sequencer.MaxFrame} {
		s.Advance(far)
		if f, ok := s.Next(); ok && f < far {
			t.Fatalf("at %d the next is %d", far, f)
		}
		s.Take(far, func(sequencer.Event) {})
		must(t, s.SetTempo(far, 400), s.SetDivision(0, sequencer.Division{1, 24}), s.Assign(0, 0, sequencer.AtBar), s.SetTempo(far, 117.3))
	}
	s.Take(math.MaxUint64, func(sequencer.Event) { t.Error("an event at the end of all frames") })
	must(t, s.Stop(sequencer.MaxFrame), s.Start(sequencer.MaxFrame))
}
