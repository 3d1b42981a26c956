package filter

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// Formant is a filter with the formants of vowels.
var Formant = dsp.Desc{
	Type: "formant",
	Doc: "Vowel filter: five parallel resonators with the formants of the vowels from a to u in four voices, " +
		"and of blends between them.",
	Source: "formants, levels and bandwidths: The Canonical Csound Reference Manual, appendix D; alternate " +
		"signs: D. H. Klatt, Software for a cascade/parallel formant synthesizer, 1980",
	Inputs: []dsp.Port{
		{Name: "in", Doc: "signal to filter: a rich one, such as a saw or pulses"},
		{Name: "vowel", Doc: "added to the parameter vowel"},
	},
	Outputs: []dsp.Port{{Name: "out", Doc: "the vowel; the first formant is at 0 dB"}},
	Params: []dsp.Param{
		{Name: "vowel", Min: 0, Max: 4, Default: 0,
			Doc: "a is 0, e 1, i 2, o 3 and u 4; values between them blend; ramped over 5 ms"},
		{Name: "voice", Min: 0, Max: 3, Names: []string{"bass", "tenor", "alto", "soprano"}, Default: 0,
			Doc: "a change glides over 5 ms"},
		{Name: "q", Min: 0.25, Max: 4, Default: 1, Doc: "factor on the Q of every formant; ramped over 5 ms"},
	},
	New: func(rate float64) dsp.Module {
		f := &formant{rate: rate}
		f.q.Jump(1)
		f.Reset()
		return f
	},
}

const (
	formantVowel = iota
	formantVoice
	formantQ
)

const formants = 5 // resonators

// formantPoint is a formant.
type formantPoint struct {
	freq, gain, width float64 // Hz, linear, Hz
}

// formantTable has the formants of each vowel of each voice. Every second gain is negative:
// between two formants their phases are opposite, and sums would have a notch there.
var formantTable = formantsOf([4][5][formants]formantPoint{
	{ // bass
		{{600, 0, 60}, {1040, -7, 70}, {2250, -9, 110}, {2450, -9, 120}, {2750, -20, 130}},
		{{400, 0, 40}, {1620, -12, 80}, {2400, -9, 100}, {2800, -12, 120}, {3100, -18, 120}},
		{{250, 0, 60}, {1750, -30, 90}, {2600, -16, 100}, {3050, -22, 120}, {3340, -28, 120}},
		{{400, 0, 40}, {750, -11, 80}, {2400, -21, 100}, {2600, -20, 120}, {2900, -40, 120}},
		{{350, 0, 40}, {600, -20, 80}, {2400, -32, 100}, {2675, -28, 120}, {2950, -36, 120}},
	},
	{ // tenor
		{{650, 0, 80}, {1080, -6, 90}, {2650, -7, 120}, {2900, -8, 130}, {3250, -22, 140}},
		{{400, 0, 70}, {1700, -14, 80}, {2600, -12, 100}, {3200, -14, 120}, {3580, -20, 120}},
		{{290, 0, 40}, {1870, -15, 90}, {2800, -18, 100}, {3250, -20, 120}, {3540, -30, 120}},
		{{400, 0, 40}, {800, -10, 80}, {2600, -12, 100}, {2800, -12, 120}, {3000, -26, 120}},
		{{350, 0, 40}, {600, -20, 60}, {2700, -17, 100}, {2900, -14, 120}, {3300, -26, 120}},
	},
	{ // alto
		{{800, 0, 80}, {1150, -4, 90}, {2800, -20, 120}, {3500, -36, 130}, {4950, -60, 140}},
		{{400, 0, 60}, {1600, -24, 80}, {2700, -30, 120}, {3300, -35, 150}, {4950, -60, 200}},
		{{350, 0, 50}, {1700, -20, 100}, {2700, -30, 120}, {3700, -36, 150}, {4950, -60, 200}},
		{{450, 0, 70}, {800, -9, 80}, {2830, -16, 100}, {3500, -28, 130}, {4950, -55, 135}},
		{{325, 0, 50}, {700, -12, 60}, {2530, -30, 170}, {3500, -40, 180}, {4950, -64, 200}},
	},
	{ // soprano
		{{800, 0, 80}, {1150, -6, 90}, {2900, -32, 120}, {3900, -20, 130}, {4950, -50, 140}},
		{{350, 0, 60}, {2000, -20, 100}, {2800, -15, 120}, {3600, -40, 150}, {4950, -56, 200}},
		{{270, 0, 60}, {2140, -12, 90}, {2950, -26, 100}, {3900, -26, 120}, {4950, -44, 120}},
		{{450, 0, 70}, {800, -11, 80}, {2830, -22, 100}, {3800, -22, 130}, {4950, -50, 135}},
		{{325, 0, 50}, {700, -16, 60}, {2700, -35, 170}, {3800, -40, 180}, {4950, -60, 200}},
	},
})

