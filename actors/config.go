package actors

import (
	"log/slog"
	"net/netip"
	"os"
	"time"

	"github.com/music-chronus/chronus/actors/internal/frontend"
	"github.com/music-chronus/chronus/actors/internal/launch"
	"github.com/music-chronus/chronus/actors/internal/output"
	"github.com/music-chronus/chronus/actors/internal/resources"
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/samples"
	"github.com/music-chronus/chronus/osc/server"
	"github.com/music-chronus/chronus/shm/wire"
)

// Config describes the engine to start. The zero value of a field means its default. "Embedded"
// gives the default of an engine that Embed starts.
type Config struct {
	Patch     []byte // text, with sums for files: see samples.Store.Load; default: dsp/patch's own
	PatchName string // for messages
	Samples   string // folder of the samples that patches name; default: samples.DefaultDir

	OSC      string         // host:port, UDP and TCP; default 127.0.0.1:5005; "none", embedded default: no OSC
	OSCAllow []netip.Prefix // other machines that may play; needed if OSC listens for other machines
	OSCToken string         // token that they send by /auth for more than playing; "": refuse
	OSCQuery string         // host:port of OSCQuery; default: 80 above OSC's port; "none": no OSCQuery
	NoMDNS   bool           // do not announce the OSC server by mDNS

	Backend string // name of an audio backend; default "auto"
	Device  string // the backend's name for the device; default: the backend's default device
	// Fallback lists devices to play on while Device cannot be opened. After Device has played once,
	// the null backend is the last of them.
	Fallback []Target
	Rate     int // Hz; default 48,000
	Block    int // frames, 16 to 4,096; default 64
	Channels int // 1 to 64; default 2
	// Period is the number of frames that the device takes at a time. 0: the device's own choice. An
	// engine does not start on a device that refuses the period.
	Period     int
	ClientName string // name in a sound server, at most 32 bytes without ':'; default "chronus"
	// Lead is the fixed number of blocks that workers render ahead. 0: what the device needs,
	// 2*ceil(Period/Block) + Guard, and more while workers are late.
	Lead     int
	Guard    int // blocks, 1 to Lead-1; default 2
	Replicas int // workers, 1 to 8; default 2

	Patches    string        // only folder that /patch/load and /patch/save reach; "": presets only
	RuntimeDir string        // folder of the lock and the sockets; made if missing
	Grace      time.Duration // time that the sound outlives its engine; default 60 s, negative: for ever
	StateFile  string        // file of the saved state, for Resume; "": do not save
	// Resume continues from the state in StateFile, with its patch. An engine whose sound still plays
	// is taken over nevertheless.
	Resume bool
	Fresh  bool         // end the processes that a lost engine left playing, instead of taking them over
	Logger *slog.Logger // default: slog's, embedded: none

	// Modules adds modules for patches to those of dsp/module. The workers need the same ones: see
	// worker.With.
	Modules []*dsp.Desc
	Binary  string   // program of the child processes, which calls RunChild first; default: this one
	Output  *os.File // output of the child processes; default: standard error, embedded: none
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
	setString := func(p *string, v string) {
		if *p == "" {
			*p = v
		}
	}
	setInt(&c.Rate, 48000)
	setInt(&c.Block, 64)
	setInt(&c.Channels, 2)
	setInt(&c.Guard, 2)
	setInt(&c.Replicas, 2)
	setString(&c.OSC, "127.0.0.1:5005")
	setString(&c.Samples, samples.DefaultDir())
	setString(&c.Backend, output.AutoBackend)
	setString(&c.ClientName, "chronus")
	setString(&c.Binary, launch.Self)
	if c.Patch == nil {
		c.Patch, c.PatchName = patch.Default(), "default"
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
	if c.Output == nil {
		c.Output = os.Stderr
	}
	return c
}

// resources converts c to the form of package resources.
func (c Config) resources() resources.Config {
	var fallback []wire.Target
	for _, t := range c.Fallback {
		fallback = append(fallback, wire.Target{Backend: t.Backend, Device: t.Device})
	}
	return resources.Config{
		Patch: c.Patch, PatchName: c.PatchName, Samples: c.Samples, Patches: c.Patches, Modules: c.Modules,
		Rate: c.Rate, Block: c.Block, Channels: c.Channels, Replicas: c.Replicas, Lead: c.Lead, Guard: c.Guard,
		Device: wire.Target{Backend: c.Backend, Device: c.Device}, Fallback: fallback,
		Period: c.Period, ClientName: c.ClientName,
		RuntimeDir: c.RuntimeDir, StateFile: c.StateFile, Resume: c.Resume, Fresh: c.Fresh, Grace: c.Grace,
		Frontend: frontend.Config{
			OSC: c.OSC, Access: server.Access{Allow: c.OSCAllow, Token: c.OSCToken},
			OSCQuery: c.OSCQuery, NoMDNS: c.NoMDNS,
		},
		Program: launch.Program{Binary: c.Binary, Output: c.Output}, Logger: c.Logger,
	}
}
