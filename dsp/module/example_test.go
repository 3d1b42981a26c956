package module_test

import (
	"fmt"

	"github.com/music-chronus/chronus/dsp/module"
)

// A module is found by its type, set by the names of its parameters, and rendered.
func ExampleByType() {
	d := module.ByType("pan")
	m := d.New(48000)
	m.Set(d.Index("pan"), 1)
	m.Reset() // ends the ramp of pan

	const frames = 4
	mono := []float32{0.25, 0.5, 0.75, 1}
	in := [][]float32{mono, mono, make([]float32, frames)} // in, which is stereo, and pan
	out := [][]float32{make([]float32, frames), make([]float32, frames)}
	m.Render(in, out)
	fmt.Println("left", out[0])
	fmt.Println("right", out[1])
	// Output:
	// left [0 0 0 0]
	// right [0.25 0.5 0.75 1]
}

// The descriptions list the ports and parameters of each module.
func ExampleFamilies() {
	for _, f := range module.Families {
		fmt.Println(f.Name)
	}
	d := module.ByType("lfo")
	for _, p := range d.Params {
		fmt.Printf("%s, %s\n", p.Name, p.Domain(48000))
	}
	// Output:
	// Sources
	// Filters
	// Controls
	// Shapers
	// Dynamics
	// Effects
	// freq, 0.001 to 100 Hz
	// shape, sine, triangle, saw, ramp, square, random or smooth
	// depth, -10 to 10
	// phase, 0 to 1
	// unipolar, bipolar or unipolar
	// sync, free or gate
	// seed, 0 to 65535
}
