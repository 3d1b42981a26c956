package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/cmd/chronus/internal/midichild"
	"github.com/music-chronus/chronus/cmd/chronus/internal/patchfile"
	"github.com/music-chronus/chronus/osc/server"
	"github.com/music-chronus/chronus/shm/sys"
)

// engineFlags describe the engine to start.
type engineFlags struct {
	engineFlag
	samplesFlag
	Patch    string        `help:"Patch file, or the name of a preset; default: sine1 > adsr1 > filter1." placeholder:"FILE"`
	OSC      string        `name:"osc" help:"Address for OSC by UDP, TCP and WebSocket; none: no OSC." default:"127.0.0.1:5005" placeholder:"HOST:PORT"`
	OSCAllow []string      `name:"osc-allow" help:"Networks of other machines that may play, like 192.168.1.0/24." placeholder:"NETWORK,..."`
	OSCToken string        `name:"osc-token-file" help:"File with a token; other machines that send it with /auth may do more than play." placeholder:"FILE"`
	OSCQuery string        `name:"oscquery" help:"Address for OSCQuery, which lists the OSC addresses; none: no OSCQuery; default: 80 above OSC's port." placeholder:"HOST:PORT"`
	MDNS     bool          `name:"mdns" help:"Announce the engine by mDNS if other machines may play." default:"true" negatable:""`
	Backend  string        `help:"auto, jack, portaudio, null, file, or pipe; auto chooses the best path that exists: see chronus devices." default:"auto"`
	Device   string        `help:"Device, as chronus devices lists it; for file: the WAV file, fast:FILE for faster than real time." placeholder:"NAME"`
	Fallback []string      `help:"Devices to play on while the preferred one cannot be opened, as BACKEND or BACKEND:DEVICE; without them an engine without its device does not start." placeholder:"TARGET,..."`
	Rate     int           `help:"Sample rate." default:"48000" placeholder:"HZ"`
	Period   int           `help:"Frames that the device plays at a time; 0: its own choice." default:"0" placeholder:"FRAMES"`
	Channels int           `help:"Channels rendered, 1 to 64." default:"2" placeholder:"N"`
	Client   string        `name:"client-name" help:"Name in a sound server such as JACK." default:"chronus" placeholder:"NAME"`
	Block    int           `help:"Frames rendered at a time." default:"64" placeholder:"FRAMES"`
	Lead     int           `help:"Blocks that workers render ahead; 0: as the device needs, and more while workers are late." default:"0" placeholder:"BLOCKS"`
	Guard    int           `help:"Lead in blocks below which the callback flips." default:"2" placeholder:"BLOCKS"`
	Replicas int           `help:"Workers, 1 to 8." default:"2" placeholder:"N"`
	Grace    time.Duration `help:"Time for which the sound goes on after the engine process is lost; negative: for ever." default:"60s"`
	Patches  string        `help:"Directory of patches for /patch/load and /patch/save." type:"path" placeholder:"DIR"`
	State    string        `help:"File that the state is saved to; none: no file; default: one for each runtime directory, in the user's state directory." placeholder:"FILE"`
	Resume   bool          `help:"Go on from the saved state: its patch, parameters and time."`
	Fresh    bool          `help:"Do not take over; stop what is running and start anew."`
	Log      string        `help:"debug, info, warn or error." default:"warn" placeholder:"LEVEL"`
}

