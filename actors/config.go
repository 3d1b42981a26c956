package actors

import (
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"time"

	"github.com/music-chronus/chronus/actors/internal/launch"
	"github.com/music-chronus/chronus/actors/internal/limits"
	"github.com/music-chronus/chronus/actors/internal/output"
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/samples"
)

// Config says what engine to start. The zero value of a field means its default.
type Config struct {
	Patch     []byte // the patch's text, with sums for files: see samples.Store.Load; default: dsp/patch's own
	PatchName string // for messages
	Samples   string // folder of the samples that patches name; default: samples.DefaultDir

	OSC        string         // host:port, of UDP and TCP; default 127.0.0.1:5005, of an embedded engine none; "none": no OSC
	OSCAllow   []netip.Prefix // other machines that may play; needed if the host is not this machine alone
	OSCToken   string         // what they must show by /auth for more than playing; "": nothing lets them
	OSCQuery   string         // host:port where it is told what addresses there are; default: 80 above OSC's port; "none": nowhere
	NoMDNS     bool           // do not tell other machines by mDNS, where they may play
	Backend    string         // "auto" (default), or a backend's name
	Device     string         // the backend's name for it; default: its default device
	Fallback   []Target       // devices to play on while that one cannot be opened; the last resort, once it has played, is null
	Rate       int            // Hz; default 48,000
	Block      int            // frames, 16 to 4,096; default 64
	Channels   int            // 1 to 64; default 2
	Period     int            // frames that the device is to take at a time; 0: its own choice; an engine does not start on one that refuses
	ClientName string         // of the program in a sound server, at most 32 bytes without ':'; default "chronus"
	Lead       int            // blocks, fixed; 0: what the device needs, 2*ceil(period/block) + guard, and more while workers are late
	Guard      int            // blocks, 1 to lead-1; default 2
	Replicas   int            // workers, 1 to 8; default 2
	Patches    string         // the only directory that /patch/load and /patch/save reach; "": none, presets can be loaded
	RuntimeDir string         // of lock and socket; made if missing
	Grace      time.Duration  // how long the sound goes on without an engine; default 60 s, negative: for ever
	StateFile  string         // where the state is saved, for Resume; "": it is not
	Resume     bool           // go on from the state in StateFile, with its patch; what goes on by itself is taken over all the same
	Fresh      bool           // end what an engine that was lost left playing, rather than taking it over
	Logger     *slog.Logger   // default: slog's; of an embedded engine: none

	Modules []*dsp.Desc // that patches may have besides those of dsp/module; the same as the workers' (worker.With)
	Binary  string      // the program to start as worker and audio process: one that calls RunChild first, like chronus; default: this one
	Output  *os.File    // where those print what ended them; default: standard error; of an embedded engine: nowhere
}

// Target is a device of an audio backend.
type Target struct {
	Backend string // name of a backend, or "auto"
	Device  string // the backend's name for the device; "": its default device
}

func (c Config) withDefaults() Config {
	setInt := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	setInt(&c.Rate, 48000)
	setInt(&c.Block, 64)
	setInt(&c.Channels, 2)
	setInt(&c.Guard, 2)
	setInt(&c.Replicas, 2)
	if c.OSC == "" {
		c.OSC = "127.0.0.1:5005"
	}
	if c.Patch == nil {
		c.Patch, c.PatchName = patch.Default(), "default"
	}
	if c.Samples == "" {
		c.Samples = samples.DefaultDir()
	}
	if c.Backend == "" {
		c.Backend = output.AutoBackend
	}
	if c.ClientName == "" {
		c.ClientName = "chronus"
	}
	switch {
	case c.Grace == 0:
		c.Grace = time.Minute
	case c.Grace < 0:
		c.Grace = 0
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Binary == "" {
		c.Binary = launch.Self
	}
	if c.Output == nil {
		c.Output = os.Stderr
	}
	return c
}

// limits has the numbers to check.
func (c Config) limits() limits.Request {
	return limits.Request{
		Rate: c.Rate, Block: c.Block, Channels: c.Channels, Replicas: c.Replicas,
		Lead: c.Lead, Guard: c.Guard, Period: c.Period, ClientName: c.ClientName,
	}
}

var errNoRuntimeDir = errors.New("no runtime directory: give --runtime-dir or set XDG_RUNTIME_DIR")
