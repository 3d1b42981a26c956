package sequencer_test

import (
	"testing"

	"github.com/music-chronus/chronus/dsp"

	"github.com/music-chronus/chronus/dsp/sequencer"
)

// busy makes a sequencer that plays all its tracks.
func busy(t testing.TB) *sequencer.Sequencer {
	s := sequencer.New(48000)
	p := pattern(t, "X.x-|x.x.|xx-x")
	p.Steps[0].SetValue(1, 0.5)
	must(t, s.SetPattern(0, p))
	for i := range sequencer.Tracks {
		must(t, s.Assign(i, 0, sequencer.AtBar), s.SetSwing(i, 0.5+float64(i)/100), s.SetSteps(i, 12+i))
	}
	must(t, s.Start(0))
	return s
}

func TestNoAllocs(t *testing.T) {
	s, p := busy(t), pattern(t, "x-x.")
	events, frame := 0, uint64(0)
	room := make([]byte, 0, sequencer.StateBytes)
	e, d := dsp.NewEncoder(room), dsp.NewDecoder(nil)
	n := testing.AllocsPerRun(200, func() {
		for range 100 {
			for f, ok := s.Next(); ok && f < frame+64; f, ok = s.Next() {
				s.Take(f, func(sequencer.Event) { events++ })
			}
			frame += 64
		}
		s.Advance(frame)
		must(t, s.SetPattern(1, p), s.SetStep(0, 1, p.Steps[0]), s.Assign(1, 1, sequencer.AtBar), s.Assign(1, 0, sequencer.AtEnd), s.SetTempo(frame, 130),
			s.RampSeconds(frame, 117.3, 0.1), s.RampBeats(frame, 117.3, 0.1), s.SetSwing(0, 0.6), s.SetDivision(2, sequencer.Division{1, 3}),
			s.SetMute(4, events%2 == 0), s.SetSignature(7, 8), s.SetSteps(4, 9), s.SetTranspose(4, 9), s.Stop(frame), s.Continue(frame))
		_ = s.SetTempo(0, 1)
		_ = s.SetPattern(-1, p)
		_ = s.SetStep(0, 0, sequencer.Step{})
		_ = s.Position(frame)
		*e = *dsp.NewEncoder(room)
		s.Save(e)
		*d = *dsp.NewDecoder(e.Bytes())
		if s.Restore(d); d.Err() != nil {
			t.Fatal(d.Err())
		}
	})
	if n != 0 || events < 1000 {
		t.Errorf("%v allocations, %d events", n, events)
	}
}

// BenchmarkBlock measures a block of 64 frames with 16 playing tracks.
func BenchmarkBlock(b *testing.B) {
	for name, ramp := range map[string]float64{"constant": 0, "ramp": 10000} {
		b.Run(name, func(b *testing.B) {
			s := busy(b)
			if ramp > 0 {
				must(b, s.RampSeconds(0, 300, ramp))
			}
			frame, events := uint64(0), 0
			for b.Loop() {
				for f, ok := s.Next(); ok && f < frame+64; f, ok = s.Next() {
					s.Take(f, func(sequencer.Event) { events++ })
				}
				frame += 64
			}
			b.ReportMetric(float64(events)/float64(b.N), "events/op")
		})
	}
}

func BenchmarkTempo(b *testing.B) {
	s, k := busy(b), 0
	for b.Loop() {
		k++
		must(b, s.SetTempo(0, 100+float64(k%2)))
	}
}

func BenchmarkState(b *testing.B) {
	s := busy(b)
	room := make([]byte, 0, sequencer.StateBytes)
	b.Run("save", func(b *testing.B) {
		for b.Loop() {
			s.Save(dsp.NewEncoder(room))
		}
	})
	state := saved(s)
	b.Run("restore", func(b *testing.B) {
		for b.Loop() {
			s.Restore(dsp.NewDecoder(state))
		}
	})
}
