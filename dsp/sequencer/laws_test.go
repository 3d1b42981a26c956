package sequencer_test

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/music-chronus/chronus/dsp"

	"github.com/music-chronus/chronus/dsp/sequencer"
)

type order struct {
	frame   uint64
	kind    int
	a, b, c int
	x       float64
	pattern *sequencer.Pattern
}

const orderKinds = 18

// obey executes an order. The sequencer rejects some orders.
func obey(s *sequencer.Sequencer, o order) error {
	s.Advance(o.frame)
	track := o.a % sequencer.Tracks % 3
	switch o.kind {
	case 0, 1:
		return s.SetPattern(o.b%4, o.pattern)
	case 2, 3, 4:
		return s.Assign(track, o.b%5-1, sequencer.When(o.c%3)+sequencer.AtBar)
	case 5:
		return s.SetTempo(o.frame+uint64(o.c%2*o.b), 20+380*o.x)
	case 6:
		return s.RampSeconds(o.frame+uint64(o.c%2*o.b), 20+380*o.x, float64(1+o.a)/100)
	case 7:
		return s.RampBeats(o.frame+uint64(o.c%2*o.b), 20+380*o.x, float64(1+o.a)/16)
	case 8:
		return s.Start(o.frame + uint64(o.c%3*o.b))
	case 9:
		return s.Continue(o.frame + uint64(o.c%3*o.b))
	case 10:
		return s.Stop(o.frame + uint64(o.c%3*o.b))
	case 11:
		return s.SetDivision(track, []sequencer.Division{{1, 4}, {1, 3}, {3, 32}, {1, 24}, {1, 1}, {1, 7}}[o.c%6])
	case 12:
		return s.SetSteps(track, o.b%8)
	case 13:
		return s.SetSwing(track, 0.5+o.x/4)
	case 14:
		return s.SetMute(track, o.c%2 == 1)
	case 15:
		return s.SetSignature(1+o.b%9, 4<<(o.c%2))
	case 16:
		return s.SetTranspose(track, o.b%60)
	default:
		if o.c%4 == 0 {
			s.Rewind()
		}
		return s.SetStep(o.b%4, o.c%4, o.pattern.Steps[0])
	}
}

func drawPattern(t *rapid.T) *sequencer.Pattern {
	p, err := sequencer.ParsePattern(rapid.StringMatching("[Xx.-]{4,9}").Draw(t, "pattern"))
	if err != nil {
		t.Fatal(err)
	}
	p.Seed = rapid.Uint64().Draw(t, "seed")
	for i := range p.Steps[:p.N] {
		step, x := &p.Steps[i], sequencer.Mix(p.Seed+uint64(i))
		step.Gate = []uint16{50, 500, 1000}[x%3]
		step.Probability = []uint16{1000, 500}[x>>8&1]
		step.Note = int8(x >> 16)
		if x>>32&1 > 0 {
			step.SetValue(i%sequencer.Lanes, float32(x>>48))
		}
	}
	return &p
}

// drawOrders draws orders, beginning with some that make notes.
func drawOrders(t *rapid.T) (list []order) {
	for i := range 4 {
		list = append(list, order{kind: 0, b: i, pattern: drawPattern(t)}, order{kind: 2, a: i, b: i + 1})
	}
	list = append(list, order{kind: 8})
	frame := uint64(0)
	for range rapid.IntRange(0, 25).Draw(t, "orders") {
		frame += rapid.SampledFrom([]uint64{0, 1, 2999, 3000, 6000, 24000, 10007}).Draw(t, "gap")
		o := order{
			frame: frame, kind: rapid.IntRange(0, orderKinds-1).Draw(t, "kind"), a: rapid.IntRange(0, 63).Draw(t, "a"),
			b: rapid.IntRange(0, 5000).Draw(t, "b"), c: rapid.IntRange(0, 11).Draw(t, "c"), x: rapid.Float64Range(0, 1).Draw(t, "x"),
		}
		if o.kind < 2 || o.kind == orderKinds-1 {
			o.pattern = drawPattern(t)
		}
		list = append(list, o)
	}
	return list
}

// perform plays up to a frame, with the orders in between. If block is not 0, it advances block by
// block.
func perform(s *sequencer.Sequencer, orders []order, from, to, block uint64) (list []sequencer.Event) {
	take := func(e sequencer.Event) { list = append(list, e) }
	for at := from; ; {
		for len(orders) > 0 && orders[0].frame <= at {
			_ = obey(s, orders[0])
			orders = orders[1:]
		}
		if at >= to {
			return list
		}
		if f, ok := s.Next(); ok && f <= at {
			s.Take(at, take)
			at++
			continue
		}
		end := to
		if len(orders) > 0 {
			end = min(end, orders[0].frame)
		}
		if block > 0 {
			s.Advance(at)
			end = min(end, at/block*block+block)
		}
		if f, ok := s.Next(); ok {
			end = min(end, f)
		}
		at = end
	}
}

func saved(s *sequencer.Sequencer) []byte {
	e := dsp.NewEncoder(nil)
	s.Save(e)
	return e.Bytes()
}

func restored(t interface{ Fatal(...any) }, rate float64, state []byte) *sequencer.Sequencer {
	s := sequencer.New(rate)
	d := dsp.NewDecoder(state)
	if s.Restore(d); d.Err() != nil || d.Remaining() != 0 {
		t.Fatal(d.Err(), d.Remaining())
	}
	return s
}

const lawFrames = 200_000

