package module_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/measure"
	"github.com/music-chronus/chronus/dsp/internal/signal"
	"github.com/music-chronus/chronus/dsp/module"
	"github.com/music-chronus/chronus/dsp/module/effect"
	"github.com/music-chronus/chronus/dsp/module/reverb"
)

// effects returns the modules of the family Effects, all of which have a parameter mix.
func effects(t *testing.T) []*dsp.Desc {
	for _, f := range module.Families {
		if f.Name == "Effects" {
			return f.Modules
		}
	}
	t.Fatal("there is no family Effects")
	return nil
}

// setting is an effect with parameters by name.
type setting struct {
	d      *dsp.Desc
	params measure.Values
}

// loudest are the settings with the longest and loudest feedback.
var loudest = []setting{
	{&effect.Delay, measure.Values{"time": 2, "feedback": 0.98, "lowcut": 10, "highcut": 0.49 * rate, "mix": 1}},
	{&effect.Delay, measure.Values{"time": 0.001, "feedback": 0.98, "lowcut": 10, "highcut": 0.49 * rate, "pingpong": 1, "mix": 1}},
	{&effect.Chorus, measure.Values{"feedback": 0.9, "depth": 0, "mix": 1}},
	{&effect.Flanger, measure.Values{"feedback": 0.95, "depth": 0, "mix": 1}},
	{&effect.Flanger, measure.Values{"feedback": -0.95, "depth": 1, "rate": 0.01, "mix": 1}},
	{&effect.Phaser, measure.Values{"feedback": 0.95, "stages": 2, "depth": 1, "rate": 0.01, "mix": 1}},
	{&effect.Phaser, measure.Values{"feedback": -0.95, "stages": 0, "mix": 1}},
	{&reverb.Reverb, measure.Values{"decay": 20, "size": 2, "damping": 0.49 * rate, "lowcut": 10, "mix": 1}},
	{&reverb.Reverb, measure.Values{"decay": 20, "size": 0.5, "damping": 0.49 * rate, "lowcut": 10, "mix": 1}},
	{&reverb.Freeverb, measure.Values{"room": 1, "damp": 0, "mix": 1}},
}

func TestEffectsDry(t *testing.T) {
	for _, d := range effects(t) {
		l, r := measure.Noise(1, 20000), measure.Noise(2, 20000)
		l[5], l[6], l[7], r[8] = float32(math.Copysign(0, -1)), 1e6, 1e-40, -1e6
		m := measure.With(d, measure.Values{"mix": 0})
		var out [2][]float32
		for at := 0; at < len(l); at += 2000 {
			if p := at / 2000 % len(d.Params); d.Params[p].Name != "mix" {
				_, hi := d.Params[p].Range(rate)
				m.Set(p, hi)
			}
			part := measure.Effect(m, l[at:at+2000], r[at:at+2000])
			out[0], out[1] = append(out[0], part[0]...), append(out[1], part[1]...)
		}
		for i := range l {
			if math.Float32bits(out[0][i]) != math.Float32bits(l[i]) || math.Float32bits(out[1][i]) != math.Float32bits(r[i]) {
				t.Fatalf("%s: frame %d is %g %g, not %g %g", d.Type, i, out[0][i], out[1][i], l[i], r[i])
			}
		}
	}
}

// A parameter that jumps from end to end does not click: the second difference of the output stays
// below 3 % of its peak. A step of the level would give 100 %, a ramp of 5 ms gives 0.4 %.
func TestEffectsNoClick(t *testing.T) {
	for _, d := range effects(t) {
		t.Run(d.Type, func(t *testing.T) {
			t.Parallel()
			worst, by := 0.0, ""
			for p := range d.Params {
				if bend := clickOf(d, p); bend > worst {
					worst, by = bend, d.Params[p].Name
				}
			}
			t.Logf("%s: largest bend %.2f%% of the peak, by %s", d.Type, 100*worst, by)
			if worst > 0.03 {
				t.Errorf("%s: a bend of %.2f%% of the peak at a jump of %s", d.Type, 100*worst, by)
			}
		})
	}
}

