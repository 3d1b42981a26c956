//go:build sim

package replica

import (
	"sync"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/module"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream"
	"github.com/music-chronus/chronus/shm"
)

// The simulation's first patch is one module that makes noise of all commands in their order. A
// lost, doubled or late command changes every later block.
const simPatch = "version: 1\nname: simulation\nnodes: [{id: noise, type: simnoise}]\ncables: [noise > out]\n"

// The parameters of its node: any number; above 0, the node panics when it renders next.
const (
	simValue = 0
	simBomb  = 1
)

// simTrap, if not nil, is called in the middle of rendering and saving. simTrap panics if the
// module is to.
var simTrap func(rendering, bomb bool)

// simGrave ends the running worker.
var simGrave func()

var addSimNoise = sync.OnceFunc(func() {
	module.All = append(module.All, &dsp.Desc{
		Type: "simnoise", Doc: "Noise of all commands.", Outputs: []dsp.Port{{Name: "out"}}, Gated: true,
		Params: []dsp.Param{{Name: "value", Max: 1e9}, {Name: "bomb", Max: 1}},
		New:    func(float64) dsp.Module { return &simNoise{noise: 1} },
	}, &dsp.Desc{
		Type: "simecho", Doc: "Noise of what it hears.", Inputs: []dsp.Port{{Name: "in"}}, Outputs: []dsp.Port{{Name: "out"}},
		Params: []dsp.Param{{Name: "value", Max: 1e9}},
		New:    func(float64) dsp.Module { return &simEcho{} },
	}, &dsp.Desc{
		Type: "simdud", Doc: "It cannot be made.", Outputs: []dsp.Port{{Name: "out"}},
		New: func(float64) dsp.Module { panic("a dud") },
	}, &dsp.Desc{
		Type: "simgrave", Doc: "It ends who makes it.", Outputs: []dsp.Port{{Name: "out"}},
		New: func(float64) dsp.Module { simGrave(); return &simNoise{} },
	})
})

type simNoise struct {
	told, noise uint64
	bomb        float64
}

func (m *simNoise) hear(x uint64) { m.told = (m.told+x)*6364136223846793005 + 1442695040888963407 }

func (m *simNoise) Set(p int, v float64) {
	if p == simBomb {
		m.bomb = v
		return
	}
	m.hear(uint64(v) * 2)
}

func (m *simNoise) Gate(on bool) {
	if on {
		m.hear(3)
	} else {
		m.hear(5)
	}
}

func (m *simNoise) Render(_, outs [][]float32) {
	out := outs[0]
	for i := range out {
		if i == len(out)/2 {
			if simTrap != nil {
				simTrap(true, m.bomb > 0)
			}
		}
		m.noise = (m.noise ^ m.told) * 0x9e3779b97f4a7c15
		out[i] = float32(m.noise>>40) / (1 << 24)
	}
}

func (m *simNoise) Reset() { m.noise = 1 }

func (m *simNoise) Save(e *dsp.Encoder) {
	e.Uint64(m.told)
	if simTrap != nil {
		simTrap(false, false)
	}
	e.Uint64(m.noise)
	e.Float64(m.bomb)
}

func (m *simNoise) Restore(d *dsp.Decoder) {
	m.told, m.noise, m.bomb = d.Uint64(), d.Uint64(), d.Float64()
}

// simEcho makes a sound of all its input, down to the last bit.
type simEcho struct {
	value, last float64
}

func (m *simEcho) Set(_ int, v float64) { m.value = v }
func (m *simEcho) Gate(bool)            {}
func (m *simEcho) Reset()               { m.last = 0 }

func (m *simEcho) Render(ins, outs [][]float32) {
	for i, v := range ins[0] {
		if i == len(ins[0])/2 && simTrap != nil {
			simTrap(true, false)
		}
		m.last = float64(0.7*m.last) + float64(0.1*float64(v)) + float64(1e-12*m.value)
		outs[0][i] = float32(m.last)
	}
}

func (m *simEcho) Save(e *dsp.Encoder) {
	e.Float64(m.value)
	if simTrap != nil {
		simTrap(false, false)
	}
	e.Float64(m.last)
}

func (m *simEcho) Restore(d *dsp.Decoder) { m.value, m.last = d.Float64(), d.Float64() }

// simStream returns the stream of the uninterrupted render.
func simStream(g shm.Geometry) (*stream.Stream, error) {
	p, err := patch.Parse("simulation", []byte(simPatch))
	if err != nil {
		return nil, err
	}
	plan, err := patch.Compile(p, int(g.Rate), int(g.Block), int(g.Channels))
	if err != nil {
		return nil, err
	}
	return stream.New(plan)
}
