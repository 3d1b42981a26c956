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
	"github.com/music-chronus/chronus/actors/internal/launch"
)

// Host is the place of an engine among the actors of a program.
type Host struct {
	// System is the program's actor system. Start its remote, if it has one, before the engine: the
	// remote changes every address.
	System *actor.ActorSystem
	Parent actor.SpawnerContext // parent of the engine's actor; nil: the system's root
	Name   string               // name of the engine's actor, unique under Parent; default "chronus"

	own  bool     // the system was made for the engine
	null *os.File // file that Embed opened for the engine; nil: none
	temp string   // folder that Embed made for the engine; "": none
}

// Embed starts an engine among the actors of a program, and returns once it plays. The caller stops
// the engine, or the engine ends with its parent. No panic in the engine's actors reaches the
// program's.
//
// Embed uses no default that two engines in one program could not share. Without Config.OSC, the
// engine does not listen for OSC. Without Config.RuntimeDir, it has a folder of its own, which is
// removed with it. Without Config.Logger and Config.Output, it reports only by [EngineEvent] on the
// system's event stream.
//
// If Parent is an actor's context, call Embed in that actor's Receive. The actor is busy until the
// engine plays.
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

// RunChild runs a worker or the audio process if this program was started as one, and then never
// returns. Call RunChild first in main: an engine starts its own program again as its child
// processes.
//
//	actors.RunChild(worker.Main, audio.Main(jack.Backend{}, portaudio.Backend{}, null.Backend{}))
func RunChild(worker, audio func() int) { launch.Run(worker, audio) }

// clean removes what Embed made for the engine.
func (h Host) clean() {
	if h.null != nil {
		_ = h.null.Close()
	}
	if h.temp != "" {
		_ = os.RemoveAll(h.temp)
	}
}

// spawn starts the engine's actors, and waits until all of them run.
func (h Host) spawn(e *Engine, t *tree) error {
	parent, name := h.Parent, h.Name
	if h.own {
		parent, name = h.System.Root, rootName
	}
	e.serving.engine, e.serving.tree = e, t
	props := actor.PropsFromProducer(func() actor.Actor { return &engineActor{serving: &e.serving} },
		actor.WithSupervisor(treeStrategy(e.emit)))
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
