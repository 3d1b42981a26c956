package dsp

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestParam(t *testing.T) {
	gain := Param{Name: "gain", Min: 0, Max: 1}
	cutoff := Param{Name: "cutoff", Unit: "Hz", Min: 10, OfRate: 0.49}
	mode := Param{Name: "mode", Max: 2, Names: []string{"lp", "hp", "bp"}}
	for _, tt := range []struct {
		p    Param
		v    float64
		rate float64
		want string // "" if the value is valid
	}{
		{gain, 0, 48000, ""}, {gain, 1, 48000, ""}, {gain, 0.5, 48000, ""},
		{gain, -0.001, 48000, "gain is -0.001, it must be 0 to 1"},
		{gain, math.NaN(), 48000, "gain is NaN, it must be 0 to 1"},
		{gain, math.Inf(1), 48000, "gain is +Inf, it must be 0 to 1"},
		{cutoff, 23520, 48000, ""}, {cutoff, 21609, 44100, ""}, {cutoff, 47040, 96000, ""},
		{cutoff, 23521, 48000, "cutoff is 23521, it must be 10 to 23520 Hz"},
		{cutoff, 23520, 44100, "cutoff is 23520, it must be 10 to 21609 Hz"},
		{mode, 2, 48000, ""}, {mode, 3, 48000, "mode is 3, it must be lp, hp or bp"},
		{mode, 0.5, 48000, "mode is 0.5, it must be lp, hp or bp"},
	} {
		err := tt.p.Check(tt.v, tt.rate)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || err.Error() != tt.want) {
			t.Errorf("%s = %g at %g: %v, want %q", tt.p.Name, tt.v, tt.rate, err, tt.want)
		}
	}
	d := Desc{Params: []Param{gain, cutoff}}
	if d.Index("cutoff") != 1 || d.Index("Gain") != -1 {
		t.Error("Index does not find by name")
	}
}

func TestRamp(t *testing.T) {
	var r Ramp
	r.Jump(1)
	r.To(2, 4)
	for i, want := range []float64{1.25, 1.5, 1.75, 2, 2} {
		if !r.Moving() && i < 4 {
			t.Errorf("stands at frame %d", i)
		}
		if got := r.Next(); got != want {
			t.Errorf("frame %d: %g, want %g", i, got, want)
		}
	}
	if r.Moving() || r.Target() != 2 {
		t.Error("moves on")
	}
	r.To(0.1, 1000)
	for range 1000 {
		r.Next()
	}
	if got := r.Next(); got != 0.1 {
		t.Errorf("the end is %g, it must be 0.1 exactly", got)
	}
	r.To(1, 10)
	r.Next()
	r.To(0, 2) // turned back on its way
	if a, b := r.Next(), r.Next(); a <= 0 || a >= 0.19 || b != 0 {
		t.Errorf("turned back over %g to %g", a, b)
	}
	if n := RampFrames(48000); n != 240 {
		t.Errorf("%d frames at 48 kHz, want 240", n)
	}
	if n := RampFrames(1); n != 1 {
		t.Errorf("%d frames at 1 Hz, want 1", n)
	}
}

func TestState(t *testing.T) {
	r := Ramp{value: 1, step: 2, target: 3, left: 4}
	e := NewEncoder([]byte("head"))
	e.Uint64(1<<63 + 5)
	e.Uint32(7)
	e.Float64(math.Copysign(0, -1))
	e.Float32(float32(math.Inf(-1)))
	e.Bool(true)
	e.Bool(false)
	r.Save(e)
	b := e.Bytes()
	c := NewCounter()
	c.Uint64(1)
	c.Uint64(1)
	if !c.Skip(8) || e.Skip(8) {
		t.Error("a counter skips, and nothing else does")
	}
	c.Uint32(7)
	c.Bool(true)
	c.Float64(1)
	c.Float32(1)
	c.Float32s(make([]float32, 3))
	if c.Count() != 3*8+4+4+8+4+12 || c.Bytes() != nil || e.Count() != 0 {
		t.Errorf("counted %d, with %d bytes", c.Count(), len(c.Bytes()))
	}
	if !strings.HasPrefix(string(b), "head\x05\x00\x00\x00\x00\x00\x00\x80\x07\x00\x00\x00") {
		t.Errorf("not little-endian: % x", b[:16])
	}
	read := func(b []byte) (*Decoder, bool) {
		d := NewDecoder(b)
		var back Ramp
		ok := d.Uint64() == 1<<63+5
		ok = d.Uint32() == 7 && ok
		ok = math.Signbit(d.Float64()) && ok
		ok = math.IsInf(float64(d.Float32()), -1) && ok
		ok = d.Bool() && ok
		ok = !d.Bool() && ok
		back.Restore(d)
		return d, ok && back == r
	}
	if d, ok := read(b[4:]); !ok || d.Err() != nil || d.Remaining() != 0 {
		t.Errorf("came back different: %v, %d left", d.Err(), d.Remaining())
	}
	for n := range b[4:] {
		if d, _ := read(b[4 : 4+n]); !errors.Is(d.Err(), ErrState) || d.Remaining() != 0 {
			t.Fatalf("%d bytes: %v, %d left", n, d.Err(), d.Remaining())
		}
	}
	d := NewDecoder([]byte{2, 0, 0, 0})
	if d.Bool(); d.Err() == nil {
		t.Error("2 was taken for a bool")
	}
}

// Float32s saves and restores like single values. A truncated state is refused and reads as 0.
func TestFloat32s(t *testing.T) {
	x := []float32{1, -2.5, float32(math.Inf(1)), 0}
	all, single := NewEncoder(nil), NewEncoder(nil)
	all.Float32s(x)
	for _, v := range x {
		single.Float32(v)
	}
	if !bytes.Equal(all.Bytes(), single.Bytes()) {
		t.Errorf("%x, one by one %x", all.Bytes(), single.Bytes())
	}
	y := make([]float32, 4)
	if d := NewDecoder(all.Bytes()); true {
		if d.Float32s(y); !slices.Equal(x, y) || d.Remaining() != 0 || d.Err() != nil {
			t.Errorf("%v, %d bytes left, %v", y, d.Remaining(), d.Err())
		}
	}
	if d := NewDecoder(all.Bytes()[:15]); true {
		if d.Float32s(y); d.Err() == nil || y[0] != 0 {
			t.Errorf("15 bytes gave %v", y)
		}
	}
}
