package backendtest

import (
	"fmt"
	"math"
)

// SineLimit is how far a captured sample may lie from the fitted sine.
const SineLimit = 1e-4

// sineWindow is the number of frames of one fit.
const sineWindow = 512

// Break is a place where a captured sine does not continue.
type Break struct {
	At     int     // frame of the capture
	Frames int     // until the sine continues
	Off    float64 // distance of the first wrong sample from the sine
}

// Sine describes a captured sine.
type Sine struct {
	Skipped   int     // frames of silence before it
	Frames    int     // compared frames
	Amplitude float64 // of the first window
	Worst     float64 // largest distance from the fitted sine outside of breaks
	Breaks    []Break
}

// String summarizes the result in a line.
func (s Sine) String() string {
	text := fmt.Sprintf("%d frames of a sine of %.4f, at most %.1e off, %d breaks",
		s.Frames, s.Amplitude, s.Worst, len(s.Breaks))
	for i, b := range s.Breaks {
		if i == 8 {
			return text + ", ..."
		}
		text += fmt.Sprintf(", at %d (%.3f off, %d frames)", b.At, b.Off, b.Frames)
	}
	return text
}

// FitSine compares one channel with a sine of the given frequency in Hz, after initial silence. It
// fits each window of 512 frames by least squares, and checks the window against the fit of the one
// before. Silence at the end is allowed if it lasts to the last frame.
func FitSine(samples []float32, rate int, frequency float64) (s Sine) {
	w := 2 * math.Pi * frequency / float64(rate)
	for s.Skipped < len(samples) && math.Abs(float64(samples[s.Skipped])) < SineLimit {
		s.Skipped++
	}
	end := len(samples)
	for end > s.Skipped && samples[end-1] == 0 {
		end--
	}
	at, ok := resume(samples[:end], s.Skipped, w)
	if !ok {
		s.Breaks = []Break{{At: s.Skipped, Frames: end - s.Skipped}}
		return s
	}
	if at > s.Skipped+sineWindow {
		s.Breaks = append(s.Breaks, Break{At: s.Skipped, Frames: at - s.Skipped})
	}
	first := at
	fit := fitWave(samples[at:at+sineWindow], w)
	s.Amplitude = math.Hypot(fit.a, fit.b)
	for at+sineWindow <= end {
		window := samples[at : at+sineWindow]
		if i, off := fit.wrong(window, w); i >= 0 {
			next, ok := resume(samples[:end], at+i+1, w)
			if !ok {
				next = end
			}
			s.Breaks = append(s.Breaks, Break{At: at + i, Frames: next - at - i, Off: off})
			if at = next; !ok {
				break
			}
			fit = fitWave(samples[at:at+sineWindow], w)
			continue
		}
		fit = fitWave(window, w)
		s.Worst = max(s.Worst, fit.worst(window, w))
		fit = fit.after(sineWindow, w)
		at += sineWindow
	}
	s.Frames = at - first
	return s
}

// resume returns the first frame from at on whose window is a sine.
func resume(samples []float32, at int, w float64) (int, bool) {
	for ; at+sineWindow <= len(samples); at++ {
		fit := fitWave(samples[at:at+sineWindow], w)
		if math.Hypot(fit.a, fit.b) > 100*SineLimit && fit.worst(samples[at:at+sineWindow], w) < SineLimit {
			return at, true
		}
	}
	return 0, false
}

// wave is a sine: a*sin(wn) + b*cos(wn) + c for frame n of a window.
type wave struct{ a, b, c float64 }

// fitWave solves the normal equations of the least-squares fit.
func fitWave(x []float32, w float64) wave {
	var m [3][4]float64
	for n, v := range x {
		sin, cos := math.Sincos(w * float64(n))
		row := [3]float64{sin, cos, 1}
		for i := range 3 {
			for j := range 3 {
				m[i][j] += row[i] * row[j]
			}
			m[i][3] += row[i] * float64(v)
		}
	}
	for i := range 3 {
		for k := range 3 {
			if k != i {
				f := m[k][i] / m[i][i]
				for j := i; j < 4; j++ {
					m[k][j] -= f * m[i][j]
				}
			}
		}
	}
	return wave{m[0][3] / m[0][0], m[1][3] / m[1][1], m[2][3] / m[2][2]}
}

func (f wave) at(n int, w float64) float64 {
	sin, cos := math.Sincos(w * float64(n))
	return f.a*sin + f.b*cos + f.c
}

// after returns the same sine relative to frame n.
func (f wave) after(n int, w float64) wave {
	sin, cos := math.Sincos(w * float64(n))
	return wave{f.a*cos - f.b*sin, f.a*sin + f.b*cos, f.c}
}

// worst returns the largest distance of a sample from the sine.
func (f wave) worst(x []float32, w float64) (off float64) {
	for n, v := range x {
		off = max(off, math.Abs(float64(v)-f.at(n, w)))
	}
	return off
}

// wrong returns the first sample off the sine, and its distance; -1: none.
func (f wave) wrong(x []float32, w float64) (int, float64) {
	for n, v := range x {
		if off := math.Abs(float64(v) - f.at(n, w)); off > SineLimit {
			return n, off
		}
	}
	return -1, 0
}
