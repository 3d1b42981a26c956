package dynamics

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/signal"
)

// Limiter limits the peaks of a signal.
var Limiter = dsp.Desc{
	Type: "limiter",
	Doc: "Brick-wall limiter with 5 ms of look-ahead and latency: no sample of the output exceeds the ceiling. " +
		"Both channels get the gain of the louder one. Peaks between samples, as in a converter, are not limited.",
	Source: "minimum of a window: van Herk, A fast algorithm for local minimum and maximum filters, 1992; Gil " +
		"and Werman, " +
		"Computing 2-D min, median, and max filters, 1993",
	Inputs:  []dsp.Port{{Name: "in", Stereo: true, Doc: "signal to limit"}},
	Outputs: []dsp.Port{{Name: "out", Stereo: true, Doc: "limited signal, 5 ms late"}},
	Params: []dsp.Param{
		{Name: "ceiling", Unit: "dB", Min: -24, Max: 0, Default: -0.3,
			Doc: "greatest level of the output; a lower ceiling takes effect after 5 ms"},
		{Name: "release", Unit: "s", Min: 0.01, Max: 1, Default: 0.1, Doc: "time constant of a rising gain"},
	},
	New: newLimiter,
}

const (
	limiterCeiling = iota
	limiterRelease
)

// limiterSeconds is the look-ahead in s.
const limiterSeconds = 0.005

// limiterOne is a gain of 1 in fixed point. The moving sum of gains is an integer, so that it does
// not drift.
const limiterOne = 1 << 40

// limiter computes for each frame the least gain that a frame in the look-ahead window needs,
// limits its rise by release, and takes the mean over the window. So the gain has fallen smoothly
// when a loud frame leaves the delay line.
type limiter struct {
	rate, dB, release float64
	ceiling           float64 // linear
	clip              float64 // highest ceiling of the frames in the delay line
	clipFor           uint32  // frames until clip falls to ceiling

	at          int // index into the slices below, which are as long as the window
	left, right []float32
	needed      []float64 // gain that each frame of the present run needs
	least       []float64 // minimum from each place of the last run to its end
	gains       []int64
	now         float64 // minimum of needed up to at
	gain        float64 // after release
	sum         int64   // of gains
}

func newLimiter(rate float64) dsp.Module {
	n := int(limiterSeconds*rate) + 1
	l := &limiter{
		rate: rate, dB: -0.3, release: 0.1,
		left: make([]float32, n), right: make([]float32, n),
		needed: make([]float64, n), least: make([]float64, n), gains: make([]int64, n),
	}
	l.Reset()
	return l
}

func (l *limiter) Set(p int, v float64) {
	switch p {
	case limiterCeiling:
		l.dB, l.ceiling = v, approx.Gain(v)
		l.clip, l.clipFor = max(l.clip, l.ceiling), uint32(len(l.left))
	case limiterRelease:
		l.release = v
	}
}

func (l *limiter) Gate(bool) {}

func (l *limiter) Render(in, outs [][]float32) {
	left, right := outs[0], outs[1]
	rise := signal.Smoothing(l.release, l.rate)
	most := below(l.clip)
	for i := range left {
		if l.clipFor > 0 {
			if l.clipFor--; l.clipFor == 0 {
				l.clip = l.ceiling
				most = below(l.clip)
			}
		}
		a, b := in[0][i], in[1][i]
		gain := l.frame(louder(a, b), rise)
		l.left[l.at], l.right[l.at] = a, b
		if l.at++; l.at == len(l.left) {
			l.at = 0
		}
		// The clip removes only rounding errors.
		left[i] = max(-most, min(most, float32(float64(float64(l.left[l.at])*gain))))
		right[i] = max(-most, min(most, float32(float64(float64(l.right[l.at])*gain))))
	}
}

// frame returns the gain of the frame that leaves the delay line when a frame with a peak enters.
func (l *limiter) frame(peak, rise float64) float64 {
	need := 1.0
	if peak > l.ceiling {
		need = l.ceiling / peak
	}
	// The window consists of the present run of n frames up to at and of the end of the run before.
	n := len(l.needed)
	if l.at == 0 {
		least := 1.0
		for k := n - 1; k >= 0; k-- {
			least = min(least, l.needed[k])
			l.least[k] = least
		}
		l.now = 1
	}
	l.needed[l.at] = need
	l.now = min(l.now, need)
	least := l.now
	if l.at+1 < n {
		least = min(least, l.least[l.at+1])
	}
	if l.gain += float64(rise * (least - l.gain)); l.gain > least-signal.LevelFloor {
		l.gain = least // falls at once, and ends a rise that is nearly complete
	}
	fixed := int64(float64(l.gain * limiterOne))
	l.sum += fixed - l.gains[l.at]
	l.gains[l.at] = fixed
	return float64(l.sum) / float64(n*limiterOne)
}

// below returns the greatest float32 that is at most v.
func below(v float64) float32 {
	f := float32(v)
	if float64(f) > v {
		f = math.Float32frombits(math.Float32bits(f) - 1)
	}
	return f
}

func (l *limiter) Reset() {
	l.ceiling = approx.Gain(l.dB)
	l.clip, l.clipFor, l.at, l.now, l.gain = l.ceiling, 0, 0, 1, 1
	for k := range l.left {
		l.left[k], l.right[k], l.needed[k], l.least[k], l.gains[k] = 0, 0, 1, 1, limiterOne
	}
	l.sum = int64(len(l.gains)) * limiterOne
}

func (l *limiter) Save(e *dsp.Encoder) {
	for _, v := range [...]float64{l.dB, l.release, l.ceiling, l.clip, l.now, l.gain} {
		e.Float64(v)
	}
	e.Uint32(l.clipFor)
	e.Uint32(uint32(l.at))
	e.Uint64(uint64(l.sum))
	for k := range l.left {
		e.Float32(l.left[k])
		e.Float32(l.right[k])
		e.Float64(l.needed[k])
		e.Float64(l.least[k])
		e.Uint64(uint64(l.gains[k]))
	}
}

func (l *limiter) Restore(d *dsp.Decoder) {
	for _, v := range [...]*float64{&l.dB, &l.release, &l.ceiling, &l.clip, &l.now, &l.gain} {
		*v = d.Float64()
	}
	l.clipFor, l.at = d.Uint32(), int(d.Uint32())
	if l.at >= len(l.left) {
		l.at = 0
		d.Fail()
	}
	l.sum = int64(d.Uint64())
	for k := range l.left {
		l.left[k], l.right[k] = d.Float32(), d.Float32()
		l.needed[k], l.least[k] = d.Float64(), d.Float64()
		l.gains[k] = int64(d.Uint64())
	}
}