// config returns the configuration that the flags describe.
func (f engineFlags) config(s streams) (actors.Config, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.Log)); err != nil {
		return actors.Config{}, fmt.Errorf("--log %q: must be debug, info, warn or error", f.Log)
	}
	for _, n := range []struct {
		flag         string
		value, least int
	}{{"--rate", f.Rate, 1}, {"--block", f.Block, 1}, {"--lead", f.Lead, 0}, {"--guard", f.Guard, 1}, {"--replicas", f.Replicas, 1},
		{"--period", f.Period, 0}, {"--channels", f.Channels, 1}} {
		if n.value < n.least {
			return actors.Config{}, fmt.Errorf("%s %d: must be %d or more", n.flag, n.value, n.least)
		}
	}
	c := actors.Config{
		OSC: f.OSC, OSCQuery: f.OSCQuery, NoMDNS: !f.MDNS, Backend: f.Backend, Device: f.Device, Rate: f.Rate,
		Period: f.Period, Channels: f.Channels, ClientName: f.Client, Block: f.Block, Lead: f.Lead, Guard: f.Guard,
		Replicas: f.Replicas, RuntimeDir: f.RuntimeDir, Grace: f.Grace, Fresh: f.Fresh, Samples: f.Samples,
		Patches: f.Patches, Resume: f.Resume,
		Logger: slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: level})),
	}
	var err error
	if c.OSCAllow, err = server.ParseAllow(f.OSCAllow); err != nil {
		return actors.Config{}, fmt.Errorf("--osc-allow: %w", err)
	}
	if f.OSCToken != "" {
		if c.OSCToken, err = server.ReadToken(f.OSCToken); err != nil {
			return actors.Config{}, fmt.Errorf("--osc-token-file: %w", err)
		}
	}
	switch f.State {
	case "":
		c.StateFile = actors.DefaultStateFile(f.RuntimeDir)
	case noState:
	default:
		c.StateFile = f.State
	}
	if f.Resume && f.Patch != "" {
		return actors.Config{}, errors.New("--resume with --patch: --resume goes on with the saved patch; leave one of them out")
	}
	for _, name := range f.Fallback {
		backend, device, _ := strings.Cut(name, ":")
		if backend == "auto" || !slices.ContainsFunc(backends, func(b audio.Backend) bool { return b.Name() == backend }) {
			return actors.Config{}, fmt.Errorf("--fallback %q: the backend must be jack, portaudio, null, file or pipe", name)
		}
		c.Fallback = append(c.Fallback, actors.Target{Backend: backend, Device: device})
	}
	if f.Patch != "" {
		text, err := f.loadPatch(f.Patch)
		if err != nil {
			return actors.Config{}, fmt.Errorf("--patch: %w", err)
		}
		c.Patch, c.PatchName = text, f.Patch
	}
	return c, nil
}

// noState as --state means that no state is saved.
const noState = "none"

type upCmd struct {
	engineFlags
	remoteFlags
	MIDI  string `name:"midi" help:"MIDI input that plays the engine, in a process of its own: auto, or a name as chronus midi takes it." placeholder:"NAME"`
	Watch bool   `help:"Play the patch file again whenever it is saved." default:"true" negatable:""`
}

// respondSoon makes this process answer soon on a busy machine. Its nice value puts it before
// programs that compute. With 4 threads, goroutines run even while others compute. The collector
// runs less often: a flood of messages makes 50 MB of garbage a second. GOMAXPROCS and GOGC in the
// environment take precedence. A process that may not lower its nice value plays all the same.
func respondSoon() {
	_ = sys.ProcessNice(sys.NiceEngine)
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(max(4, runtime.GOMAXPROCS(0)))
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}

// Run starts an engine and waits for a signal, or for chronus down.
func (u *upCmd) Run(s streams) error {
	cfg, err := u.config(s)
	if err != nil {
		return err
	}
	if u.MIDI != "" && u.OSC == noOSC {
		return errors.New("--midi with --osc none: MIDI plays by OSC; leave one of them out")
	}
	respondSoon()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	signal.Ignore(syscall.SIGPIPE) // a closed terminal must not end the sound
	e, at, down, err := u.start(ctx, cfg)
	if err != nil {
		return err
	}
	st, err := e.Status(ctx)
	if err == nil {
		fmt.Fprintln(s.out, statusLine(st))
		if st.Unheard {
			fmt.Fprintln(s.out, unheardLine(st))
		}
	}
	if at != "" {
		fmt.Fprintln(s.out, "chronus can be watched and played at", at)
	}
	var watching sync.WaitGroup
	watch, unwatch := context.WithCancel(ctx)
	if _, err := os.Stat(u.Patch); u.Watch && u.Patch != "" && err == nil {
		watching.Go(func() { patchfile.Watch(watch, e, u.store(), u.Patch, s.err) })
	}
	if u.MIDI != "" {
		watching.Go(func() { midichild.Keep(watch, u.MIDI, u.RuntimeDir, s.err) })
	}
	select {
	case <-ctx.Done():
	case <-e.Down():
	}
	unwatch()
	watching.Wait()
	down()
	return nil
}

// statusLine describes a running engine in one line.
func statusLine(st actors.Status) string {
	line := fmt.Sprintf("chronus plays %s on %s %q: %d Hz, block %d, lead %d (%.1f ms), %d workers, OSC on %s",
		st.Patch, st.Backend, st.Device, st.Rate, st.Block, st.Lead, st.LatencyMS, len(st.Workers), st.OSC)
	var notes []string
	for _, text := range append([]string{st.Path, st.Advice, st.Note}, st.Warnings...) {
		if text != "" {
			notes = append(notes, text)
		}
	}
	if len(notes) > 0 {
		line += " (" + strings.Join(notes, "; ") + ")"
	}
	return line
}

// unheardLine says that nobody hears the engine, and what to do.
func unheardLine(st actors.Status) string {
	const way = "chronus devices lists what there is"
	if st.Preferred == "auto" {
		return "Nobody hears this: there is no sound device; " + way
	}
	return fmt.Sprintf("Nobody hears this: %s is not there; %s", st.Preferred, way)
}
