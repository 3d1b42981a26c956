// Command chronus is the engine and its remote: up starts an engine, the other verbs speak to
// one that runs, or render without one. It is also its own worker and audio process.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/control"
	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/audio/file"
	"github.com/music-chronus/chronus/audio/jack"
	"github.com/music-chronus/chronus/audio/null"
	"github.com/music-chronus/chronus/audio/pipe"
	"github.com/music-chronus/chronus/audio/portaudio"
	"github.com/music-chronus/chronus/dsp/samples"
	"github.com/music-chronus/chronus/dsp/worker"
)

// backends in the order in which auto tries them; file and pipe are never chosen by themselves.
var backends = []audio.Backend{jack.Backend{}, portaudio.Backend{}, null.Backend{}, file.Backend{}, pipe.Backend{}}

// cli is the command line.
type cli struct {
	Up      upCmd      `cmd:"" help:"Start an engine and stay in the foreground; Ctrl-C ends it."`
	Down    downCmd    `cmd:"" help:"End a running engine."`
	Status  statusCmd  `cmd:"" help:"Show the state of a running engine."`
	Send    sendCmd    `cmd:"" help:"Send one OSC message and print the reply; exit 1 if it is /fail."`
	OSC     oscCmd     `cmd:"" name:"osc" help:"List, read, set and watch the addresses of a running engine; show what it is sent; make layouts for controllers."`
	MIDI    midiCmd    `cmd:"" name:"midi" help:"Play a running engine with a MIDI input; list inputs; learn controllers."`
	Devices devicesCmd `cmd:"" help:"List the devices that can be played on."`
	Render  renderCmd  `cmd:"" help:"Render a patch, or a tape of what an engine played, to a WAV file."`
	Presets presetsCmd `cmd:"" help:"List the patches that come with Chronus, or print one."`
	Schema  schemaCmd  `cmd:"" help:"Print the JSON Schema of patches, for editors."`
	Scope   scopeCmd   `cmd:"" help:"Show a signal of a running engine: its level, and its wave."`
	Monitor monitorCmd `cmd:"" help:"Follow engines on any machines: how they are, and what is wrong; or do something to all of them."`
	Tape    tapeCmd    `cmd:"" help:"Write what a running engine plays, as decisions, until Ctrl-C; render gives the same sound."`
	Chaos   chaosCmd   `cmd:"" help:"Kill the active worker of a running engine again and again, and report what was heard."`
	Demo    demoCmd    `cmd:"" help:"Start an engine, play a phrase, kill the active worker five times in it, and compare."`
}

func main() {
	actors.RunChild(worker.Main, audio.Main(backends...))
	withPaths(os.Args)
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// streams are where a verb writes: results to out, everything else to err.
type streams struct{ out, err io.Writer }

// errQuiet ends with exit code 1 and no further word: what was wrong has been printed.
var errQuiet = errors.New("failed")

// run runs one command line and returns the exit code: 0, 1 for a failure, 2 for a wrong command line.
func run(args []string, out, errOut io.Writer) int {
	var c cli
	code := -1
	parser, err := kong.New(&c,
		kong.Name("chronus"),
		kong.Description("The audio engine that never goes silent."),
		kong.UsageOnError(),
		kong.Writers(out, errOut),
		kong.Exit(func(n int) { code = n }),
		kong.Vars{"runtimedir": actors.DefaultRuntimeDir(), "samples": samples.DefaultDir()},
		kong.Bind(streams{out, errOut}),
	)
	if err != nil {
		fmt.Fprintln(errOut, "chronus:", err)
		return 2
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	ctx, err := parser.Parse(negatives(args))
	if code >= 0 {
		return code // help was asked for and given
	}
	if err != nil {
		fmt.Fprintf(errOut, "chronus: %v (chronus --help lists the verbs, chronus VERB --help its flags)\n", err)
		return 2
	}
	err = ctx.Run()
	switch {
	case err == nil:
		return 0
	case errors.Is(err, control.ErrNoEngine):
		fmt.Fprintf(errOut, "chronus: %v: start one with chronus up, or name its --runtime-dir\n", err)
	case !errors.Is(err, errQuiet):
		fmt.Fprintln(errOut, "chronus:", err)
	}
	return 1
}
