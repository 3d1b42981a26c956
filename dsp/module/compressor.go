package module

import "github.com/music-chronus/chronus/dsp"

// Compressor makes what is loud less so.
var Compressor = dsp.Desc{
	Type: "compressor",
	Doc:  "Feed-forward compressor with soft knee and smooth decoupled peak detector; both channels get the gain that the louder one asks for.",
	Source: "Giannoulis, Massberg and Reiss, Digital dynamic range compressor design: a tutorial and analysis, " +
		"J. Audio Eng. Soc. 60(6), 2012",
	Inputs: []dsp.Port{
		{Name: "in", Stereo: true, Doc: "what is compressed"},
		{Name: "side", Stereo: true, Doc: "what is measured, if key is side"},
	},
	Outputs: []dsp.Port{
		{Name: "out", Stereo: true, Doc: "compressed"},
		{Name: "reduction", Unit: "dB", Doc: "how far the gain is turned down, 0 or more, without makeup"},
	},
	Params: compressorParams,
	New: func(rate float64) dsp.Module {
		return &compressor{knobs: newKnobs(rate, compressorParams)}
	},
}

var compressorParams = []dsp.Param{
	{Name: "threshold", Unit: "dB", Min: -60, Max: 0, Default: -20, Doc: "level from which on it works, in the middle of the knee; ramped over 5 ms"},
	{Name: "ratio", Min: 1, Max: 100, Default: 4, Doc: "dB of input for a dB of output, above the threshold; ramped over 5 ms"},
	{Name: "attack", Unit: "s", Min: 0.0001, Max: 0.2, Default: 0.01, Doc: "time constant of turning down"},
	{Name: "release", Unit: "s", Min: 0.005, Max: 1.5, Default: 0.1, Doc: "time constant of turning up again"},
	{Name: "knee", Unit: "dB", Min: 0, Max: 24, Default: 6, Doc: "width of the passage from 1 to ratio; ramped over 5 ms"},
	{Name: "makeup", Unit: "dB", Min: 0, Max: 24, Doc: "gain after compression; ramped over 5 ms"},
	{Name: "mix", Min: 0, Max: 1, Default: 1, Doc: "0 is the input, 1 the compressed signal; ramped over 5 ms"},
	{Name: "key", Max: 1, Names: []string{"own", "side"}, Doc: "what is measured: in or side"},
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
	knobs
	held, reduction float64 // dB: after release, and after attack
	set             compressorSet
}

// compressorSet is computed from the knobs.
type compressorSet struct {
	floor       float64 // linear level below which nothing is reduced
	slope       float64 // dB of reduction for a dB above the threshold
	up, release float64
	makeup      float64
}

// compressorRest is where a reduction in dB counts as none. It may take 30 s to get there, not longer.
const compressorRest = 1e-6

func (c *compressor) tune() {
	c.set = compressorSet{
		floor:   gainOf(c.v[compressorThreshold] - float64(0.5*c.v[compressorKnee])),
		slope:   1 - 1/c.v[compressorRatio],
		up:      approach(c.v[compressorAttack], c.rate),
		release: 1 - approach(c.v[compressorRelease], c.rate),
		makeup:  gainOf(c.v[compressorMakeup]),
	}
}

// wanted is the static curve: the reduction in dB for a linear level.
func (c *compressor) wanted(peak float64) float64 {
	if peak <= c.set.floor {
		return 0
	}
	over, knee := levelOf(peak)-c.v[compressorThreshold], c.v[compressorKnee]
	if 2*over >= knee {
		return float64(c.set.slope * over)
	}
	over = max(0, over+float64(0.5*knee))
	return float64(c.set.slope*over) * over / (2 * knee)
}

// smooth is the paper's smooth decoupled peak detector.
func (c *compressor) smooth(wanted float64) float64 {
	kept := float64(c.set.release * c.held)
	c.held = max(wanted, kept+float64((1-c.set.release)*wanted))
	c.reduction += float64(c.set.up * (c.held - c.reduction))
	if wanted == 0 && c.held < compressorRest {
		c.held = 0
		if c.reduction < compressorRest {
			c.reduction = 0
		}
	}
	return c.reduction
}

func (c *compressor) Render(in, outs [][]float32) {
	left, right, reduction := outs[0], outs[1], outs[2]
	c.tune()
	for i := range left {
		if c.next() {
			c.tune()
		}
		l, r := in[0][i], in[1][i]
		peak := louder(l, r)
		if c.v[compressorKey] != 0 {
			peak = louder(in[2][i], in[3][i])
		}
		dB, gain := c.smooth(c.wanted(peak)), c.set.makeup
		if dB != 0 {
			gain = float64(gain * gainOf(-dB))
		}
		gain = 1 + float64(c.v[compressorMix]*(gain-1))
		left[i], right[i] = float32(float64(float64(l)*gain)), float32(float64(float64(r)*gain))
		reduction[i] = float32(dB)
	}
}

func (c *compressor) Reset() {
	c.knobs.Reset()
	c.held, c.reduction = 0, 0
}

func (c *compressor) Save(e *dsp.Encoder) {
	c.knobs.Save(e)
	e.Float64(c.held)
	e.Float64(c.reduction)
}

func (c *compressor) Restore(d *dsp.Decoder) {
	c.knobs.Restore(d)
	c.held, c.reduction = d.Float64(), d.Float64()
}
