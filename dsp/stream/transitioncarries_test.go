package stream_test

import (
	"strings"
	"testing"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/sequencer"
	"github.com/music-chronus/chronus/dsp/stream"
	"github.com/music-chronus/chronus/dsp/stream/internal/limiter"
)

// loudest returns the largest magnitude.
func loudest(x []float32) (most float32) {
	for _, v := range x {
		most = max(most, v, -v)
	}
	return most
}

// limited makes a limiter that has limited a number of blocks and has recovered since.
func limited(blocks int) limiter.Limiter {
	l := limiter.New(48000)
	l.Process([]float32{2}, []float32{2})
	for range blocks {
		l.CountBlock()
	}
	silence := make([]float32, 10*48000)
	l.Process(silence, silence)
	return l
}

// A value that differs in the new text is set. A waiting command keeps its node, whatever the
// node's new index, and is dropped with the node. Counters continue.
func TestMoveCarriesValuesAndCommands(t *testing.T) {
	const cables = "cables: [osc > out]\n"
	s := newStream(t, tone+cables, 64, 1)
	osc, gain := lookup(t, s, "osc", "gain")
	s.Push(stream.Command{Seq: 1, Frame: 64 * 300, Kind: stream.Set, Node: osc, Param: gain, Value: 0.25})
	render(s, 100)
	s.SetFaults(3, osc)
	s.SetLimiter(limited(7))
	text := strings.Replace(tone, "nodes:\n", "nodes:\n  - {id: first, type: sine, params: {gain: 0}}\n", 1)
	s = switched(t, s, strings.Replace(text, "gain: 0.5", "gain: 0.1", 1)+cables)
	now, _ := lookup(t, s, "osc", "gain")
	faults, faulty := s.Faults()
	if blocks, _ := s.Limited(); now == osc || faulty != int(now) || faults != 3 || blocks != 7 {
		t.Errorf("node %d, faulty %d, %d faults, %d limited", now, faulty, faults, blocks)
	}
	render(s, 40)
	if got := loudest(render(s, 100)); got < 0.09 || got > 0.11 {
		t.Errorf("at %g, the new text says 0.1", got)
	}
	render(s, 100)
	if got := loudest(render(s, 100)); got < 0.24 || got > 0.26 {
		t.Errorf("at %g, the command that waited says 0.25", got)
	}
	s.Push(stream.Command{Seq: s.Seq() + 1, Frame: s.Block()*64 + 6400, Kind: stream.Set, Node: osc + 1, Param: gain,
		Value: 1})
	first, _ := lookup(t, s, "first", "gain")
	play(s, stream.Command{Kind: stream.Bypass, Node: first, Value: 1})
	render(s, 1)
	s = switched(t, s, "version: 1\nnodes:\n  - {id: first, type: sine, params: {gain: 0.1}}\ncables: [first > out]\n")
	if s.Waiting() != 0 || s.Ignored() != 1 || !s.Bypassed(1) {
		t.Errorf("%d wait, %d ignored, left out: %t", s.Waiting(), s.Ignored(), s.Bypassed(1))
	}
}

// Tempo, patterns and divisions are those of the new text. A pattern that it lacks is silent.
func TestMoveCarriesMusic(t *testing.T) {
	notes := func(s *stream.Stream) uint64 {
		from := s.Group(0).Notes()
		render(s, 3000) // 4 s
		return s.Group(0).Notes() - from
	}
	s := newStream(t, beat, 64, 1)
	render(s, 10)
	slower := strings.Replace(beat, "voices: low, pattern: 0", "voices: low, division: 1/8, pattern: 0", 1)
	full := strings.Replace(slower, `"X.x. ..x. X... x..."`, `"xxxx xxxx xxxx xxxx"`, 1)
	plain, divided := notes(switched(t, newStream(t, beat, 64, 1), beat)), uint64(0)
	s = switched(t, s, slower)
	if divided = notes(s); divided == 0 || divided > plain*2/3 {
		t.Errorf("%d notes in eighths, %d in sixteenths", divided, plain)
	}
	s = switched(t, s, full)
	if got := notes(s); got != 16 {
		t.Errorf("%d notes of a pattern of eighths in four seconds", got)
	}
	s = switched(t, s, strings.Replace(full, "tempo: 120", "tempo: 240", 1))
	if got := notes(s); got != 32 {
		t.Errorf("%d notes at twice the tempo", got)
	}
	i, j := strings.Index(full, "  - {number: 1,"), strings.Index(full, "  - {number: 2,")
	var p sequencer.Pattern
	s = switched(t, s, full[:i]+full[j:])
	if err := s.Sequencer().Pattern(1, &p); err != nil || p.N != 16 || p.Steps[0].Trig != sequencer.Rest {
		t.Errorf("pattern 1 is %q, %v", p.String(), err)
	}
	if n := s.Plan().Nodes()[s.Plan().SeqNode()]; n.Values[patch.SeqBPM] != 120 || s.Sequencer().Position(s.Block()*64).Tempo != 120 {
		t.Errorf("tempo %g", s.Sequencer().Position(s.Block()*64).Tempo)
	}
}
