package sequencer_test

import (
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/music-chronus/chronus/dsp/sequencer"
)

// must stops the test at an error.
func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func pattern(t testing.TB, text string) *sequencer.Pattern {
	t.Helper()
	p, err := sequencer.ParsePattern(text)
	must(t, err)
	return &p
}

// playing makes a sequencer whose track 0 plays pattern 0 from frame 0 on.
func playing(t testing.TB, rate float64, text string) *sequencer.Sequencer {
	t.Helper()
	s := sequencer.New(rate)
	must(t, s.SetPattern(0, pattern(t, text)), s.Assign(0, 0, sequencer.AtBar), s.Start(0))
	return s
}

// until plays the frames before to, as a stream does.
func until(s *sequencer.Sequencer, to uint64) (list []sequencer.Event) {
	for f, ok := s.Next(); ok && f < to; f, ok = s.Next() {
		s.Take(f, func(e sequencer.Event) { list = append(list, e) })
	}
	s.Advance(to)
	return list
}

// frames returns the frames of the events of a kind on a track.
func frames(list []sequencer.Event, kind sequencer.Kind, track int) (out []uint64) {
	for _, e := range list {
		if e.Kind == kind && e.Track == track {
			out = append(out, e.Frame)
		}
	}
	return out
}

func rat(t testing.TB, text string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return r
}

func floor(r *big.Rat) uint64 { return new(big.Int).Div(r.Num(), r.Denom()).Uint64() }

// framesPerBeat is 60 rate / bpm.
func framesPerBeat(rate int64, bpm *big.Rat) *big.Rat {
	return new(big.Rat).Quo(new(big.Rat).SetInt64(60*rate), bpm)
}

// In ten minutes of every tempo and division, events fall on the exact schedule, rounded down to a
// frame.
func TestSchedule(t *testing.T) {
	steps := 0
	for _, rate := range []int64{44100, 48000, 96000} {
		for _, bpm := range []string{"20", "90", "117.3", "120", "128.017", "133.333333", "179.99", "400"} {
			for _, div := range []string{"1/1", "1/4", "1/8t", "1/16", "1/16d", "1/32t", "1/64d", "1/64t"} {
				d, err := sequencer.ParseDivision(div)
				must(t, err)
				s := playing(t, float64(rate), "x")
				value, _ := rat(t, bpm).Float64()
				must(t, s.SetTempo(0, value), s.SetDivision(0, d))
				step := new(big.Rat).Mul(framesPerBeat(rate, rat(t, bpm)), big.NewRat(int64(d.Num), int64(d.Den)))
				end := uint64(600 * rate)
				got := frames(until(s, end), sequencer.NoteOn, 0)
				moment, whole := new(big.Int), new(big.Int) // in the step's denominator
				for k, f := range got {
					if want := whole.Quo(moment, step.Denom()).Uint64(); f != want {
						t.Fatalf("%d Hz, %s bpm, %s: step %d at frame %d, exactly at %d", rate, bpm, div, k, f, want)
					}
					moment.Add(moment, step.Num())
				}
				if whole.Quo(moment, step.Denom()).Uint64() < end {
					t.Fatalf("%d Hz, %s bpm, %s: only %d steps", rate, bpm, div, len(got))
				}
				steps += len(got)
			}
		}
	}
	t.Logf("%d steps, 0 frames error", steps)
}

