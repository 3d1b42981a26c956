package stream_test

import (
	"fmt"
	"log"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream"
)

// A patch is compiled to a plan, a stream renders the plan, and commands play it.
func Example() {
	p, err := patch.Parse("tone.yaml", []byte(`
version: 1
nodes:
  - {id: tone, type: sine, params: {freq: 1000, gain: 0.5}}
  - {id: env, type: adsr, params: {attack: 0.001, sustain: 1}}
cables: [tone > env > out]
`))
	if err != nil {
		log.Fatal(err)
	}
	plan, err := patch.Compile(p, 48000, 64, 2) // 48 kHz, blocks of 64 frames, stereo
	if err != nil {
		log.Fatal(err)
	}
	s, err := stream.New(plan)
	if err != nil {
		log.Fatal(err)
	}
	env, _, err := plan.Lookup("env", "attack")
	if err != nil {
		log.Fatal(err)
	}
	s.Push(stream.Command{Seq: 1, Frame: 100, Kind: stream.Gate, Node: uint16(env), Value: 1})

	first, peak := -1, float32(0)
	block := make([]float32, plan.Block*plan.Channels)
	for n := range 10 {
		s.Render(block)
		for frame := range plan.Block {
			left := block[frame*plan.Channels]
			if left != 0 && first < 0 {
				first = n*plan.Block + frame
			}
			peak = max(peak, left)
		}
	}
	fmt.Printf("%d blocks, the sound begins at frame %d, peak %.2f\n", s.Block(), first, peak)

	// Output:
	// 10 blocks, the sound begins at frame 100, peak 0.50
}

// A stream that restores another's state continues it bit for bit.
func ExampleStream_Restore() {
	p, err := patch.Parse("default", patch.Default())
	if err != nil {
		log.Fatal(err)
	}
	plan, err := patch.Compile(p, 48000, 64, 1)
	if err != nil {
		log.Fatal(err)
	}
	one, err := stream.New(plan)
	if err != nil {
		log.Fatal(err)
	}
	two, err := stream.New(plan)
	if err != nil {
		log.Fatal(err)
	}
	env, _, err := plan.Lookup("adsr1", "attack")
	if err != nil {
		log.Fatal(err)
	}
	one.Push(stream.Command{Seq: 1, Kind: stream.Gate, Node: uint16(env), Value: 1})
	a, b := make([]float32, plan.Block), make([]float32, plan.Block)
	for range 100 {
		one.Render(a)
	}
	state, err := one.Save(nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := two.Restore(state); err != nil {
		log.Fatal(err)
	}
	one.Render(a)
	two.Render(b)
	same := true
	for i := range a {
		same = same && a[i] == b[i]
	}
	fmt.Println("block", two.Block(), "audible:", a[0] != 0, "same:", same)

	// Output:
	// block 101 audible: true same: true
}
