// Command embed is the smallest program with an engine in it. The program plays a note for a second
// and prints what was played.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/audio/null"
	"github.com/music-chronus/chronus/dsp/worker"
)

func main() {
	// The engine starts this program again as its workers and its audio process. RunChild runs
	// them, and returns at once in the program itself. It must come first.
	actors.RunChild(worker.Main, audio.Main(null.Backend{}))
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	// The null backend plays by a clock and needs no sound card. Other backends are in the folders
	// of audio.
	engine, err := actors.Embed(ctx, actors.Host{System: actor.NewActorSystem()}, actors.Config{Backend: "null"})
	if err != nil {
		return err
	}
	defer engine.Stop()
	if err := engine.Handle().Gate(ctx, "adsr1", 1); err != nil {
		return err
	}
	time.Sleep(time.Second)
	st, err := engine.Handle().Status(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("played %d blocks, peak %.2f, %d workers\n", st.Played, st.Peak, len(st.Workers))
	return nil
}
