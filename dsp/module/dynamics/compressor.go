package dynamics

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/ramped"
	"github.com/music-chronus/chronus/dsp/internal/signal"
)

// Compressor reduces the level of loud sound.
var Compressor = dsp.Desc{
	Type: "compressor",
	Doc: "Feed-forward compressor with a soft knee and a smooth decoupled peak detector. Both channels get the " +
		"gain of the louder one.",
	Source: "Giannoulis, Massberg and Reiss, Digital dynamic range compressor design: a tutorial and analysis, " +
		"J. Audio Eng. Soc. 60(6), 2012",
	Inputs: []dsp.Port{
		{Name: "in", Stereo: true, Doc: "signal to compress"},
		{Name: "side", Stereo: true, Doc: "signal to measure if key is side"},
	},
	Outputs: []dsp.Port{
		{Name: "out", Stereo: true, Doc: "compressed signal"},
		{Name: "reduction", Unit: "dB", Doc: "reduction of the gain, 0 or more, without makeup"},
	},
	Params: compressorParams,
	New: func(rate float64) dsp.Module {
		return &compressor{Params: ramped.New(rate, compressorParams)}
	},
}

var compressorParams = []dsp.Param{
	{Name: "threshold", Unit: "dB", Min: -60, Max: 0, Default: -20,
		Doc: "level above which it compresses, in the middle of the knee; ramped over 5 ms"},
	{Name: "ratio", Min: 1, Max: 100, Default: 4,
		Doc: "dB of input for each dB of output above the threshold; ramped over 5 ms"},
	{Name: "attack", Unit: "s", Min: 0.0001, Max: 0.2, Default: 0.01, Doc: "time constant of a falling gain"},
	{Name: "release", Unit: "s", Min: 0.005, Max: 1.5, Default: 0.1, Doc: "time constant of a rising gain"},
	{Name: "knee", Unit: "dB", Min: 0, Max: 24, Default: 6,
		Doc: "width of the transition from 1 to ratio; ramped over 5 ms"},
	{Name: "makeup", Unit: "dB", Min: 0, Max: 24, Doc: "gain after compression; ramped over 5 ms"},
	{Name: "mix", Min: 0, Max: 1, Default: 1, Doc: "0 is the input, 1 the compressed signal; ramped over 5 ms"},
	{Name: "key", Max: 1, Names: []string{"own", "side"},
		Doc: "measured signal: own is the input in, side the input side"},
}

const (
	compressorThreshold = iota
	compressorRatio
	compressorAttack
	compressorRelease
	compressorKnee
	compressorMakeup
	compressorMix
	compressorKey
)

type compressor struct {
	ramped.Params
	held, reduction float64 // dB, after release and after attack
	set             compressorSet
}

// compressorSet has the coefficients that are computed from the parameters.
type compressorSet struct {
	floor       float64 // linear level below which the gain is not reduced
	slope       float64 // dB of reduction for each dB above the threshold
	up, release float64
	makeup      float64
}

// compressorFloor is the reduction in dB below which it counts as 0, so that the longest release
// ends within 30 s.
const compressorFloor = 1e-6

func (c *compressor) tune() {
	c.set = compressorSet{
		floor:   approx.CoarseGain(c.Value[compressorThreshold] - float64(0.5*c.Value[compressorKnee])),
		slope:   1 - 1/c.Value[compressorRatio],
		up:      signal.Smoothing(c.Value[compressorAttack], c.Rate),
		release: 1 - signal.Smoothing(c.Value[compressorRelease], c.Rate),
		makeup:  approx.CoarseGain(c.Value[compressorMakeup]),
	}
}

// wanted returns the static curve: the reduction in dB for a linear level.
func (c *compressor) wanted(peak float64) float64 {
	if peak <= c.set.floor {
		return 0
	}
	over, knee := approx.CoarseDecibels(peak)-c.Value[compressorThreshold], c.Value[compressorKnee]
	if 2*over >= knee {
		return float64(c.set.slope * over)
	}
	over = max(0, over+float64(0.5*knee))
	return float64(c.set.slope*over) * over / (2 * knee)
}

// smooth is the paper's smooth decoupled peak detector.
func (c *compressor) smooth(wanted float64) float64 {
	falling := float64(c.set.release * c.held)
	c.held = max(wanted, falling+float64((1-c.set.release)*wanted))
	c.reduction += float64(c.set.up * (c.held - c.reduction))
	if wanted == 0 && c.held < compressorFloor {
		c.held = 0
		if c.reduction < compressorFloor {
			c.reduction = 0
		}
	}
	return c.reduction
}

func (c *compressor) Render(in, outs [][]float32) {
	left, right, reduction := outs[0], outs[1], outs[2]
	c.tune()
	for i := range left {
		if c.Next() {
			c.tune()
		}
		l, r := in[0][i], in[1][i]
		peak := louder(l, r)
		if c.Value[compressorKey] != 0 {
			peak = louder(in[2][i], in[3][i])
		}
		dB, gain := c.smooth(c.wanted(peak)), c.set.makeup
		if dB != 0 {
			gain = float64(gain * approx.CoarseGain(-dB))
		}
		gain = 1 + float64(c.Value[compressorMix]*(gain-1))
		left[i], right[i] = float32(float64(float64(l)*gain)), float32(float64(float64(r)*gain))
		reduction[i] = float32(dB)
	}
}

func (c *compressor) Reset() {
	c.Params.Reset()
	c.held, c.reduction = 0, 0
}

func (c *compressor) Save(e *dsp.Encoder) {
	c.Params.Save(e)
	e.Float64(c.held)
	e.Float64(c.reduction)
}

func (c *compressor) Restore(d *dsp.Decoder) {
	c.Params.Restore(d)
	c.held, c.reduction = d.Float64(), d.Float64()
}
