package reverb

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/delay"
	"github.com/music-chronus/chronus/dsp/internal/signal"
)

// Freeverb is a reverb by Schroeder's and Moorer's method.
var Freeverb = dsp.Desc{
	Type: "freeverb",
	Doc: "Reverb: eight parallel combs and four all-passes in series for each channel, tuned as in Freeverb. " +
		"The tail fades out over 4 s after 20 s of silent input.",
	Source: "Jezar at Dreampoint, Freeverb, 2000, public domain; J. A. Moorer, About This Reverberation " +
		"Business, CMJ 1979",
	Inputs:  []dsp.Port{{Name: "in", Stereo: true, Doc: "dry signal; the sum of its channels excites the reverb"}},
	Outputs: []dsp.Port{{Name: "out", Stereo: true, Doc: "dry signal and reverb, by mix"}},
	Params:  freeverbParams,
	New: func(rate float64) dsp.Module {
		f := &freeverb{rate: rate, guard: delay.NewTailGuard(rate)}
		dsp.Ramps(f.p[:]).Defaults(freeverbParams)
		for k := range f.comb {
			for i, n := range freeverbCombs {
				f.comb[k][i].ring = make([]float32, freeverbFrames(n+k*freeverbSpread, rate))
			}
			for i, n := range freeverbAllpasses {
				f.allpass[k][i].ring = make([]float32, freeverbFrames(n+k*freeverbSpread, rate))
			}
		}
		f.Reset()
		return f
	},
}

var freeverbParams = []dsp.Param{
	{Name: "room", Min: 0, Max: 1, Default: 0.5,
		Doc: "feedback of the combs, from 0.7 to 0.98: a decay of 0.7 s to 12 s; ramped over 5 ms"},
	{Name: "damp", Min: 0, Max: 1, Default: 0.5, Doc: "damping of high frequencies; ramped over 5 ms"},
	{Name: "width", Min: 0, Max: 1, Default: 1, Doc: "0 is mono; ramped over 5 ms"},
	{Name: "mix", Min: 0, Max: 1, Default: 0.3, Doc: "0 is the input, 1 the reverb; ramped over 5 ms"},
}

// Jezar's lengths in frames at 44100 Hz. Those of the right channel are longer by freeverbSpread.
var (
	freeverbCombs     = [8]int{1116, 1188, 1277, 1356, 1422, 1491, 1557, 1617}
	freeverbAllpasses = [4]int{556, 441, 341, 225}
)

const (
	freeverbSpread = 23
	freeverbRate   = 44100.0
	freeverbIn     = 0.015 // gain of the sum of the channels
	freeverbWet    = 1.5   // gain of the reverb, half of Jezar's: noise keeps about its level
)

const (
	freeverbRoom = iota
	freeverbDamp
	freeverbWidth
	freeverbMix
	freeverbCount
)

// freeverbFrames converts a length to another rate.
func freeverbFrames(n int, rate float64) int {
	return max(1, int(float64(float64(n)*rate)/freeverbRate+0.5))
}

// freeverbLine is a delay as long as its ring, with a one-pole low-pass for the combs.
type freeverbLine struct {
	ring []float32
	pos  uint32
	low  float64
}

// put replaces the oldest frame.
func (n *freeverbLine) put(v float64) {
	n.ring[n.pos] = delay.Flush(v)
	if n.pos++; n.pos == uint32(len(n.ring)) {
		n.pos = 0
	}
}

// allpass filters by Jezar's approximation of an all-pass.
func (n *freeverbLine) allpass(x float64) float64 {
	y := float64(n.ring[n.pos])
	n.put(x + float64(0.5*y))
	return y - x
}

// freeverbChunk is the number of frames that a comb processes at once.
const freeverbChunk = 32

// freeverbSettings are the inputs and the coefficients of the combs for each frame.
type freeverbSettings struct{ in, feedback, damp [freeverbChunk]float64 }

// comb adds the output of a comb to sum. The low-pass is in the loop.
func (n *freeverbLine) comb(f *freeverbSettings, sum []float64) {
	ring, pos, low := n.ring, n.pos, n.low
	for k := range sum {
		y := float64(ring[pos])
		low = float64((1-f.damp[k])*y) + float64(f.damp[k]*low)
		if signal.Silent(low) {
			low = 0
		}
		ring[pos] = delay.Flush(f.in[k] + float64(f.feedback[k]*low))
		if pos++; pos == uint32(len(ring)) {
			pos = 0
		}
		sum[k] += y
	}
	n.pos, n.low = pos, low
}

