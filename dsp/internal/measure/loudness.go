package measure

import "math"

// Loudness returns the integrated loudness of a stereo sound at 48 kHz in LUFS, with both gates of
// ITU-R BS.1770-4. Silence is -70 LUFS.
func Loudness(left, right []float32) float64 {
	const step = 4800 // 100 ms, a quarter of a gating block
	var power []float64
	l, r := newWeighting(), newWeighting()
	for at := 0; at+step <= len(left); at += step {
		sum := 0.0
		for i := at; i < at+step; i++ {
			a, b := l.next(float64(left[i])), r.next(float64(right[i]))
			sum += a*a + b*b
		}
		power = append(power, sum/step)
	}
	var blocks []float64
	for i := 0; i+4 <= len(power); i++ {
		blocks = append(blocks, (power[i]+power[i+1]+power[i+2]+power[i+3])/4)
	}
	gated := func(least float64) float64 {
		sum, n := 0.0, 0
		for _, p := range blocks {
			if p > least {
				sum, n = sum+p, n+1
			}
		}
		return sum / float64(max(1, n))
	}
	absolute := math.Pow(10, (-70+0.691)/10)
	mean := gated(max(absolute, gated(absolute)/10))
	if mean <= absolute {
		return -70
	}
	return -0.691 + 10*math.Log10(mean)
}

// weighting is the K-weighting of BS.1770 at 48 kHz: a shelf and a high-pass.
type weighting struct{ stages [2]direct }

// direct is a second-order filter in direct form.
type direct struct{ b0, b1, b2, a1, a2, x1, x2, y1, y2 float64 }

func newWeighting() *weighting {
	return &weighting{[2]direct{
		{b0: 1.53512485958697, b1: -2.69169618940638, b2: 1.19839281085285, a1: -1.69065929318241, a2: 0.73248077421585},
		{b0: 1, b1: -2, b2: 1, a1: -1.99004745483398, a2: 0.99007225036621},
	}}
}

func (w *weighting) next(x float64) float64 {
	for i := range w.stages {
		s := &w.stages[i]
		y := s.b0*x + s.b1*s.x1 + s.b2*s.x2 - s.a1*s.y1 - s.a2*s.y2
		s.x1, s.x2, s.y1, s.y2 = x, s.x1, y, s.y1
		x = y
	}
	return x
}
