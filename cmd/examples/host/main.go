// Command host has actors and a protoactor remote of its own, with two engines among its actors.
// The program opens both engines to other programs. None of them disturbs another.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/asynkron/protoactor-go/actor"
	protoremote "github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/remote"
	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/audio/null"
	"github.com/music-chronus/chronus/dsp/worker"
)

// echo is an actor of the program's own. echo answers other programs too.
func echo(ctx actor.Context) {
	if m, ok := ctx.Message().(*protoremote.ActorPidRequest); ok {
		ctx.Respond(&protoremote.ActorPidResponse{StatusCode: int32(len(m.Name))})
	}
}

func main() {
	actors.RunChild(worker.Main, audio.Main(null.Backend{}))
	dir := flag.String("dir", "", "directory in which the engines' runtime directories are made")
	lead := flag.Int("lead", 0, "blocks that workers render ahead; 0: as the device needs")
	flag.Parse()
	if err := run(*dir, *lead); err != nil {
		log.Fatal(err)
	}
}

// run runs two engines until standard input ends.
func run(dir string, lead int) error {
	quiet := slog.New(slog.DiscardHandler)
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }))
	interceptor := remote.NewInterceptor(system, remote.Operate)
	r := protoremote.NewRemote(system, protoremote.Configure("127.0.0.1", 0,
		protoremote.WithServerOptions(interceptor.ServerOptions()...),
		protoremote.WithDialOptions(append(interceptor.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()))...),
		protoremote.WithEndpointWriterQueueSize(64)))
	r.Start() // before any engine starts, since it changes the address of every actor
	defer r.Shutdown(false)
	if _, err := system.Root.SpawnNamed(actor.PropsFromFunc(echo), "echo"); err != nil {
		return err
	}
	fmt.Println("host at", system.Address())
	for _, name := range []string{"one", "two"} {
		runtime := filepath.Join(dir, name)
		engine, err := actors.Embed(context.Background(), actors.Host{System: system, Name: name},
			actors.Config{Backend: "null", Lead: lead, RuntimeDir: runtime})
		if err != nil {
			return err
		}
		defer engine.Stop()
		if _, err := remote.Open(system, engine.PID(), remote.EndpointOptions{Interceptor: interceptor}); err != nil {
			return err
		}
		fmt.Println("engine", name, "in", runtime)
	}
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
	}
	return nil
}
