package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/frontend"
)

// Host is the place of an engine in the actors of a program.
type Host struct {
	System *actor.ActorSystem   // the program's. Its remote, if it has one, is to be started first: it changes every address
	Parent actor.SpawnerContext // what the engine's actor is a child of; nil: the system's root
	Name   string               // of the engine's actor; default "chronus". Of several engines under one parent each has its own

	own  bool     // the system was made for the engine
	null *os.File // what Embed made for it; nil, or "": nothing
	temp string
}

// Embed starts an engine among the actors of a program, and returns once it plays; the caller stops
// it, or it ends with its parent. A panic in the engine's actors is its own business: none reaches
// the program's. It takes no default that two engines in one program could not share: without
// Config.OSC it does not listen for OSC, without Config.RuntimeDir it has one of its own that goes
// with it, and without Config.Logger and Config.Output it says nothing but by [EngineEvent] on the
// system's event stream.
//
// With a Parent that is an actor's context, call it in that actor's Receive, which it keeps busy
// until the engine plays.
func Embed(ctx context.Context, host Host, cfg Config) (*Engine, error) {
	if host.System == nil {
		return nil, errors.New("embed: Host.System is nil: give the program's actor system, or use Start")
	}
	if host.Name == "" {
		host.Name = rootName
	}
	if host.Parent == nil {
		host.Parent = host.System.Root
	}
	if cfg.OSC == "" {
		cfg.OSC = frontend.None
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Output == nil {
		null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		if err != nil {
			return nil, fmt.Errorf("embed: %w", err)
		}
		cfg.Output, host.null = null, null
	}
	if cfg.RuntimeDir == "" {
		dir, err := os.MkdirTemp("", "chronus-")
		if err != nil {
			host.clean()
			return nil, fmt.Errorf("embed: %w: give Config.RuntimeDir", err)
		}
		cfg.RuntimeDir, host.temp = dir, dir
	}
	e, err := start(ctx, host, cfg)
	if err != nil {
		host.clean()
	}
	return e, err
}

// clean removes what Embed made for the engine.
func (h Host) clean() {
	if h.null != nil {
		_ = h.null.Close()
	}
	if h.temp != "" {
		_ = os.RemoveAll(h.temp)
	}
}

// spawn starts the engine's actors, and waits until they are there.
func (h Host) spawn(e *Engine, t *tree) error {
	parent, name := h.Parent, h.Name
	if h.own {
		parent, name = h.System.Root, rootName
	}
	e.serving.engine, e.serving.tree = e, t
	props := actor.PropsFromProducer(func() actor.Actor { return &engineActor{serving: &e.serving} }, actor.WithSupervisor(treeStrategy(e.emit)))
	pid, err := parent.SpawnNamed(props, name)
	if err != nil {
		return fmt.Errorf("%s: %w: give it another Host.Name", name, err)
	}
	e.pid = pid
	select {
	case <-t.up:
		return nil
	case <-time.After(startWait):
		return fmt.Errorf("the actors under %s were not there after %v", name, startWait)
	}
}
