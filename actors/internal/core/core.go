// Package core holds everything of an engine that lies outside its actors: the workers, the audio
// process, the OSC side, the runtime directory and the saved state. An actor that panics finds all
// of it running.
package core

import (
	"github.com/music-chronus/chronus/actors/internal/frontend"
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
	"github.com/music-chronus/chronus/shm/sys"
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
	processes *runtimedir.ProcessList
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
	geo, err := c.cfg.geometry()
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
	if c.saved != nil && c.saved.LastGood != "" {
		c.Set.SetLastGood([]byte(c.saved.LastGood))
	}
	c.Meter = meter.New(plan)
	c.Set.Measure(c.Meter)
	c.restoreValues()
	if err := c.Frontend.Discover(); err != nil {
		return err
	}
	c.warn()
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

// warn logs what the machine refuses. The engine runs without it.
func (c *Core) warn() {
	if err := sys.MayFIFO(sys.PriorityDevice); err != nil {
		c.Warnings = append(c.Warnings, "no real-time priority, a busy machine will be heard: "+err.Error())
	}
	if err := sys.MayLock(); err != nil {
		c.Warnings = append(c.Warnings, "pages are not locked, swapping will be heard: "+err.Error())
	}
	for _, w := range c.Warnings {
		c.cfg.Logger.Warn(w)
	}
}

// StartClock starts the timeline of time tags. It is called before the OSC socket is served.
func (c *Core) StartClock() {
	c.sample = c.Frontend.StartClock(c.cfg.Rate, c.cfg.Block, c.Set.Clock)
}

// Watch starts the goroutines that watch the processes and save the state. It is called once the
// actors can receive.
func (c *Core) Watch() {
	c.watcher = watcher.Start(c.Set, c.sample)
	if c.cfg.StateFile == "" {
		return
	}
	lastGood := ""
	if c.saved != nil {
		lastGood = c.saved.LastGood
	}
	c.saver = statefile.StartSaver(c.Set, c.cfg.StateFile, lastGood, c.describe, c.saveFailed("state on disk"))
}

// describe adds to a state the values that the Set does not know.
func (c *Core) describe(s *statefile.State) {
	s.Rate, s.Block, s.Channels = c.cfg.Rate, c.cfg.Block, c.cfg.Channels
	s.Values, s.Muted = c.Frontend.View().Changed(), c.Meter.MutedFrom()
}

// saveFailed returns a function that reports that something could not be saved.
func (c *Core) saveFailed(what string) func(error) {
	return func(err error) { c.listener.Event(report.SaveFailed{What: what, Err: err}) }
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
