package delay

import (
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/signal"
)

// OnePole is a first-order low-pass by the trapezoidal rule. Its input less its output is the
// high-pass. The zero OnePole is silent.
type OnePole struct{ State float64 }

// OnePoleCoefficient returns the coefficient for a cutoff and a rate in Hz.
func OnePoleCoefficient(cutoff, rate float64) float64 {
	g := approx.TanPi(signal.Clamp(cutoff/rate, 0, 0.49))
	return g / (1 + g)
}

// LowPass filters a value with a coefficient.
func (p *OnePole) LowPass(x, coefficient float64) float64 {
	v := float64((x - p.State) * coefficient)
	y := v + p.State
	p.State = y + v
	if signal.Silent(p.State) {
		p.State = 0
	}
	return y
}