// formantsOf converts the gains of a table from dB to linear factors with alternating signs.
func formantsOf(t [4][5][formants]formantPoint) [4][5][formants]formantPoint {
	for v := range t {
		for w := range t[v] {
			for i := range t[v][w] {
				p := &t[v][w][i]
				p.gain = approx.Gain(p.gain)
				if i%2 == 1 {
					p.gain = -p.gain
				}
			}
		}
	}
	return t
}

type formant struct {
	rate            float64
	vowel, voice, q dsp.Ramp
	added           float32 // to the vowel at the last frame
	bands           [formants]svfCore
	gains           [formants]float64 // weights of the band-passes, whose own gain is Q
}

func (f *formant) Set(p int, v float64) {
	frames := dsp.RampFrames(f.rate)
	switch p {
	case formantVowel:
		f.vowel.To(v, frames)
	case formantVoice:
		f.voice.To(v, frames)
	case formantQ:
		f.q.To(v, frames)
	}
}

func (f *formant) Gate(bool) {}

// formantBetween returns the place of x in [0, n-1] among n points: x = first + part.
func formantBetween(x float64, n int) (first int, part float64) {
	for first < n-2 && x >= float64(first+1) {
		first++
	}
	return first, max(0, min(1, x-float64(first)))
}

// mixed interpolates between a and b.
func (a formantPoint) mixed(b formantPoint, part float64) formantPoint {
	return formantPoint{
		a.freq + float64(part*(b.freq-a.freq)),
		a.gain + float64(part*(b.gain-a.gain)),
		a.width + float64(part*(b.width-a.width)),
	}
}

// tune computes the coefficients of a frame with added at its input.
func (f *formant) tune(added float32) {
	f.added = added
	w, wPart := formantBetween(f.vowel.Next()+float64(added), 5)
	v, vPart := formantBetween(f.voice.Next(), 4)
	q := f.q.Next()
	for i := range f.bands {
		p := formantTable[v][w][i].mixed(formantTable[v][w+1][i], wPart)
		if vPart > 0 {
			p = p.mixed(formantTable[v+1][w][i].mixed(formantTable[v+1][w+1][i], wPart), vPart)
		}
		freq := min(p.freq, float64(highestCutoff*f.rate))
		k := p.width / float64(freq*q)
		f.bands[i].tune(approx.QuickTanPi(freq/f.rate), k)
		f.gains[i] = float64(p.gain * k)
	}
}

func (f *formant) Render(in, outs [][]float32) {
	x, added, out := in[0], in[1], outs[0]
	for i := range out {
		if added[i] != f.added || f.vowel.Moving() || f.voice.Moving() || f.q.Moving() {
			f.tune(added[i])
		}
		sum := 0.0
		for k := range f.bands {
			band, low := f.bands[k].next(float64(x[i]))
			f.bands[k].flush(low)
			sum += float64(f.gains[k] * band)
		}
		out[i] = float32(sum)
	}
}

func (f *formant) Reset() {
	for _, r := range [...]*dsp.Ramp{&f.vowel, &f.voice, &f.q} {
		r.Jump(r.Target())
	}
	f.bands = [formants]svfCore{}
	f.tune(0)
}

func (f *formant) Save(e *dsp.Encoder) {
	f.vowel.Save(e)
	f.voice.Save(e)
	f.q.Save(e)
	e.Float32(f.added)
	for i := range f.bands {
		f.bands[i].save(e)
		e.Float64(f.gains[i])
	}
}

func (f *formant) Restore(d *dsp.Decoder) {
	f.vowel.Restore(d)
	f.voice.Restore(d)
	f.q.Restore(d)
	f.added = d.Float32()
	for i := range f.bands {
		f.bands[i].restore(d)
		f.gains[i] = d.Float64()
	}
}
