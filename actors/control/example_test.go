package control_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/music-chronus/chronus/actors/control"
)

// Watch an engine that another program runs.
func ExampleClient() {
	dir, stop := runEngine()
	defer stop()

	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c := control.NewClient(dir) // for example actors.DefaultRuntimeDir()
	st, err := c.Status(ctx)
	switch {
	case errors.Is(err, control.ErrNoEngine):
		log.Fatal("start an engine first")
	case err != nil:
		log.Fatal(err)
	}
	fmt.Println("process", st.PID, "has played", st.Played, "blocks")
	// Output: process 7 has played 42 blocks
}

// runEngine stands for an engine with the runtime directory dir.
func runEngine() (dir string, stop func()) {
	dir, err := os.MkdirTemp("", "chronus-example-")
	if err != nil {
		log.Fatal(err)
	}
	s, err := control.Serve(standIn{}, filepath.Join(dir, "engine.sock"), slog.New(slog.DiscardHandler))
	if err != nil {
		log.Fatal(err)
	}
	return dir, func() {
		s.Close()
		_ = os.RemoveAll(dir)
	}
}
