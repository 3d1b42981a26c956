package actors_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors"
)

// A program embeds an engine, plays a tone and stops. The program must call RunChild first in main.
func Example() {
	ctx, host := context.Background(), actors.Host{System: actor.NewActorSystem()}
	engine, err := actors.Embed(ctx, host, actors.Config{Backend: "null", Lead: testLead})
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Stop()
	if err := engine.Handle().Gate(ctx, "adsr1", 1); err != nil {
		log.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	st, err := engine.Handle().Status(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("plays:", st.Played > 0, "workers:", len(st.Workers))
	// Output: plays: true workers: 2
}

// A patch changes while it plays. A node that both patches have keeps its state, here the phase of
// its oscillator.
func ExampleHandle_NewPatch() {
	const one, two = `
version: 1
nodes: [{id: tone, type: sine, params: {freq: 330, gain: 0.25}}]
cables: [tone > out]
`, `
version: 1
nodes:
  - {id: tone, type: sine, params: {freq: 330, gain: 0.25}}
  - {id: soft, type: biquad, params: {cutoff: 500}}
cables: [tone > soft > out]
`
	ctx, host := context.Background(), actors.Host{System: actor.NewActorSystem()}
	engine, err := actors.Embed(ctx, host, actors.Config{Backend: "null", Lead: testLead, Patch: []byte(one)})
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Stop()
	if _, err := engine.Handle().NewPatch(ctx, "two", []byte(two)); err != nil {
		log.Fatal(err)
	}
	// The new node has its address now.
	err = engine.Handle().Set(ctx, "soft", "cutoff", 800)
	fmt.Println("error:", err)
	// Output: error: <nil>
}