type freeverb struct {
	rate           float64
	p              [freeverbCount]dsp.Ramp
	guard          delay.TailGuard
	feedback, damp float64
	comb           [2][8]freeverbLine
	allpass        [2][4]freeverbLine
}

func (f *freeverb) Set(p int, v float64) {
	if p >= 0 && p < freeverbCount {
		f.p[p].To(v, dsp.RampFrames(f.rate))
	}
}

func (f *freeverb) Gate(bool) {}

// tune computes the coefficients of the combs. The low-pass is Jezar's at 44100 Hz and has the same
// time constant at other rates.
func (f *freeverb) tune(room, damp float64) {
	f.feedback = 0.7 + float64(0.28*room)
	f.damp = 0
	if damp > 0 {
		f.damp = approx.Exp2(float64(approx.Log2(float64(0.4*damp))*freeverbRate) / f.rate)
	}
}

func (f *freeverb) Render(in, outs [][]float32) {
	for at := 0; at < len(outs[0]); at += freeverbChunk {
		end := min(at+freeverbChunk, len(outs[0]))
		f.chunk(in[0][at:end], in[1][at:end], outs[0][at:end], outs[1][at:end])
	}
}

func (f *freeverb) chunk(inLeft, inRight, outLeft, outRight []float32) {
	var s freeverbSettings
	var y [2][freeverbChunk]float64
	n := len(inLeft)
	for k := range n {
		l, r := float64(inLeft[k]), float64(inRight[k])
		if f.p[freeverbRoom].Moving() || f.p[freeverbDamp].Moving() {
			f.tune(f.p[freeverbRoom].Next(), f.p[freeverbDamp].Next())
		}
		s.in[k] = float64(freeverbIn * (l + r))
		s.feedback[k], s.damp[k] = float64(f.feedback*f.guard.Next(l, r)), f.damp
	}
	for c := range y {
		for i := range f.comb[c] {
			f.comb[c][i].comb(&s, y[c][:n])
		}
		for i := range f.allpass[c] {
			line := &f.allpass[c][i]
			for k, v := range y[c][:n] {
				y[c][k] = line.allpass(v)
			}
		}
	}
	for k := range n {
		l, r := float64(freeverbWet*y[0][k]), float64(freeverbWet*y[1][k])
		side := float64(float64(0.5*(1-f.p[freeverbWidth].Next())) * (r - l))
		mix := f.p[freeverbMix].Next()
		outLeft[k], outRight[k] = signal.Blend(inLeft[k], l+side, mix), signal.Blend(inRight[k], r-side, mix)
	}
}

func (f *freeverb) Reset() {
	dsp.Ramps(f.p[:]).Finish()
	f.tune(f.p[freeverbRoom].Target(), f.p[freeverbDamp].Target())
	f.guard.Reset()
	for k := range f.comb {
		for i := range f.comb[k] {
			f.comb[k][i].reset()
		}
		for i := range f.allpass[k] {
			f.allpass[k][i].reset()
		}
	}
}

func (n *freeverbLine) reset() {
	clear(n.ring)
	n.pos, n.low = 0, 0
}

func (n *freeverbLine) save(e *dsp.Encoder) {
	e.Uint32(n.pos)
	e.Float64(n.low)
	e.Float32s(n.ring)
}

func (n *freeverbLine) restore(d *dsp.Decoder) {
	n.pos = delay.RestorePos(d, len(n.ring))
	n.low = d.Float64()
	d.Float32s(n.ring)
}

func (f *freeverb) Save(e *dsp.Encoder) {
	dsp.Ramps(f.p[:]).Save(e)
	f.guard.Save(e)
	e.Float64(f.feedback)
	e.Float64(f.damp)
	for k := range f.comb {
		for i := range f.comb[k] {
			f.comb[k][i].save(e)
		}
		for i := range f.allpass[k] {
			f.allpass[k][i].save(e)
		}
	}
}

func (f *freeverb) Restore(d *dsp.Decoder) {
	dsp.Ramps(f.p[:]).Restore(d)
	f.guard.Restore(d)
	f.feedback, f.damp = d.Float64(), d.Float64()
	for k := range f.comb {
		for i := range f.comb[k] {
			f.comb[k][i].restore(d)
		}
		for i := range f.allpass[k] {
			f.allpass[k][i].restore(d)
		}
	}
}
