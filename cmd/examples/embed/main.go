// Command embed is the least program with an engine in it: it plays a second, and says what was played.
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
	actors.RunChild(worker.Main, audio.Main(null.Backend{})) // first: this program is its own worker
	ctx := context.Background()
	engine, err := actors.Embed(ctx, actors.Host{System: actor.NewActorSystem()}, actors.Config{Backend: "null"})
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Stop()
	if err := engine.Handle().Gate(ctx, "adsr1", 1); err != nil {
		log.Print(err)
	}
	time.Sleep(time.Second)
	st, err := engine.Handle().Status(ctx)
	fmt.Printf("played %d blocks, peak %.2f, %d workers (%v)\n", st.Played, st.Peak, len(st.Workers), err)
}
