package sequencer_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/dsp/sequencer"
)

// told writes events as text: a frame, then its events.
func told(list []sequencer.Event) string {
	var b strings.Builder
	last := uint64(math.MaxUint64)
	for _, e := range list {
		if e.Frame != last {
			fmt.Fprintf(&b, " %d:", e.Frame)
			last = e.Frame
		}
		switch e.Kind {
		case sequencer.NoteOn:
			fmt.Fprintf(&b, " +%d/%d@%g", e.Track, e.Note, e.Velocity)
		case sequencer.NoteOff:
			fmt.Fprintf(&b, " -%d/%d", e.Track, e.Note)
		case sequencer.Param:
			fmt.Fprintf(&b, " %d.%d=%g", e.Track, e.Lane, e.Value)
		}
	}
	return strings.TrimSpace(b.String())
}

func expect(t *testing.T, what string, list []sequencer.Event, want string) {
	t.Helper()
	if got := told(list); got != want {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

// At 120 bpm and 48 kHz a sixteenth is 6000 frames.
func TestGatesAndTies(t *testing.T) {
	p := pattern(t, "xX--|x-.x")
	p.Steps[0].Gate, p.Steps[1].Note, p.Steps[3].Gate, p.Steps[7].Gate = 50, 7, 250, 1000
	s := sequencer.New(48000)
	must(t, s.SetPattern(0, p), s.Assign(0, 0, sequencer.AtBar), s.Start(0))
	expect(t, "a round and the next step", until(s, 48001),
		"0: +0/60@0.7 300: -0/60 6000: +0/67@1 19500: -0/67 24000: +0/60@0.7 33000: -0/60 42000: +0/60@0.7 48000: -0/60 +0/60@0.7")
	s = playing(t, 48000, "-x-")
	must(t, s.SetTranspose(0, 60))
	expect(t, "a tie at the start, and over the end", until(s, 42000), "6000: +0/120@0.7 21000: -0/120 24000: +0/120@0.7 39000: -0/120")
	s = playing(t, 48000, "x---")
	list := until(s, 10000)
	must(t, s.SetPattern(0, pattern(t, "....")))
	expect(t, "a tie taken away while it holds", append(list, until(s, 100000)...), "0: +0/60@0.7 12000: -0/60")
}

// At one frame the order is NoteOff, Param, NoteOn, then track and lane.
func TestOrder(t *testing.T) {
	s := sequencer.New(48000)
	p := pattern(t, "x")
	p.Steps[0].Gate = sequencer.Whole
	p.Steps[0].SetValue(2, 5)
	p.Steps[0].SetValue(0, -1.5)
	must(t, s.SetPattern(9, p), s.Assign(3, 9, sequencer.AtBar), s.Assign(1, 9, sequencer.AtBar), s.Start(10))
	expect(t, "two tracks", until(s, 6011),
		"10: 1.0=-1.5 1.2=5 3.0=-1.5 3.2=5 +1/60@0.7 +3/60@0.7 6010: -1/60 -3/60 1.0=-1.5 1.2=5 3.0=-1.5 3.2=5 +1/60@0.7 +3/60@0.7")
	must(t, s.SetMute(1, true))
	expect(t, "one is muted", until(s, 12011), "6011: -1/60 12010: -3/60 3.0=-1.5 3.2=5 +3/60@0.7")
}

func TestSwitch(t *testing.T) {
	ready := func() *sequencer.Sequencer {
		s := sequencer.New(48000)
		must(t, s.SetPattern(0, pattern(t, "x....")), s.SetPattern(1, pattern(t, "X.X.")), s.SetPattern(2, pattern(t, "x---")),
			s.SetSignature(3, 8), s.SetDivision(0, sequencer.Division{1, 1}), s.SetDivision(1, sequencer.Division{1, 1}), s.Start(0))
		return s
	}
	s := ready() // bars are 36000 frames, steps 24000
	must(t, s.Assign(0, 0, sequencer.AtOnce))
	list := until(s, 30000)
	must(t, s.Assign(0, 1, sequencer.AtBar))
	if _, queued, step, _ := s.Playing(0); queued != 1 || step != 2 {
		t.Errorf("pattern %d queued, step %d", queued, step)
	}
	expect(t, "at the bar", append(list, until(s, 90000)...), "0: +0/60@0.7 12000: -0/60 36000: +0/60@1 48000: -0/60 84000: +0/60@1")

	s = ready()
	must(t, s.Assign(0, 0, sequencer.AtOnce))
	list = until(s, 30000)
	must(t, s.Assign(0, 1, sequencer.AtEnd))
	expect(t, "at the end", append(list, until(s, 180000)...), "0: +0/60@0.7 12000: -0/60 120000: +0/60@1 132000: -0/60 168000: +0/60@1")

	s = ready()
	must(t, s.Assign(0, 0, sequencer.AtOnce))
	list = until(s, 30000)
	must(t, s.Assign(0, 1, sequencer.AtOnce))
	expect(t, "at once", append(list, until(s, 61000)...), "0: +0/60@0.7 12000: -0/60 48000: +0/60@1 60000: -0/60")

	for when, off := range map[sequencer.When]uint64{sequencer.AtBar: 36000, sequencer.AtEnd: 96000, sequencer.AtOnce: 30000} {
		s = ready()
		must(t, s.Assign(0, 2, sequencer.AtOnce))
		list = until(s, 30000)
		must(t, s.Assign(0, sequencer.None, when))
		want := fmt.Sprintf("0: +0/60@0.7 %d: -0/60", off)
		if when == sequencer.AtEnd {
			want = "0: +0/60@0.7 84000: -0/60"
		}
		expect(t, fmt.Sprint("nothing, ", when), append(list, until(s, 1e6)...), want)
	}
	s = ready()
	list = until(s, 30000)
	must(t, s.Assign(1, 1, sequencer.AtEnd))
	expect(t, "a track that was idle takes the bar", append(list, until(s, 50000)...), "36000: +1/60@1 48000: -1/60")
	if p := s.Position(54000); p.Bar != 1 || p.Beat != 0.75 {
		t.Errorf("position %+v", p)
	}
	must(t, s.SetSignature(4, 4)) // from the bar that began at 36000
	if p := s.Position(36000 + 96000 + 24000); p.Bar != 2 || p.Beat != 1 {
		t.Errorf("position %+v", p)
	}
}

func TestTransport(t *testing.T) {
	s := sequencer.New(48000)
	must(t, s.SetPattern(0, pattern(t, "x---")), s.Assign(0, 0, sequencer.AtBar), s.Assign(5, 0, sequencer.AtBar), s.Start(0))
	must(t, s.Stop(7000))
	expect(t, "planned stop", until(s, 1e6), "0: +0/60@0.7 +5/60@0.7 7000: -0/60 -5/60")
	if p := s.Position(1e6); p.Rolling || p.Beat != 7000./24000 {
		t.Errorf("stopped at %+v", p)
	}
	must(t, s.SetPattern(1, pattern(t, "xxXx")), s.Assign(0, 1, sequencer.AtBar), s.Assign(5, sequencer.None, sequencer.AtBar), s.Continue(1e6+100))
	list := until(s, 1e6+100+10000)
	expect(t, "it goes on", list, "1005100: +0/60@1 1008100: -0/60")
	must(t, s.Start(1e6+100+11500))
	expect(t, "it begins again, with a note on", until(s, 1e6+100+12000), "1011100: +0/60@0.7 1011600: -0/60 +0/60@0.7")
	s.Rewind()
	expect(t, "rewound", until(s, 1e6+100+12100), "1012100: -0/60 +0/60@0.7")
	must(t, s.Stop(0))
	s.Rewind()
	if p := s.Position(0); p.Rolling || p.Bar != 0 || p.Beat != 0 {
		t.Errorf("rewound to %+v", p)
	}
	expect(t, "a stop at a frame that is past is at once", until(s, 2e6), "1012200: -0/60")
	must(t, s.Start(3e6), s.Stop(25e5))
	if f, ok := s.Next(); !ok || f != 25e5 {
		t.Errorf("the stop should take the start back; next is %d, %v", f, ok)
	}
	if until(s, 5e6); s.Position(5e6).Rolling {
		t.Error("it rolls")
	}
	must(t, s.Stop(6e6), s.Start(7e6))
	if until(s, 8e6); !s.Position(8e6).Rolling {
		t.Error("it does not roll")
	}
	for _, err := range []error{s.Start(1 << 63), s.Stop(1 << 63), s.Continue(1 << 63)} {
		if !errors.Is(err, sequencer.ErrFrame) {
			t.Error(err)
		}
	}
}

// Missed events are dropped, except NoteOff.
func TestMissed(t *testing.T) {
	s := playing(t, 48000, "x-x-")
	list := until(s, 100)
	s.Advance(1_000_001)
	expect(t, "an off", append(list, until(s, 1_009_000)...), "0: +0/60@0.7 1000001: -0/60 1008000: +0/60@0.7")
	s = playing(t, 48000, "x")
	must(t, s.Stop(5), s.Start(1000)) // the first start acts at once
	s.Advance(100_000)
	expect(t, "a stop and a start", until(s, 105000), "103000: +0/60@0.7")
}

func TestProbability(t *testing.T) {
	on := func(seed uint64, track int, probability uint16, partly bool) []uint64 {
		s := sequencer.New(48000)
		p := pattern(t, "xxxx")
		p.Seed = seed
		for i := range p.Steps {
			p.Steps[i].Probability = probability
		}
		must(t, s.SetPattern(0, p), s.Assign(track, 0, sequencer.AtBar), s.SetTempo(0, 400), s.Start(0))
		if partly {
			s.Advance(1800 * 5000)
		}
		return frames(until(s, 1800*20000), sequencer.NoteOn, track)
	}
	for _, want := range []uint16{0, 1, 100, 500, 900, 1000} {
		n := len(on(7, 3, want, false))
		sd := math.Sqrt(20000 * float64(want) / 1000 * (1 - float64(want)/1000))
		if off := math.Abs(float64(n) - 20*float64(want)); off > 4*sd {
			t.Errorf("probability %d: %d of 20000 notes", want, n)
		}
		t.Logf("probability %d thousandths: %d of 20000 notes", want, n)
	}
	a := on(7, 3, 500, false)
	same := func(b []uint64) (n int) {
		heard := map[uint64]bool{}
		for _, f := range a {
			heard[f] = true
		}
		for _, f := range b {
			if heard[f] {
				n++
			}
		}
		return n
	}
	if b := on(7, 3, 500, true); same(b) != len(b) || len(b) < 7000 {
		t.Error("the notes depend on what was played before")
	}
	for what, b := range map[string][]uint64{"seed": on(8, 3, 500, false), "track": on(7, 4, 500, false)} {
		if n := same(b); n < 4700 || n > 5300 {
			t.Errorf("another %s: %d notes in common; chance is 5000", what, n)
		}
	}
}
