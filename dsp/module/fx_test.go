package module

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/music-chronus/chronus/dsp"
)

var fxAll = []*dsp.Desc{&Delay, &Chorus, &Flanger, &Phaser, &Reverb, &Freeverb, &Tremolo, &EQ}

// fxNew is an effect with parameters by name, in force.
func fxNew(d *dsp.Desc, params map[string]float64) dsp.Module {
	m := d.New(rate)
	for name, v := range params {
		m.Set(d.Index(name), v)
	}
	m.Reset()
	return m
}

// fxRun gives both channels of what an effect makes of two.
func fxRun(m dsp.Module, l, r []float32) [][]float32 {
	out := [][]float32{make([]float32, len(l)), make([]float32, len(l))}
	m.Render([][]float32{l, r}, out)
	return out
}

func fxNoise(seed uint64, n int) []float32 {
	r, x := rand.New(rand.NewPCG(seed, 9)), make([]float32, n)
	for i := range x {
		x[i] = float32(r.Float64()*2 - 1)
	}
	return x
}

func fxImpulse(n int) []float32 {
	x := make([]float32, n)
	x[0] = 1
	return x
}

func fxPeak(out [][]float32) (peak float64) {
	for _, x := range out {
		for _, v := range x {
			peak = max(peak, math.Abs(float64(v)))
		}
	}
	return peak
}

// fxWorst are the settings with the longest and loudest feedback.
var fxWorst = []struct {
	d      *dsp.Desc
	params map[string]float64
}{
	{&Delay, map[string]float64{"time": 2, "feedback": 0.98, "lowcut": 10, "highcut": 0.49 * rate}},
	{&Delay, map[string]float64{"time": 0.001, "feedback": 0.98, "lowcut": 10, "highcut": 0.49 * rate, "pingpong": 1}},
	{&Chorus, map[string]float64{"feedback": 0.9, "depth": 0}},
	{&Flanger, map[string]float64{"feedback": 0.95, "depth": 0}},
	{&Flanger, map[string]float64{"feedback": -0.95, "depth": 1, "rate": 0.01}},
	{&Phaser, map[string]float64{"feedback": 0.95, "stages": 2, "depth": 1, "rate": 0.01}},
	{&Phaser, map[string]float64{"feedback": -0.95, "stages": 0}},
	{&Reverb, map[string]float64{"decay": 20, "size": 2, "damping": 0.49 * rate, "lowcut": 10}},
	{&Reverb, map[string]float64{"decay": 20, "size": 0.5, "damping": 0.49 * rate, "lowcut": 10}},
	{&Freeverb, map[string]float64{"room": 1, "damp": 0}},
}

// With mix at 0 every bit passes, whatever else is going on.
func TestEffectsDry(t *testing.T) {
	for _, d := range fxAll {
		l, r := fxNoise(1, 20000), fxNoise(2, 20000)
		l[5], l[6], l[7], r[8] = float32(math.Copysign(0, -1)), 1e6, 1e-40, -1e6
		m := d.New(rate)
		m.Set(d.Index("mix"), 0)
		m.Reset()
		var out [2][]float32
		for at := 0; at < len(l); at += 2000 {
			if p := at / 2000 % len(d.Params); d.Params[p].Name != "mix" {
				_, hi := d.Params[p].Range(rate)
				m.Set(p, hi)
			}
			part := fxRun(m, l[at:at+2000], r[at:at+2000])
			out[0], out[1] = append(out[0], part[0]...), append(out[1], part[1]...)
		}
		for i := range l {
			if math.Float32bits(out[0][i]) != math.Float32bits(l[i]) || math.Float32bits(out[1][i]) != math.Float32bits(r[i]) {
				t.Fatalf("%s: frame %d is %g %g, not %g %g", d.Type, i, out[0][i], out[1][i], l[i], r[i])
			}
		}
	}
}

