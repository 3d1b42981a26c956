// Package core holds everything of an engine that lies outside its actors: the workers, the audio
// process, the OSC side, the runtime directory and the saved state. An actor that panics finds all
// of it running.
package core

import (
	"github.com/music-chronus/chronus/actors/internal/frontend"
	"github.com/music-chronus/chronus/actors/internal/launch"
	"github.com/music-chronus/chronus/actors/internal/meter"
	"github.com/music-chronus/chronus/actors/internal/output"
	"github.com/music-chronus/chronus/actors/internal/patching"
	"github.com/music-chronus/chronus/actors/internal/replica"
	"github.com/music-chronus/chronus/actors/internal/runtimedir"
	"github.com/music-chronus/chronus/actors/internal/statefile"
	"github.com/music-chronus/chronus/actors/internal/timing"
	"github.com/music-chronus/chronus/actors/internal/watcher"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm"
)

// Listener receives what happens to a Core. Its methods are called with the Set or the Process
// locked, and on the Watcher's goroutine: they must return soon, and must not call back.
type Listener interface {
	// Event reports something to log, and to send to clients.
	Event(report.Event)
	// Playing reports, once, that the engine plays.
	Playing()
	// WorkerEnded reports that a slot is empty.
	WorkerEnded(replica.Exit)
	// AudioEnded reports the end of the audio process that plays.
	AudioEnded(output.Exit)
}

// Core is the part of an engine that its actors operate.
type Core struct {
	Set      *replica.Set
	Output   *output.Process
	Frontend *frontend.Frontend
	Patcher  *patching.Patcher
	Meter    *meter.Meter
	Warnings []string // what the machine refuses

	cfg       Config
	listener  Listener
	timeouts  timing.Timeouts
	load      meter.Load
	dir       *runtimedir.Dir
	processes runtimedir.ProcessList
	saved     *statefile.State // state that an earlier engine saved; nil: none
	saver     *statefile.Saver // nil: the state is not saved
	sample    func()           // see frontend.StartClock
	watcher   *watcher.Watcher
	prepared  chan struct{} // closed once Set and Output are set
}

// New prepares everything that needs no process, and takes over the processes of an engine that was
// lost in the runtime directory. The caller closes the Core.
func New(cfg Config, listener Listener) (*Core, error) {
	c := &Core{cfg: cfg, listener: listener, timeouts: timing.Default(), prepared: make(chan struct{})}
	if err := c.prepare(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Core) prepare() error {
	geo, err := c.cfg.limits().Geometry()
	if err != nil {
		return err
	}
	if err := c.cfg.Program.Check(); err != nil {
		return err
	}
	if err := c.recall(geo); err != nil {
		return err
	}
	plan, err := c.compile(geo)
	if err != nil {
		return err
	}
	if err := c.lockRuntimeDir(); err != nil {
		return err
	}
	if c.Frontend, err = c.newFrontend(plan); err != nil {
		return err
	}
	if err := c.prepareWorkers(geo); err != nil {
		return err
	}
	if text := c.lastGood(); text != "" {
		c.Set.SetLastGood([]byte(text))
	}
	c.Meter = meter.New(plan)
	c.Set.Measure(c.Meter)
	c.restoreValues()
	if err := c.Frontend.Discover(); err != nil {
		return err
	}
	c.Warnings = launch.Warnings(c.cfg.Logger)
	return nil
}

// compile makes the plan of the patch that the engine starts with.
func (c *Core) compile(geo shm.Geometry) (*patch.Plan, error) {
	p, err := patch.Parse(c.cfg.PatchName, c.cfg.Patch)
	if err != nil {
		return nil, err
	}
	if err := patch.CheckModules(c.cfg.Modules); err != nil {
		return nil, err
	}
	p.Modules = c.cfg.Modules
	return patch.Compile(p, int(geo.Rate), int(geo.Block), int(geo.Channels))
}

func (c *Core) lockRuntimeDir() (err error) {
	if c.cfg.RuntimeDir == "" {
		return errNoRuntimeDir
	}
	c.dir, err = runtimedir.Lock(c.cfg.RuntimeDir, output.MainSocket, output.CandidateSocket, output.SpareSocket)
	return err
}

// StartClock starts the timeline of time tags. It is called before the OSC socket is served.
func (c *Core) StartClock() {
	c.sample = c.Frontend.StartClock(c.cfg.Rate, c.cfg.Block, c.Set.Clock)
}

// Watch starts the goroutines that watch the processes and save the state. It is called once the
// actors can receive.
func (c *Core) Watch() {
	c.watcher = watcher.Start(c.Set, c.sample)
	if c.cfg.StateFile != "" {
		c.saver = statefile.StartSaver(c.cfg.StateFile, c.lastGood(), savedState{c.Set, c})
	}
}

// File returns the path of a file in the runtime directory.
func (c *Core) File(name string) string { return c.dir.File(name) }

// Save saves the state for the last time.
func (c *Core) Save() {
	if c.saver != nil {
		c.Set.AwaitCheckpoint(3 * c.timeouts.Snapshot)
		c.saver.Stop()
	}
}

// Terminate ends every process, and the goroutine that watches them.
func (c *Core) Terminate() {
	c.Set.Terminate()
	if c.watcher != nil {
		c.watcher.Stop()
	}
}

// Close releases what New made, as far as it got. The processes have ended before.
func (c *Core) Close() {
	if c.Frontend != nil {
		c.Frontend.Close()
	}
	if c.Set != nil {
		c.Set.Close()
	}
	if c.dir != nil {
		c.dir.Release()
	}
}