// A tempo map is exact too, planned or set live: each tempo begins at the exact position of the
// last.
func TestTempoMap(t *testing.T) {
	type change struct {
		frame uint64
		bpm   string
	}
	for _, rate := range []int64{44100, 48000} {
		changes := []change{{0, "117.3"}, {100000, "120"}, {1234567, "93.7"}, {1300001, "171.113"}, {5000000, "60"}, {5000001, "240"}, {9999999, "117.3"}}
		var want []uint64
		beat, moment := new(big.Rat), new(big.Rat)
		for i, c := range changes {
			end := uint64(600 * rate)
			if i+1 < len(changes) {
				end = changes[i+1].frame
			}
			step := new(big.Rat).Mul(framesPerBeat(rate, rat(t, c.bpm)), big.NewRat(1, 4))
			from := new(big.Rat).SetUint64(c.frame)
			for k := int64(len(want)); ; k++ {
				moment.Sub(new(big.Rat).SetInt64(k), beat)
				if moment.Mul(moment, step).Add(moment, from); moment.Cmp(new(big.Rat).SetUint64(end)) >= 0 {
					break
				}
				want = append(want, floor(moment))
			}
			length := new(big.Rat).SetUint64(end - c.frame)
			beat.Add(beat, length.Quo(length, step))
		}
		planned, live := playing(t, float64(rate), "x"), playing(t, float64(rate), "x")
		var gotLive []uint64
		for _, c := range changes {
			bpm, _ := rat(t, c.bpm).Float64()
			must(t, planned.SetTempo(c.frame, bpm))
			gotLive = append(gotLive, frames(until(live, c.frame), sequencer.NoteOn, 0)...)
			must(t, live.SetTempo(c.frame, bpm))
		}
		end := uint64(600 * rate)
		gotLive = append(gotLive, frames(until(live, end), sequencer.NoteOn, 0)...)
		got := frames(until(planned, end), sequencer.NoteOn, 0)
		if !slices.Equal(got, want) || !slices.Equal(gotLive, want) {
			t.Errorf("%d Hz: planned %d steps, live %d, exactly %d, or they differ in frames", rate, len(got), len(gotLive), len(want))
		}
	}
}

// Swing delays every second step. A pair of steps is as long as without.
func TestSwing(t *testing.T) {
	for _, swing := range []string{"0.5", "0.54", "0.666667", "0.75"} {
		s := playing(t, 48000, "x.x-x|xx")
		share, _ := rat(t, swing).Float64()
		must(t, s.SetTempo(0, 117.3), s.SetSwing(0, share))
		straight := playing(t, 48000, "x.x-x|xx")
		must(t, straight.SetTempo(0, 117.3))
		pair := new(big.Rat).Mul(framesPerBeat(48000, rat(t, "117.3")), big.NewRat(1, 2))
		starts := []int64{}
		for k := range int64(2000) {
			if i := k % 7; i != 1 && i != 3 {
				starts = append(starts, k)
			}
		}
		got := frames(until(s, 48000*100), sequencer.NoteOn, 0)
		plain := frames(until(straight, 48000*100), sequencer.NoteOn, 0)
		for i := range min(len(got), len(plain)) {
			k := starts[i]
			at := new(big.Rat).SetInt64(k / 2)
			if k%2 == 1 {
				at.Add(at, rat(t, swing))
			} else if got[i] != plain[i] {
				t.Fatalf("swing %s: step %d at %d, without swing at %d: the tempo is not kept", swing, k, got[i], plain[i])
			}
			if want := floor(at.Mul(at, pair)); got[i] != want {
				t.Fatalf("swing %s: step %d at %d, exactly %d", swing, k, got[i], want)
			}
		}
		if len(got) < 500 {
			t.Fatalf("swing %s: %d notes", swing, len(got))
		}
	}
}

// Cycles of several lengths and divisions meet again after their common multiple.
func TestPolymeter(t *testing.T) {
	s := sequencer.New(48000)
	must(t, s.SetPattern(0, pattern(t, "X...")), s.SetPattern(1, pattern(t, "X....")), s.SetPattern(2, pattern(t, "Xxxxxxxx")),
		s.SetSteps(2, 3), s.SetSteps(3, 6), s.SetDivision(3, sequencer.Division{1, 3}))
	for i, n := range []int{0, 1, 2, 0} {
		must(t, s.Assign(i, n, sequencer.AtBar))
	}
	must(t, s.Start(0))
	list := until(s, 6000*60*4)
	for track, every := range []uint64{4 * 6000, 5 * 6000, 3 * 6000, 6 * 8000} {
		var loud []uint64
		for _, e := range list {
			if e.Kind == sequencer.NoteOn && e.Track == track && e.Velocity == 1 {
				loud = append(loud, e.Frame)
			}
		}
		for i, f := range loud {
			if f != uint64(i)*every {
				t.Fatalf("track %d: accent %d at frame %d, not %d", track, i, f, uint64(i)*every)
			}
		}
		if want := (6000*60*4 + int(every) - 1) / int(every); len(loud) != want {
			t.Errorf("track %d: %d accents, not %d", track, len(loud), want)
		}
	}
}

