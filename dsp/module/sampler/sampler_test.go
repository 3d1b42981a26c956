package sampler

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/measure"
)

const rate = measure.Rate

// recorded returns a sampler of a file whose channels are functions of the number of a frame.
func recorded(fileRate float64, frames int, channels ...func(i int) float64) *sampler {
	var x [][]float32
	for _, f := range channels {
		c := make([]float32, frames)
		for i := range c {
			c[i] = float32(f(i))
		}
		x = append(x, c)
	}
	s := Sampler.New(rate).(*sampler)
	s.SetSample(dsp.NewSample(fileRate, x...))
	return s
}

// played returns n frames of the three outputs at a pitch.
func played(m dsp.Module, n int, pitch float64) (left, right, mono []float32) {
	in := [][]float32{make([]float32, n), make([]float32, n)}
	for i := range n {
		in[0][i] = float32(pitch)
	}
	out := [][]float32{make([]float32, n), make([]float32, n), make([]float32, n)}
	m.Render(in, out)
	return out[0], out[1], out[2]
}

func sine1(freq, fileRate, amplitude float64) func(i int) float64 {
	return func(i int) float64 {
		return amplitude * math.Sin(2*math.Pi*math.Mod(freq*float64(i), fileRate)/fileRate)
	}
}

func rough(i int) float64 { return math.Mod(float64(i)*0.618034, 1) - 0.5 }

// At its root and its rate a file is played bit for bit, followed by silence. A mono file is on
// both sides.
func TestSamplerExact(t *testing.T) {
	const n = 500
	for key := range 128 {
		s := recorded(rate, n, rough, func(i int) float64 { return -0.3 * rough(i+7) })
		s.Set(samplerRoot, float64(key))
		s.Gate(true)
		left, right, mono := played(s, n+100, float64(key-69)/12)
		x := s.file.Channels()
		for i := range left {
			want := [3]float32{}
			if i < n {
				want = [3]float32{x[0][i], x[1][i], float32(0.5 * (float64(x[0][i]) + float64(x[1][i])))}
			}
			if got := [3]float32{left[i], right[i], mono[i]}; got != want {
				t.Fatalf("root %d, frame %d: %v, want %v", key, i, got, want)
			}
		}
		if s.head.on {
			t.Fatal("it plays on after the end")
		}
	}
	s := recorded(rate, n, rough)
	s.Gate(true)
	left, right, mono := played(s, n, 0.1)
	for i := range left {
		if left[i] != right[i] || left[i] != mono[i] || left[100] == 0 {
			t.Fatalf("frame %d: %g, %g, %g of a mono file", i, left[i], right[i], mono[i])
		}
	}
}

// phase returns the phase of a tone in x, in turns.
func phase(x []float32, freq float64, from int) float64 {
	var sum complex128
	for i, v := range x {
		w := 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(len(x)))
		sum += complex(w*float64(v), 0) * cmplx.Exp(complex(0, -2*math.Pi*math.Mod(freq*float64(from+i)/rate, 1)))
	}
	return cmplx.Phase(sum) / (2 * math.Pi)
}

// The pitch is exact to 0.001 cents for several roots, rates and intervals, by the phase after
// seconds.
func TestSamplerPitch(t *testing.T) {
	if testing.Short() {
		t.Skip("long measurement")
	}
	t.Parallel()
	worst := 0.0
	for _, fileRate := range []float64{8000, 22050, 44100, 48000, 96000} {
		for _, tt := range []struct{ root, key float64 }{{60, 60}, {60, 67}, {69, 45.5}, {36.25, 41}, {72, 89}} {
			seconds := 3 * max(1, math.Exp2((tt.key-tt.root)/12))
			s := recorded(fileRate, int(seconds*fileRate), sine1(261, fileRate, 1))
			s.Set(samplerRoot, tt.root)
			s.Gate(true)
			out, _, _ := played(s, 2*rate, (tt.key-69)/12)
			freq := 261 * math.Exp2((tt.key-tt.root)/12)
			const piece = 9600
			last := 2*rate - piece
			turns := math.Remainder(phase(out[last:], freq, last)-phase(out[:piece], freq, 0), 1)
			cents := math.Abs(1200 * math.Log2(1+turns/(float64(last)/rate)/freq))
			worst = max(worst, cents)
		}
	}
	t.Logf("pitch within %.2g ct", worst)
	if worst > 1e-3 {
		t.Errorf("%g ct", worst)
	}
}

