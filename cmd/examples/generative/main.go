// Command generative is an actor that plays: it walks at random over a scale. Each message to
// itself is a note.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/audio/file"
	"github.com/music-chronus/chronus/audio/null"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/worker"
)

// scale holds the MIDI keys of A minor pentatonic, from A2 to E5.
var scale = []float64{45, 48, 50, 52, 55, 57, 60, 62, 64, 67, 69, 72, 74, 76}

// walker plays one note after the other by requests to the engine's actor.
type walker struct {
	engine  *actor.PID
	step    time.Duration
	chance  *rand.Rand
	place   int
	key     float64 // the one that sounds; 0: none
	played  int
	refused int
}

type next struct{}

// Receive implements actor.Actor.
func (w *walker) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		ctx.Send(ctx.Self(), next{})
	case next:
		if w.key > 0 {
			ctx.Request(w.engine, actors.NoteOff{Key: w.key})
		}
		w.place = min(max(w.place+w.chance.IntN(5)-2, 0), len(scale)-1)
		w.key = scale[w.place]
		ctx.Request(w.engine, actors.NoteOn{Key: w.key, Velocity: 0.4 + 0.4*w.chance.Float64()})
		root, self := ctx.ActorSystem().Root, ctx.Self()
		time.AfterFunc(w.step, func() { root.Send(self, next{}) })
	case actors.Done:
		w.played++
	case actors.Refused: // print the reason, and play on
		w.refused++
		log.Print(m.Reason)
	case string:
		ctx.Respond(fmt.Sprintf("%d requests carried out, %d refused", w.played, w.refused))
	}
}

func main() {
	actors.RunChild(worker.Main, audio.Main(null.Backend{}, file.Backend{}))
	length := flag.Duration("for", 10*time.Second, "time to play")
	step := flag.Duration("step", 180*time.Millisecond, "time between two notes")
	preset := flag.String("preset", "keys/epiano", "preset to play on")
	wav := flag.String("o", "", "WAV file to write; default: play by a clock, without a device")
	flag.Parse()
	text, err := patch.Preset(*preset)
	if err != nil {
		log.Fatal(err)
	}
	cfg := actors.Config{Patch: text, PatchName: *preset, Backend: "null"}
	if *wav != "" {
		cfg.Backend, cfg.Device = "file", *wav
	}
	system := actor.NewActorSystem()
	engine, err := actors.Embed(context.Background(), actors.Host{System: system}, cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Stop()
	pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor {
		return &walker{engine: engine.PID(), step: *step, chance: rand.New(rand.NewPCG(1, 9)), place: 5}
	}))
	time.Sleep(*length)
	said, err := system.Root.RequestFuture(pid, "how did it go?", time.Second).Result()
	fmt.Println(said, err)
	_ = system.Root.StopFuture(pid).Wait()
}
