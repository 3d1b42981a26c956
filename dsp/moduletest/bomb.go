package moduletest

import (
	"math"
	"os"

	"github.com/music-chronus/chronus/dsp"
)

// Bomb is a module for tests of what surrounds modules: it lets its input through until it is set off, and then does
// what no module may. A fuse of 0 sets it off in Set itself, a longer one in Render, so many seconds later.
var Bomb = dsp.Desc{
	Type:    "bomb",
	Doc:     "Breaks every law, when told to.",
	Inputs:  []dsp.Port{{Name: "in", Doc: "goes through"}},
	Outputs: []dsp.Port{{Name: "out", Doc: "the input, or no sound at all"}},
	Params: []dsp.Param{
		{Name: "fuse", Unit: "s", Min: 0, Max: 3600, Doc: "from being set to going off"},
		{Name: "kind", Max: BombFlip, Names: []string{"none", "panic", "fault", "hang", "exit", "nan", "inf", "huge", "offset", "flip"}, Doc: "what it does"},
	},
	New: func(rate float64) dsp.Module { return &bomb{rate: rate} },
}

// The kinds of bomb, as parameter values.
const (
	BombNone = iota
	BombPanic
	BombFault
	BombHang
	BombExit   // ends the process as Go's runtime does when it can go on no more
	BombNaN    // from now on
	BombInf    // from now on
	BombHuge   // from now on
	BombOffset // from now on: 0.9 is added
	BombFlip   // a bit of the sound, once, in the process that Flip says
)

type bomb struct {
	rate, fuse float64
	kind, left float64 // left: frames until it goes off
	lit        bool
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

// goOff does what must be done but once, and not in Render.
func (b *bomb) goOff() {
	switch int(b.kind) {
	case BombPanic:
		panic("a bomb")
	case BombFault:
		var nowhere *bomb
		nowhere.kind = 1
	case BombHang:
		for n := 0; ; n++ { // the loop that never ends
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

// Flip tells whether this process is the one in which a BombFlip flips a bit. A test's worker sets it.
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
