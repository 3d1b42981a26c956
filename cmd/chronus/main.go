// Command chronus is the engine and its remote control. The command up starts an engine. The other
// commands speak to a running one, or render without one. The program is also its own worker and
// audio process.
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

// backends are in the order in which auto tries them. auto never chooses file and pipe.
var backends = []audio.Backend{
	jack.Backend{}, portaudio.Backend{}, null.Backend{}, file.Backend{}, pipe.Backend{},
}

// cli is the command line.
type cli struct {
	Up      upCmd      `cmd:"" help:"Start an engine and stay in the foreground; Ctrl-C ends it."`
	Down    downCmd    `cmd:"" help:"End a running engine."`
	Status  statusCmd  `cmd:"" help:"Show the state of a running engine."`
	Send    sendCmd    `cmd:"" help:"Send one OSC message and print the reply; exit 1 if it is /fail."`
	OSC     oscCmd     `cmd:"" name:"osc" help:"List, read, set and watch the OSC addresses of a running engine; dump its traffic; make layouts for controllers."`
	MIDI    midiCmd    `cmd:"" name:"midi" help:"Play a running engine with a MIDI input; list inputs; learn controllers."`
	Devices devicesCmd `cmd:"" help:"List the devices that an engine can play on."`
	Render  renderCmd  `cmd:"" help:"Render a patch, or a tape of what an engine played, to a WAV file."`
	Presets presetsCmd `cmd:"" help:"List the patches that come with Chronus, or print one."`
	Schema  schemaCmd  `cmd:"" help:"Print the JSON Schema of patches, for editors."`
	Scope   scopeCmd   `cmd:"" help:"Show a signal of a running engine: level and wave."`
	Monitor monitorCmd `cmd:"" help:"Follow engines on any machines, with their alarms; or send an order to all of them."`
	Tape    tapeCmd    `cmd:"" help:"Record a tape, the decisions behind the sound, until Ctrl-C; render makes the same sound of it."`
	Chaos   chaosCmd   `cmd:"" help:"Kill the active worker of a running engine, or inject other faults, and report what was heard."`
	Demo    demoCmd    `cmd:"" help:"Start an engine, play a phrase, kill the active worker five times, and compare the sound."`
}

func main() {
	actors.RunChild(worker.Main, audio.Main(backends...))
	withPaths(os.Args)
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// streams get a command's output: results go to out, everything else to err.
type streams struct{ out, err io.Writer }

// errQuiet ends the command with exit code 1 and no message: the reason has been printed.
var errQuiet = errors.New("failed")

// run runs one command line and returns the exit code: 0, 1 after a failure, 2 for an invalid
// command line.
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
		return code // help was printed
	}
	if err != nil {
		fmt.Fprintf(errOut, "chronus: %v (chronus --help lists the commands, chronus COMMAND --help their flags)\n", err)
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