// clickOf returns the largest second difference while parameter p jumps, as a part of the peak.
func clickOf(d *dsp.Desc, p int) float64 {
	params := measure.Values{"mix": 0.7}
	if d == &effect.EQ {
		params["lowgain"], params["midgain"], params["highgain"] = 12, -12, 12
	}
	lo, hi := d.Params[p].Range(rate)
	m := measure.With(d, params)
	var sound []float32
	for k, v := range []float64{d.Params[p].Default, hi, lo, hi, d.Params[p].Default, lo} {
		m.Set(p, v)
		in := make([]float32, rate/3)
		for i := range in {
			at := float64(i + k*len(in))
			in[i] = float32(0.5 * min(1, at/4800) * math.Sin(2*math.Pi*220*at/rate)) // itself without a click
		}
		sound = append(sound, measure.Effect(m, in, in)[1]...)
	}
	bend := 0.0
	for i := 2; i < len(sound); i++ {
		bend = max(bend, math.Abs(float64(sound[i])-2*float64(sound[i-1])+float64(sound[i-2])))
	}
	return bend / measure.Peak(sound)
}

// Ten seconds of full-scale noise stay below +24 dBFS at the loudest settings. The channels are
// equal, which is the worst case for effects that add them.
func TestEffectsBounded(t *testing.T) {
	noise, one := measure.Noise(3, 10*rate), measure.Constant(1, 2*rate)
	for _, s := range loudest {
		t.Run(s.d.Type, func(t *testing.T) {
			t.Parallel()
			got := 20 * math.Log10(measure.Peak(measure.Effect(measure.With(s.d, s.params), noise, noise)...))
			dc := 20 * math.Log10(measure.Peak(measure.Effect(measure.With(s.d, s.params), one, one)...))
			t.Logf("%s %v: %+.1f dBFS, of a constant %+.1f", s.d.Type, s.params, got, dc)
			if got > 24 {
				t.Errorf("%s %v: %+.1f dBFS of noise", s.d.Type, s.params, got)
			}
		})
	}
}

// The tail ends in time at the loudest settings. The law of silence tries some settings at random.
func TestEffectsSilence(t *testing.T) {
	if testing.Short() {
		t.Skip("renders five minutes of tails")
	}
	zero := make([]float32, rate)
	for _, s := range loudest {
		t.Run(s.d.Type, func(t *testing.T) {
			t.Parallel()
			m := measure.With(s.d, s.params)
			measure.Effect(m, measure.Noise(5, 4096), measure.Noise(6, 4096))
			loud, alive := 0, 0
			for second := 0; second < 32 && second*rate <= alive+3*rate; second++ { // echoes are at most 2 s apart
				out := measure.Effect(m, zero, zero)
				for i := range out[0] {
					v := max(math.Abs(float64(out[0][i])), math.Abs(float64(out[1][i])))
					if v != 0 {
						alive = second*rate + i
					}
					if v >= signal.Floor {
						loud = alive
					}
				}
			}
			t.Logf("%s %v: silent after %.2f s", s.d.Type, s.params, float64(alive)/rate)
			if loud >= 30*rate || alive > loud+rate {
				t.Errorf("%s %v: below 1e-20 after %.2f s, 0 after %.2f s",
					s.d.Type, s.params, float64(loud)/rate, float64(alive)/rate)
			}
		})
	}
}

// A state that makes no sense does not panic, and no state is large.
func TestEffectsState(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for _, d := range effects(t) {
		e := dsp.NewEncoder(nil)
		d.New(rate).Save(e)
		t.Logf("%s: a state of %d bytes", d.Type, len(e.Bytes()))
		if len(e.Bytes()) > 1500000 {
			t.Errorf("%s: a state of %d bytes", d.Type, len(e.Bytes()))
		}
		m := d.New(rate)
		for k := range 60 {
			bad := append([]byte{}, e.Bytes()...)
			for i := range min(len(bad), 3000) { // the numbers before the rings
				if r.IntN(60) < k {
					bad[i] = byte(r.IntN(256))
				}
			}
			for range len(bad) / 8 {
				bad[r.IntN(len(bad))] = byte(255 - k%2)
			}
			m.Restore(dsp.NewDecoder(bad)) // a module may be played after an error too
			x := measure.Noise(8, 500)
			measure.Effect(m, x, x)
			m.Set(k%len(d.Params), d.Params[k%len(d.Params)].Default)
			measure.Effect(m, x, x)
		}
	}
}
