package moduletest

import (
	"math"
	"os"

	"github.com/music-chronus/chronus/dsp"
)

// Bomb is a module for tests of programs that run modules. It passes its input until it goes off,
// and then breaks a law. Setting kind starts the fuse. A fuse of 0 makes it go off in Set itself,
// a longer fuse in Render.
var Bomb = dsp.Desc{
	Type:    "bomb",
	Doc:     "Passes its input, and breaks a law at a set time.",
	Inputs:  []dsp.Port{{Name: "in", Doc: "signal to pass"}},
	Outputs: []dsp.Port{{Name: "out", Doc: "the input, or an invalid signal"}},
	Params: []dsp.Param{
		{Name: "fuse", Unit: "s", Min: 0, Max: 3600, Doc: "time from setting kind to going off"},
		{Name: "kind", Max: BombFlip, Names: []string{"none", "panic", "fault", "hang", "exit", "nan", "inf", "huge", "offset", "flip"},
			Doc: "kind of fault"},
	},
	New: func(rate float64) dsp.Module { return &bomb{rate: rate} },
}

// The kinds of bomb, as parameter values.
const (
	BombNone = iota
	BombPanic
	BombFault
	BombHang
	BombExit   // ends the process with status 2, as a fatal error of the Go runtime
	BombNaN    // NaN from now on
	BombInf    // +Inf from now on
	BombHuge   // 9e5 from now on
	BombOffset // adds 0.9 from now on
	BombFlip   // flips a bit of one sample, if Flip returns true
)

type bomb struct {
	rate, fuse float64
	kind, left float64 // left: frames until it goes off
	lit        bool    // it has not gone off yet, or its effect lasts
}

func (b *bomb) Set(p int, v float64) {
	if p == 0 {
		b.fuse = v
		return
	}
	b.kind, b.left, b.lit = v, math.Round(b.fuse*b.rate), v != BombNone
	if b.lit && b.left == 0 {
		b.goOff()
	}
}

// goOff does the faults that end the process or the call.
func (b *bomb) goOff() {
	switch int(b.kind) {
	case BombPanic:
		panic("a bomb")
	case BombFault:
		var nowhere *bomb
		nowhere.kind = 1
	case BombHang:
		for n := 0; ; n++ {
			b.fuse += float64(n & 1)
		}
	case BombExit:
		os.Exit(2)
	}
}

func (b *bomb) Gate(bool) {}

func (b *bomb) Render(in, outs [][]float32) {
	out := outs[0]
	copy(out, in[0])
	for i := range out {
		if !b.lit {
			return
		}
		if b.left > 0 {
			b.left--
			continue
		}
		b.goOff()
		switch int(b.kind) {
		case BombNaN:
			out[i] = float32(math.NaN())
		case BombInf:
			out[i] = float32(math.Inf(1))
		case BombHuge:
			out[i] = 9e5
		case BombOffset:
			out[i] += 0.9
		case BombFlip:
			b.lit = false
			if Flip() {
				out[i] = math.Float32frombits(math.Float32bits(out[i]) ^ 1<<20)
			}
		}
	}
}

// Flip reports whether a BombFlip flips a bit in this process. The workers of a test set it.
var Flip = func() bool { return false }

func (b *bomb) Reset() {}

func (b *bomb) Save(e *dsp.Encoder) {
	e.Float64(b.fuse)
	e.Float64(b.kind)
	e.Float64(b.left)
	e.Bool(b.lit)
}

func (b *bomb) Restore(d *dsp.Decoder) {
	b.fuse, b.kind, b.left, b.lit = d.Float64(), d.Float64(), d.Float64(), d.Bool()
}