// raised returns the factor of an interval in octaves, rounded like a signal.
func raised(octaves float64) float64 { return math.Exp2(float64(float32(octaves))) }

// A tone that is played at another pitch or rate has distortion and noise of at most -90 dB, up to
// 0.4 of the lower rate.
func TestSamplerTHD(t *testing.T) {
	worst := -1000.0
	for _, tt := range []struct{ fileRate, freq, octaves float64 }{
		{44100, 997, 0}, {44100, 17000, 0}, {22050, 8000, 0}, {96000, 18000, 0}, {48000, 997, 0.123},
		{48000, 19000, -1.4}, {48000, 6000, 1.58}, {44100, 997, 4}, {48000, 2300, 3},
	} {
		s := recorded(tt.fileRate, int(tt.fileRate*max(1, math.Exp2(tt.octaves)))+100, sine1(tt.freq, tt.fileRate, 1))
		s.Gate(true)
		out, _, _ := played(s, rate, tt.octaves)
		got := measure.THDN(out[1000:rate-1000], tt.freq*raised(tt.octaves), rate)
		t.Logf("%5.0f Hz at %.0f Hz, %+.2f octaves: THD+N %.1f dB", tt.freq, tt.fileRate, tt.octaves, got)
		worst = max(worst, got)
	}
	if worst > -90 {
		t.Errorf("%.1f dB", worst)
	}
}

// Frequencies that would exceed 0.59 of the rate are inaudible, and those below 0.41 keep their
// level.
func TestSamplerAlias(t *testing.T) {
	if testing.Short() {
		t.Skip("long measurement")
	}
	t.Parallel()
	alias, flat := -1000.0, 0.0
	for _, octaves := range []float64{0.25, 0.5, 1, 1.5, 2, 2.6, 3} {
		speed := math.Exp2(octaves)
		level := func(freq float64) float64 {
			s := recorded(rate, int(16384*speed)+1000, sine1(freq, rate, 1))
			s.Gate(true)
			out, _, _ := played(s, 16384, octaves)
			sum := 0.0
			for _, v := range out[400:16000] {
				sum += float64(v) * float64(v)
			}
			return 10 * math.Log10(2*sum/15600+1e-20)
		}
		for part := 0.59; part < 0.5*speed; part += 0.0713 * speed {
			alias = max(alias, level(part*rate/speed))
		}
		for _, part := range []float64{0.01, 0.1, 0.3, 0.41} {
			flat = max(flat, math.Abs(level(part*rate/speed)))
		}
	}
	t.Logf("folded back: %.1f dB at most; flat within %.3f dB", alias, flat)
	if alias > -88 || flat > 0.1 {
		t.Errorf("folded back: %.1f dB; flat within %.3f dB", alias, flat)
	}
}

// A loop of whole turns of a sine, in a file that is noise elsewhere, has no audible seam from the
// second repeat on, at several pitches: the kernel reads frames beyond the seam.
func TestSamplerLoopSeam(t *testing.T) {
	const from, period, count = 2000, 96, 4000 // 500 Hz
	tone := sine1(500, rate, 1)
	for _, turns := range []int{1, 5} {
		to := from + turns*period
		s := recorded(rate, count, func(i int) float64 {
			if i < from || i >= to {
				return rough(i)
			}
			return tone(i - from)
		})
		s.Set(samplerLoop, 1)
		s.Set(samplerFrom, from/float64(count))
		s.Set(samplerTo, float64(to)/count)
		for _, octaves := range []float64{0, -0.37, 0.21, 1.3, 3.2} {
			s.Reset()
			s.Gate(true)
			out, _, _ := played(s, rate, octaves)
			got := measure.THDN(out[24000:], 500*raised(octaves), rate)
			t.Logf("%d turns, %+.2f octaves: THD+N %.1f dB", turns, octaves, got)
			if got > -90 {
				t.Errorf("%d turns, %+.2f octaves: %.1f dB", turns, octaves, got)
			}
		}
	}
}