// The events are the same however time is divided into blocks. A restored sequencer continues
// equally and saves the same state.
func TestPartitionAndRestore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		orders := drawOrders(t)
		s := sequencer.New(48000)
		want := perform(s, orders, 0, lawFrames, 0)
		block := rapid.SampledFrom([]uint64{1, 64, 1000, 4096}).Draw(t, "block")
		if block == 1 && len(want) > 200 {
			block = 63 // a shorter one
		}
		if got := perform(sequencer.New(48000), orders, 0, lawFrames, block); !slices.Equal(got, want) {
			t.Fatalf("in blocks of %d\n%s\nin one\n%s", block, told(got), told(want))
		}
		cut := uint64(rapid.IntRange(0, lawFrames).Draw(t, "cut"))
		i, _ := slices.BinarySearchFunc(orders, cut, func(o order, f uint64) int {
			if o.frame < f {
				return -1
			}
			return 1
		})
		a := sequencer.New(48000)
		first := perform(a, orders[:i], 0, cut, 0)
		b := restored(t, 48000, saved(a))
		if !bytes.Equal(saved(a), saved(b)) {
			t.Fatal("the state is another after it was restored")
		}
		if got := append(first, perform(b, orders[i:], cut, lawFrames, 0)...); !slices.Equal(got, want) {
			t.Fatalf("restored at %d\n%s\nuninterrupted\n%s", cut, told(got), told(want))
		}
		if !bytes.Equal(saved(b), saved(s)) {
			t.Fatal("the states end as others")
		}
	})
}

// Every NoteOn has one NoteOff, at a later frame and before the track's next NoteOn, after any
// orders.
func TestPairs(t *testing.T) {
	notes, checks := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		checks++
		s := sequencer.New(48000)
		list := perform(s, drawOrders(t), 0, lawFrames, 0)
		_ = s.Stop(lawFrames)
		_ = s.Start(lawFrames + 10)
		_ = s.Stop(lawFrames + 20)
		list = append(list, until(s, lawFrames+100)...)
		var on [sequencer.Tracks]*sequencer.Event
		for i := range list {
			e := &list[i]
			if i > 0 {
				if b := list[i-1]; e.Frame < b.Frame || e.Frame == b.Frame && (e.Kind < b.Kind || e.Kind == b.Kind && e.Track < b.Track) {
					t.Fatalf("%+v comes after %+v", *e, b)
				}
			}
			switch last := on[e.Track]; {
			case e.Kind == sequencer.NoteOn && last != nil:
				t.Fatalf("%+v sounds, then comes %+v", *last, *e)
			case e.Kind == sequencer.NoteOn:
				on[e.Track] = e
				notes++
			case e.Kind == sequencer.NoteOff:
				if last == nil || last.Note != e.Note || last.Frame >= e.Frame {
					t.Fatalf("%+v ends %+v", *e, last)
				}
				on[e.Track] = nil
			}
		}
		for _, e := range on {
			if e != nil {
				t.Fatalf("%+v never ends", *e)
			}
		}
	})
	if notes < 10*checks {
		t.Errorf("only %d notes in %d runs", notes, checks)
	}
}

// Restore rejects an invalid state, or continues without a panic.
func TestRestoreNonsense(t *testing.T) {
	taken, refused := 0, 0
	fresh := saved(sequencer.New(48000))
	rapid.Check(t, func(t *rapid.T) {
		s := sequencer.New(48000)
		orders := drawOrders(t)
		perform(s, orders, 0, 50000, 0)
		state := saved(s)
		head := sequencer.StateBytes - sequencer.Patterns*(16+sequencer.MaxSteps*20)
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			at := rapid.OneOf(rapid.IntRange(0, 100), rapid.IntRange(76+64*20, head-1), rapid.IntRange(0, sequencer.StateBytes-1)).Draw(t, "at")
			state[at] = rapid.SampledFrom([]byte{0, 1, 0x7f, 0x80, 0xff, 0x20}).Draw(t, "byte")
		}
		s = sequencer.New(48000)
		d := dsp.NewDecoder(state)
		if s.Restore(d); d.Err() != nil {
			if refused++; !bytes.Equal(saved(s), fresh) {
				t.Fatal("a refused state leaves something behind")
			}
			return
		}
		taken++
		now := s.Now()
		for i := range orders {
			orders[i].frame += now
		}
		perform(s, orders, now, now+3000, 0)
		s.Advance(now + 1<<40)
		perform(s, nil, now+1<<40, now+1<<40+3000, 0)
		_, _ = s.FrameAt(1e9)
		_ = s.Position(math.MaxUint64)
	})
	t.Logf("%d taken, %d refused", taken, refused)
	for n := 0; n < len(fresh); n += 997 {
		d := dsp.NewDecoder(fresh[:n])
		if sequencer.New(48000).Restore(d); d.Err() == nil {
			t.Fatalf("%d bytes are taken for a state", n)
		}
	}
}

func TestReset(t *testing.T) {
	s := playing(t, 48000, "x-X.")
	must(t, s.SetSwing(3, 0.6), s.RampSeconds(0, 300, 1), s.SetSignature(7, 8))
	until(s, 10000)
	if s.Reset(); !bytes.Equal(saved(s), saved(sequencer.New(48000))) {
		t.Error("Reset leaves something")
	}
	if n := len(saved(s)); n != sequencer.StateBytes || n > 200_000 {
		t.Errorf("a state of %d bytes; StateBytes is %d", n, sequencer.StateBytes)
	}
	if _, ok := s.Next(); ok {
		t.Error("something is due")
	}
	for rate, want := range map[float64]uint64{math.NaN(): 8000, -1: 8000, math.Inf(1): 768000, 44100: 44100, 47999.7: 48000} {
		if got := sequencer.New(rate).Rate(); got != want {
			t.Errorf("rate %v is taken for %d", rate, got)
		}
	}
	t.Logf("%d bytes", sequencer.StateBytes)
}