func TestDivisions(t *testing.T) {
	for text, want := range map[string]sequencer.Division{
		"1/1": {4, 1}, "1/4": {1, 1}, "1/16": {1, 4}, "1/8t": {1, 3}, "1/64t": {1, 24}, "1/64d": {3, 32}, "1/1d": {6, 1},
	} {
		if got, err := sequencer.ParseDivision(text); err != nil || got != want {
			t.Errorf("%s: %v, %v; not %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "t", "1/3", "1/128", "2/4", "1/16tt", "1/016"} {
		if d, err := sequencer.ParseDivision(text); err == nil {
			t.Errorf("%q is %v", text, d)
		}
	}
	s := sequencer.New(48000)
	for _, d := range []sequencer.Division{{}, {1, 0}, {1, 25}, {7, 1}, {1, 11}, {1 << 31, 1}} {
		if s.SetDivision(0, d) == nil {
			t.Errorf("%v is taken", d)
		}
	}
	must(t, s.SetDivision(0, sequencer.Division{1, 5}), s.SetDivision(0, sequencer.Division{2, 7}), s.SetDivision(0, sequencer.Division{1, 9}))
}

// The transport may start at any frame, from which the schedule counts.
func TestStartFrame(t *testing.T) {
	s := sequencer.New(44100)
	must(t, s.SetPattern(0, pattern(t, "x")), s.Assign(0, 0, sequencer.AtBar), s.SetTempo(0, 117.3), s.Start(1_000_003))
	if f, ok := s.Next(); !ok || f != 1_000_003 {
		t.Fatal("next at", f, ok)
	}
	step := new(big.Rat).Mul(framesPerBeat(44100, rat(t, "117.3")), big.NewRat(1, 4))
	for k, f := range frames(until(s, 2_000_000), sequencer.NoteOn, 0) {
		at := new(big.Rat).SetInt64(int64(k))
		if want := 1_000_003 + floor(at.Mul(at, step)); f != want {
			t.Fatalf("step %d at %d, not %d", k, f, want)
		}
	}
	if got := fmt.Sprint(s.Position(1_000_003)); got != "{true 0 0 117.3}" {
		t.Error("position at the start:", got)
	}
}

// After twenty thousand changes of tempo the rounding of positions is still insignificant.
func TestManyTempi(t *testing.T) {
	s := playing(t, 44100, "x")
	const changes, gap = 20000, 37
	for i := range uint64(changes) {
		until(s, i*gap)
		must(t, s.SetTempo(i*gap, []float64{117.3, 120.7}[i%2]))
		if i%1000 == 999 {
			before := s.PositionAt(i*gap + 1)
			s = restored(t, 44100, saved(s))
			if after := s.PositionAt(i*gap + 1); after != before {
				t.Fatalf("position %v saved, %v restored", before, after)
			}
		}
	}
	// frames times bpm, over 60 rate
	want := new(big.Rat).Quo(new(big.Rat).Mul(rat(t, "238"), big.NewRat(changes/2*gap, 1)), big.NewRat(60*44100, 1))
	got := s.PositionAt(changes * gap)
	off := new(big.Rat).SetFrac64(got.Pulse(), sequencer.PulsesPerBeat)
	parts := new(big.Rat).Quo(new(big.Rat).SetUint64(got.Part()>>12), big.NewRat(sequencer.PulsesPerBeat<<20, 1))
	parts.Quo(parts, big.NewRat(1<<32, 1))
	beats, _ := off.Add(off, parts).Sub(off, want).Float64()
	if t.Logf("after %d changes %.2g beats off", changes, beats); beats > 1e-21 || beats < -1e-21 {
		t.Errorf("the position is %g beats off", beats)
	}
}