// A new gate, the end of a gated sound, another loop and a new pitch make no step larger than those
// of the sound and of a fade over 5 ms.
func TestSamplerNoClick(t *testing.T) {
	s := recorded(rate, 38400, func(i int) float64 { return math.Cos(2 * math.Pi * 200 * float64(i) / rate) })
	s.Set(samplerMode, 1)
	s.Set(samplerLoop, 1)
	s.Set(samplerAttack, 0.005)
	var sound []float32
	play := func(n int, pitch float64) {
		out, _, _ := played(s, n, pitch)
		sound = append(sound, out...)
	}
	s.Gate(true)
	play(3100, 0)
	s.Gate(true)
	play(30000, 0.5)
	s.Set(samplerTo, 0.4) // before the present place
	play(3000, -0.5)
	s.Set(samplerFrom, 0.2)
	play(3000, -0.5)
	s.Set(samplerGain, 0.3)
	play(3000, 1)
	s.Set(samplerLoop, 0)
	s.Gate(true)
	play(2000, 0)
	s.Gate(false)
	play(2000, 0)
	most := 2*(2*math.Pi*400/rate) + 3.0/float64(dsp.RampFrames(rate))
	for i := 1; i < len(sound); i++ {
		if step := math.Abs(float64(sound[i] - sound[i-1])); step > most {
			t.Fatalf("frame %d: a step of %g", i, step)
		}
	}
	if sound[len(sound)-1] != 0 || s.head.on || s.tail.on {
		t.Error("it plays on")
	}
}

// A shot plays to the end after the gate closes, and leaves its loop. A gated sound is faded. Start
// sets where playing starts.
func TestSamplerModes(t *testing.T) {
	length := func(set func(s *sampler), open int) (n int) {
		s := recorded(rate, 10000, func(int) float64 { return 0.5 })
		set(s)
		s.Gate(true)
		a, _, _ := played(s, open, 0)
		s.Gate(false)
		b, _, _ := played(s, 30000, 0)
		for i, v := range append(a, b...) {
			if v != 0 {
				n = i + 1
			}
		}
		return n
	}
	for _, tt := range []struct {
		name       string
		set        func(s *sampler)
		open, want int
	}{
		{"shot", func(*sampler) {}, 100, 10000},
		{"gated", func(s *sampler) { s.Set(samplerMode, 1) }, 100, 100 + 480 - 1},
		{"start", func(s *sampler) { s.Set(samplerStart, 0.75) }, 100, 2500},
		{"start at the end", func(s *sampler) { s.Set(samplerStart, 1) }, 100, 0},
		{"loop", func(s *sampler) { s.Set(samplerLoop, 1) }, 25000, 30000},
		{"loop, gated", func(s *sampler) { s.Set(samplerLoop, 1); s.Set(samplerMode, 1) }, 25000, 25000 + 480 - 1},
		{"loop, to not after from", func(s *sampler) { s.Set(samplerLoop, 1); s.Set(samplerFrom, 0.5); s.Set(samplerTo, 0.5) }, 12500, 15000},
		{"begins behind the loop", func(s *sampler) { s.Set(samplerLoop, 1); s.Set(samplerTo, 0.5); s.Set(samplerStart, 0.7) }, 1000, 8000},
	} {
		if got := length(tt.set, tt.open); got != tt.want {
			t.Errorf("%s: %d frames, want %d", tt.name, got, tt.want)
		}
	}
}

// A sampler without a file, or with an empty one, is silent.
func TestSamplerEmpty(t *testing.T) {
	for _, s := range []*sampler{Sampler.New(rate).(*sampler), recorded(rate, 0, rough)} {
		s.Gate(true)
		for _, v := range rendered3(s, 100) {
			if v != 0 {
				t.Fatalf("%g of no file", v)
			}
		}
	}
}

func rendered3(m dsp.Module, n int) []float32 {
	left, _, _ := played(m, n, 0)
	return left
}

func BenchmarkSampler(b *testing.B) {
	for _, bench := range []struct {
		name    string
		octaves float64
	}{{"root", 0}, {"octave down", -1}, {"fifth up", 7.0 / 12}, {"two octaves up", 2}, {"three octaves up", 3}} {
		b.Run(bench.name, func(b *testing.B) {
			s := recorded(rate, 1<<16, rough, rough)
			s.Set(samplerLoop, 1)
			s.Gate(true)
			in := [][]float32{make([]float32, 64), make([]float32, 64)}
			for i := range in[0] {
				in[0][i] = float32(bench.octaves)
			}
			out := [][]float32{make([]float32, 64), make([]float32, 64), make([]float32, 64)}
			for b.Loop() {
				s.Render(in, out)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/frame")
		})
	}
}
