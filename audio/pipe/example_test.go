package pipe_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/audio/pipe"
)

// A program reads the sound of an engine, block after block.
func ExampleListen() {
	dir, err := os.MkdirTemp("", "chronus")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	sink, err := pipe.Listen(filepath.Join(dir, "sound"), pipe.Options{Rate: 48000, Channels: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer sink.Close()

	// An engine connects by itself: its Config has Backend "pipe" and sink.Path() as Device.
	// This stream takes the place of the engine's audio process.
	stream, err := pipe.Backend{}.Open(
		audio.Request{Device: sink.Path(), Rate: 48000, Channels: 2},
		func(out []float32) {
			for i := range out {
				out[i] = 0.25
			}
		})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	if err := stream.Start(); err != nil {
		log.Fatal(err)
	}

	block := make([]float32, 2*64)
	for n := range 3 {
		if err := sink.Read(block); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("block %d: %d frames, first sample %v\n", n, len(block)/2, block[0])
	}
	// Output:
	// block 0: 64 frames, first sample 0.25
	// block 1: 64 frames, first sample 0.25
	// block 2: 64 frames, first sample 0.25
}
