package stream

import (
	"math"
	"testing"
)

// What is no louder than full scale and has no offset passes bit for bit.
func TestGuardPasses(t *testing.T) {
	g := newGuard(48000)
	for i := range 480000 {
		x := float32(math.Sin(float64(i) * 2 * math.Pi * 30 / 48000))
		if i%9 == 0 {
			x = float32(i%3) - 1 // full scale, either way
		}
		if y := one(g.frame(float64(x), float64(x))); y != x {
			t.Fatalf("frame %d: %g became %g", i, x, y)
		}
	}
	g.count()
	if g.limited+g.offset != 0 {
		t.Errorf("%d blocks limited, %d with an offset", g.limited, g.offset)
	}
}

// Nothing is louder than full scale, whatever comes; afterwards sound comes back to what it is, bit for bit.
func TestGuardLimits(t *testing.T) {
	for _, loud := range []float64{1.5, 40, 1e6, -1e6, math.MaxFloat32} {
		g := newGuard(48000)
		for i := range 4800 {
			x := loud
			if i%2 == 1 {
				x = -loud
			}
			if y := one(g.frame(x, x)); y > 1 || y < -1 {
				t.Fatalf("%g came out as %g", x, y)
			}
		}
		var y float32
		for i := range 10 * 48000 {
			x := 0.5
			if i%2 == 1 {
				x = -0.5
			}
			y = one(g.frame(x, x))
		}
		if y != -0.5 {
			t.Errorf("ten seconds after %g, -0.5 comes out as %g", loud, y)
		}
	}
}

// A steady offset is gone within a second, without a step of its own making larger than 1 in 1,000.
func TestGuardOffset(t *testing.T) {
	g := newGuard(48000)
	before, most := float32(0.8), 0.0
	for range 5 * 48000 {
		y := one(g.frame(0.8, 0.8))
		most = max(most, math.Abs(float64(y-before)))
		before = y
	}
	if math.Abs(float64(before)) > 0.05 || most > 1e-3 {
		t.Errorf("an offset of 0.8 is %g after five seconds; the largest step was %g", before, most)
	}
}

// A node that is bypassed lets its input through, one without an input or with a gate is silent; let in again it sounds as before.
func TestBypass(t *testing.T) {
	const text = `
version: 1
name: t
nodes:
  - {id: a, type: sine, params: {gain: 0.5}}
  - {id: f, type: biquad, params: {cutoff: 100}}
cables: [a > f > out]
`
	s, plain := newStream(t, text, 64, 1), newStream(t, text[:len(text)-len("cables: [a > f > out]\n")]+"cables: [a > out]\n", 64, 1)
	s.Push(Command{Seq: 1, Kind: Bypass, Node: 2, Value: 1})
	got, want := render(s, 20), render(plain, 20)
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("frame %d is %g, the sine alone %g", i, got[i], want[i])
		}
	}
	state, err := s.Save(nil)
	if err != nil {
		t.Fatal(err)
	}
	two := newStream(t, text, 64, 1)
	if err := two.Restore(state); err != nil {
		t.Fatal(err)
	}
	two.Push(Command{Seq: 2, Kind: Bypass, Node: 1, Value: 1})
	for i, v := range render(two, 5) {
		if v != 0 {
			t.Fatalf("frame %d is %g with the only source bypassed", i, v)
		}
	}
	two.Push(Command{Seq: 3, Kind: Bypass, Node: 1, Value: 0})
	if out := render(two, 5); out[100] == 0 {
		t.Error("the source is not let in again")
	}
	env := newStream(t, "", 64, 1)
	env.Push(Command{Seq: 1, Kind: Bypass, Node: 2, Value: 1})
	for i, v := range render(env, 20) {
		if v != 0 {
			t.Fatalf("frame %d is %g behind a bypassed gate", i, v)
		}
	}
}

// one is the left channel of two.
func one(left, _ float32) float32 { return left }
