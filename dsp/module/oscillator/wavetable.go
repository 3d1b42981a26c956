package oscillator

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/wave"
)

// Wavetable is an oscillator that reads tables of single cycles.
var Wavetable = dsp.Desc{
	Type:   "wavetable",
	Doc:    "Oscillator that moves through the five waves of a table by position, band-limited.",
	Source: "the formants of vocal: G. Peterson, H. Barney, \"Control methods used in a study of the vowels\", 1952",
	Inputs: oscInputs(dsp.Port{Name: "position",
		Doc: "added to the parameter position; the sum is limited to 0 to 1"}),
	Outputs: []dsp.Port{{Name: "out",
		Doc: "the wave, with a peak of about gain; its partials are complete up to a quarter of the rate, and " +
			"its aliases lie above a third"}},
	Params: oscParams(
		dsp.Param{Name: "table", Min: 0, Max: 3, Names: wavetableNames,
			Doc: "basic: sine, triangle, square, saw, bright; vocal: a, e, i, o, u; organ: five registrations; " +
				"metal: five sparse spectra; a change is crossfaded over 5 ms"},
		dsp.Param{Name: "position", Min: 0, Max: 1, Default: 0,
			Doc: "from the first wave of the table to the last; ramped over 5 ms"},
	),
	GeneratesSound: true,
	New: func(rate float64) dsp.Module {
		w := &wavetable{osc: newOsc(rate), tables: sharedWavetables()}
		w.mix[0].Jump(1)
		return w
	},
}

const (
	wavetableTable = oscGain + 1 + iota
	wavetablePosition
)

type wavetable struct {
	osc
	tables   *wavetables
	mix      [len(wavetables{})]dsp.Ramp // of the tables
	position dsp.Ramp
}

func (w *wavetable) Set(p int, v float64) {
	frames := dsp.RampFrames(w.rate)
	switch p {
	case wavetableTable:
		dsp.Ramps(w.mix[:]).Select(v, frames)
	case wavetablePosition:
		w.position.To(v, frames)
	default:
		w.set(p, v)
	}
}

func (w *wavetable) Gate(bool) {}

// wavetableLevel returns the level for a step: the richest whose partials stay below two thirds of
// the rate, so that aliases lie above a third. If its partials exceed half the rate, fade is the
// weight of the next level.
func wavetableLevel(step uint64) (level int, fade float64) {
	top := float64(float64(step) * (float64(wavetablePartials) / (1 << 64)))
	for top > 2.0/3 && level < wavetableLevels-1 {
		top /= 2
		level++
	}
	if top > 0.5 && level < wavetableLevels-1 {
		fade = float64((top - 0.5) * 6)
	}
	return level, fade
}

func (w *wavetable) Render(in, outs [][]float32) {
	out := outs[0]
	pitch, fm, position := in[0][:len(out)], in[1][:len(out)], in[2][:len(out)]
	of := w.step
	level, fade := wavetableLevel(of)
	for i := range out {
		step := w.at(pitch[i], fm[i])
		if step != of {
			of = step
			level, fade = wavetableLevel(of)
		}
		at := w.position.Next() + float64(position[i])
		y := 0.0
		for k := range w.mix {
			if m := w.mix[k].Next(); m != 0 {
				y += float64(m * w.tables[k].value(w.phase, at, level, fade))
			}
		}
		out[i] = float32(float64(y * w.gain.Next()))
		w.phase += step
	}
}

// value interpolates a table at a phase, between the two waves at a position and between two
// levels.
func (t *wavetableWaves) value(phase uint64, position float64, level int, fade float64) float64 {
	var first int
	switch position *= float64(len(t) - 1); {
	case position >= float64(len(t)-1):
		first, position = len(t)-1, 0
	case position > 0:
		first = int(position)
		position -= float64(first)
	default: // also if position is NaN
		position = 0
	}
	var at wavetablePoint
	at.index = int(phase >> (64 - wavetableBits))
	at.a, at.b, at.c, at.d = wave.CubicWeights(wave.Turns(phase << wavetableBits))
	y := at.in(&t[first], level, fade)
	if position > 0 {
		y += float64(position * (at.in(&t[first+1], level, fade) - y))
	}
	return y
}

// wavetablePoint is a place in a wave: the index before it, and the weights of four points around
// it.
type wavetablePoint struct {
	index      int
	a, b, c, d float64
}

func (p *wavetablePoint) in(w *wavetableWave, level int, fade float64) float64 {
	y := p.read(&w[level])
	if fade > 0 {
		y += float64(fade * (p.read(&w[level+1]) - y))
	}
	return y
}

func (p *wavetablePoint) read(turn *[wavetableSize]float32) float64 {
	const mask = wavetableSize - 1
	y := float64(p.a*float64(turn[(p.index-1)&mask])) + float64(p.b*float64(turn[p.index&mask]))
	return y + (float64(p.c*float64(turn[(p.index+1)&mask])) + float64(p.d*float64(turn[(p.index+2)&mask])))
}

func (w *wavetable) Reset() {
	w.reset()
	for i := range w.mix {
		w.mix[i].Jump(w.mix[i].Target())
	}
	w.position.Jump(w.position.Target())
}

func (w *wavetable) Save(e *dsp.Encoder) {
	w.save(e)
	for i := range w.mix {
		w.mix[i].Save(e)
	}
	w.position.Save(e)
}

func (w *wavetable) Restore(d *dsp.Decoder) {
	w.restore(d)
	for i := range w.mix {
		w.mix[i].Restore(d)
	}
	w.position.Restore(d)
}