// A jump of any parameter from end to end is no click: the bend of the output in a frame stays below 3% of its peak. A step of
// the level would be a bend of 100%, a ramp of 5 ms is one of 0.4%.
func TestEffectsNoClick(t *testing.T) {
	for _, d := range fxAll {
		worst, by := 0.0, ""
		for p := range d.Params {
			lo, hi := d.Params[p].Range(rate)
			m := d.New(rate)
			m.Set(d.Index("mix"), 0.7)
			if d == &EQ {
				m.Set(eqLowGain, 12)
				m.Set(eqMidGain, -12)
				m.Set(eqHighGain, 12)
			}
			m.Reset()
			var sound []float32
			for k, v := range []float64{d.Params[p].Default, hi, lo, hi, d.Params[p].Default, lo} {
				m.Set(p, v)
				in := make([]float32, rate/3)
				for i := range in {
					in[i] = float32(0.5 * min(1, float64(i+k*len(in))/4800) * math.Sin(2*math.Pi*220*float64(i+k*len(in))/rate)) // it begins softly itself
				}
				sound = append(sound, fxRun(m, in, in)[1]...)
			}
			peak, bend := 0.0, 0.0
			for i := 2; i < len(sound); i++ {
				peak = max(peak, math.Abs(float64(sound[i])))
				bend = max(bend, math.Abs(float64(sound[i])-2*float64(sound[i-1])+float64(sound[i-2])))
			}
			if bend/peak > worst {
				worst, by = bend/peak, d.Params[p].Name
			}
		}
		t.Logf("%s: largest bend %.2f%% of the peak, by %s", d.Type, 100*worst, by)
		if worst > 0.03 {
			t.Errorf("%s: a bend of %.2f%% of the peak at a jump of %s", d.Type, 100*worst, by)
		}
	}
}

// Ten seconds of full-scale noise at the worst settings stay below +24 dBFS.
func TestEffectsBounded(t *testing.T) {
	noise := fxNoise(3, 10*rate) // the same on both channels, which is the worst for what adds them
	one := make([]float32, 2*rate)
	for i := range one {
		one[i] = 1
	}
	for _, w := range fxWorst {
		w.params["mix"] = 1
		got := 20 * math.Log10(fxPeak(fxRun(fxNew(w.d, w.params), noise, noise)))
		dc := 20 * math.Log10(fxPeak(fxRun(fxNew(w.d, w.params), one, one)))
		t.Logf("%s %v: %+.1f dBFS, of a constant %+.1f", w.d.Type, w.params, got, dc)
		if got > 24 {
			t.Errorf("%s %v: %+.1f dBFS of noise", w.d.Type, w.params, got)
		}
	}
}

// The tail ends in time at the worst settings: the law tries some at random.
func TestEffectsSilence(t *testing.T) {
	for _, w := range fxWorst {
		w.params["mix"] = 1
		m := fxNew(w.d, w.params)
		fxRun(m, fxNoise(5, 4096), fxNoise(6, 4096))
		loud, alive := 0, 0
		zero := make([]float32, rate)
		for s := 0; s < 32 && s*rate <= alive+3*rate; s++ { // no echo is further than 2 s from the last
			out := fxRun(m, zero, zero)
			for i := range out[0] {
				v := max(math.Abs(float64(out[0][i])), math.Abs(float64(out[1][i])))
				if v != 0 {
					alive = s*rate + i
				}
				if v >= tiny {
					loud = alive
				}
			}
		}
		t.Logf("%s %v: silent after %.2f s", w.d.Type, w.params, float64(alive)/rate)
		if loud >= 30*rate || alive > loud+rate {
			t.Errorf("%s %v: below 1e-20 after %.2f s, 0 after %.2f s", w.d.Type, w.params, float64(loud)/rate, float64(alive)/rate)
		}
	}
}

// No state is a panic, however little sense it makes, and none is large.
func TestEffectsState(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for _, d := range fxAll {
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
			m.Restore(dsp.NewDecoder(bad)) // also after an error a module may be played
			x := fxNoise(8, 500)
			fxRun(m, x, x)
			m.Set(k%len(d.Params), d.Params[k%len(d.Params)].Default)
			fxRun(m, x, x)
		}
	}
}

func BenchmarkEffects(b *testing.B) {
	l, r := fxNoise(1, 64), fxNoise(2, 64)
	in, out := [][]float32{l, r}, [][]float32{make([]float32, 64), make([]float32, 64)}
	for _, d := range fxAll {
		b.Run(d.Type, func(b *testing.B) {
			m := d.New(rate)
			if d == &EQ {
				m.Set(eqLowGain, 6)
			}
			for range 100 {
				m.Render(in, out)
			}
			b.ResetTimer()
			for range b.N {
				m.Render(in, out)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/frame")
		})
	}
}
