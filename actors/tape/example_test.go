package tape_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"

	"github.com/music-chronus/chronus/actors/tape"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream"
	"github.com/music-chronus/chronus/shm"
)

// An engine writes tapes: see Engine.Record of package actors. This example plays a patch by
// itself, writes what it played, and reads it back.
func Example() {
	const text = "version: 1\nnodes: [{id: a, type: sine}]\ncables: [a > out]\n"
	h := tape.Header{Patch: text, Rate: 48000, Block: 64, Channels: 1}
	p, err := patch.Parse("example", []byte(text))
	if err != nil {
		log.Fatal(err)
	}
	plan, err := patch.Compile(p, h.Rate, h.Block, h.Channels)
	if err != nil {
		log.Fatal(err)
	}
	s, err := stream.New(plan)
	if err != nil {
		log.Fatal(err)
	}

	// Record three blocks.
	var recorded bytes.Buffer
	w, err := tape.NewWriter(&recorded, h)
	if err != nil {
		log.Fatal(err)
	}
	samples := make([]float32, h.Block*h.Channels)
	for n := range uint64(3) {
		s.Render(samples)
		if err := w.Write(tape.Line{Block: &tape.Block{N: n, Heard: shm.Hash(samples)}}); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		log.Fatal(err)
	}

	// Read them back.
	r, err := tape.NewReader(&recorded, tape.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for {
		block, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("block", block.N, "frames", len(block.Samples)/h.Channels, "same", block.Same)
	}
	// Output:
	// block 0 frames 64 same true
	// block 1 frames 64 same true
	// block 2 frames 64 same true
}
