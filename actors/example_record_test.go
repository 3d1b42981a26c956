package actors_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/tape"
)

// A tape renders again to the samples that were played. The program must call RunChild first in
// main.
func ExampleEngine_Record() {
	dir, err := os.MkdirTemp("", "chronus-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	e, err := actors.Start(ctx, actors.Config{
		OSC: "none", Backend: "null", Lead: testLead, RuntimeDir: dir, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Stop()

	// Record until the context ends.
	var recorded bytes.Buffer
	recording, stop := context.WithTimeout(ctx, 200*time.Millisecond)
	defer stop()
	if err := e.Record(recording, &recorded, nil); err != nil {
		log.Fatal(err)
	}

	// Render the tape, and compare each block with what was played.
	v, err := tape.Verify(&recorded, tape.Options{}, nil)
	fmt.Println("blocks:", v.Blocks > 0, "changed:", v.Changed, "error:", err)
	// Output: blocks: true changed: 0 error: <nil>
}
