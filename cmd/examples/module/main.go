// Command module adds a module of its own to its engine, and receives the sound itself instead of
// playing it on a device.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/audio/null"
	"github.com/music-chronus/chronus/audio/pipe"
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/worker"
)

// patchText has the module between a sine and the output.
const patchText = `version: 1
name: folded
nodes:
  - {id: tone, type: sine, params: {freq: 110, gain: 0.8}}
  - {id: wood, type: fold, params: {drive: 3}}
cables:
  - tone > wood > out
`

func main() {
	own := []*dsp.Desc{&fold}
	actors.RunChild(worker.With(own...), audio.Main(pipe.Backend{}, null.Backend{}))
	length := flag.Duration("for", time.Second, "time to play")
	flag.Parse()
	if err := run(own, *length); err != nil {
		log.Fatal(err)
	}
}

func run(own []*dsp.Desc, length time.Duration) error {
	dir, err := os.MkdirTemp("", "chronus-example-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	sink, err := pipe.Listen(filepath.Join(dir, "sound"), pipe.Options{})
	if err != nil {
		return err
	}
	frames, peak := 0, float32(0)
	done := make(chan error)
	go func() {
		// Pace reads by a clock. A program with an output of its own calls Read whenever the output
		// needs sound.
		done <- sink.Pace(func(out []float32) {
			frames += len(out) / 2
			for _, v := range out {
				peak = max(peak, v, -v)
			}
		})
	}()
	engine, err := actors.Embed(context.Background(), actors.Host{System: actor.NewActorSystem()}, actors.Config{
		Backend: "pipe", Device: sink.Path(), Modules: own, Patch: []byte(patchText), PatchName: "folded",
	})
	if err == nil {
		time.Sleep(length)
		engine.Stop()
	}
	_ = sink.Close()
	<-done
	fmt.Printf("took %d frames, peak %.2f\n", frames, peak)
	return err
}
