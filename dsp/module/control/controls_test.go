package control

import (
	"math"
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/measure"
)

// env equals an adsr whose input is 1, bit for bit.
func TestEnv(t *testing.T) {
	for _, curve := range []float64{0, 1} {
		a, e := measure.New(&ADSR, 0.01, 0.02, 0.3, 0.05, curve), measure.New(&Env, 0.01, 0.02, 0.3, 0.05, curve)
		for k := range 6 {
			a.Gate(k%2 == 0)
			e.Gate(k%2 == 0)
			want, got := ones(a, 777), measure.Play(&Env, e, 777)[0]
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("curve %g, frame %d: %g, adsr has %g", curve, i, got[i], want[i])
				}
			}
		}
	}
}

// ad reaches 1 and 0 exactly to the frame, ignores the closing gate, and restarts at its present
// level.
func TestAD(t *testing.T) {
	for _, curve := range []float64{0, 1} {
		a := measure.New(&AD, 0.001, 0.002, curve) // 48 and 96 frames
		if measure.Play(&AD, a, 10)[0][9] != 0 {
			t.Error("it sounds before the gate")
		}
		a.Gate(true)
		y := measure.Play(&AD, a, 20)[0]
		a.Gate(false)
		y = append(y, measure.Play(&AD, a, 200)[0]...)
		if y[47] != 1 || y[46] >= 1 || y[48] >= 1 || y[142] <= 0 || y[143] != 0 || y[219] != 0 {
			t.Errorf("curve %g: %g %g %g, end %g %g %g", curve, y[46], y[47], y[48], y[142], y[143], y[219])
		}
		a.Gate(true)
		measure.Play(&AD, a, 88) // 40 frames into the decay
		a.Gate(true)
		again := measure.Play(&AD, a, 48)[0]
		if again[0] < 0.1 || again[0] > 0.65 || again[47] != 1 {
			t.Errorf("curve %g: triggered again it goes from %g to %g", curve, again[0], again[47])
		}
	}
}

func TestSlew(t *testing.T) {
	s := measure.New(&Slew, 10, 20) // 4800 and 2400 frames for a step of 1
	y := measure.Play(&Slew, s, 10000, measure.Constant(1, 5000))[0]
	for _, p := range []struct {
		at   int
		want float64
	}{{0, 1.0 / 4800}, {2399, 0.5}, {4799, 1}, {4999, 1}, {5000, 1 - 1.0/2400}, {6199, 0.5}, {7400, 0}, {9999, 0}} {
		if math.Abs(float64(y[p.at])-p.want) > 1e-6 {
			t.Errorf("frame %d: %g, want %g", p.at, y[p.at], p.want)
		}
	}
}

func TestHold(t *testing.T) {
	x, trigger := make([]float32, 100), make([]float32, 100)
	for i := range x {
		x[i] = float32(i + 1)
		if i >= 20 && i < 40 || i >= 60 {
			trigger[i] = 0.6
		}
	}
	h := Hold.New(rate)
	y := measure.Play(&Hold, h, 100, x, trigger)[0]
	for i, v := range y {
		want := float32(0)
		if i >= 20 {
			want = 21
		}
		if i >= 60 {
			want = 61
		}
		if v != want {
			t.Fatalf("frame %d: %g, want %g", i, v, want)
		}
	}
	h.Gate(true)
	h.Gate(false)
	if v := measure.Play(&Hold, h, 5, x)[0]; v[0] != 1 || v[4] != 1 {
		t.Errorf("the gate took %g, want the first value", v)
	}
}

func TestConstantAndScale(t *testing.T) {
	c := measure.New(&Constant, -1234.5)
	if v := measure.Play(&Constant, c, 3)[0][2]; v != -1234.5 {
		t.Errorf("constant: %g", v)
	}
	c.Set(0, 0)
	if v := measure.Play(&Constant, c, 240)[0]; v[119] != -617.25 || v[239] != 0 {
		t.Errorf("constant, ramped: %g and %g", v[119], v[239])
	}
	s := measure.New(&Scale, 3, 0.25)
	if v := measure.Play(&Scale, s, 1, measure.Constant(2, 1), measure.Constant(-1, 1))[0][0]; v != 4.25 {
		t.Errorf("scale: 2*(3-1)+0.25 is %g", v)
	}
}

// A step reaches 1-1/e after the attack's time constant, and falls to 1/e after that of the
// release.
func TestFollow(t *testing.T) {
	f := measure.New(&Follow, 0.01, 0.1)
	y := measure.Play(&Follow, f, 2*rate, measure.Constant(-0.5, rate))[0]
	up, down := float64(y[479])/0.5, float64(y[rate+4799])/0.5
	t.Logf("after the time constants %.5f and %.5f", up, down)
	if math.Abs(up-(1-1/math.E)) > 1e-5 || math.Abs(down-1/math.E) > 1e-5 || math.Abs(float64(y[rate-1])-0.5) > 1e-7 {
		t.Errorf("%g and %g, settled at %g", up, down, y[rate-1])
	}
}
