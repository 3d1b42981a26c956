// Package resources holds the parts of an engine that lie outside its actors: the workers, the
// audio process, the OSC side, the runtime directory and the saved state. An actor that panics and
// restarts finds all of them running.
package resources

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

// Listener receives events of the workers and of the audio process. Its methods may be called with
// the Set or the Process locked, and on the Watcher's goroutine. They must return soon, and must
// not call back.
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

// Resources are the parts of an engine that its actors operate.
type Resources struct {
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
// lost in the runtime directory. The caller closes the Resources.
func New(cfg Config, listener Listener) (*Resources, error) {
	r := &Resources{cfg: cfg, listener: listener, timeouts: timing.Default(), prepared: make(chan struct{})}
	if err := r.prepare(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Resources) prepare() error {
	geo, err := r.cfg.limits().Geometry()
	if err != nil {
		return err
	}
	if err := r.cfg.Program.Check(); err != nil {
		return err
	}
	if err := r.recall(geo); err != nil {
		return err
	}
	plan, err := r.compile(geo)
	if err != nil {
		return err
	}
	if err := r.lockRuntimeDir(); err != nil {
		return err
	}
	if r.Frontend, err = r.newFrontend(plan); err != nil {
		return err
	}
	if err := r.prepareWorkers(geo); err != nil {
		return err
	}
	if text := r.lastGood(); text != "" {
		r.Set.SetLastGood([]byte(text))
	}
	r.Meter = meter.New(plan)
	r.Set.Measure(r.Meter)
	r.restoreValues()
	if err := r.Frontend.Discover(); err != nil {
		return err
	}
	r.Warnings = launch.Warnings(r.cfg.Logger)
	return nil
}

// compile makes the plan of the patch that the engine starts with.
func (r *Resources) compile(geo shm.Geometry) (*patch.Plan, error) {
	p, err := patch.Parse(r.cfg.PatchName, r.cfg.Patch)
	if err != nil {
		return nil, err
	}
	if err := patch.CheckModules(r.cfg.Modules); err != nil {
		return nil, err
	}
	p.Modules = r.cfg.Modules
	return patch.Compile(p, int(geo.Rate), int(geo.Block), int(geo.Channels))
}

func (r *Resources) lockRuntimeDir() (err error) {
	if r.cfg.RuntimeDir == "" {
		return errNoRuntimeDir
	}
	r.dir, err = runtimedir.Lock(r.cfg.RuntimeDir, output.MainSocket, output.CandidateSocket, output.SpareSocket)
	return err
}

// StartClock starts the timeline of time tags. It is called before the OSC socket is served.
func (r *Resources) StartClock() {
	r.sample = r.Frontend.StartClock(r.cfg.Rate, r.cfg.Block, r.Set.Clock)
}

// Watch starts the goroutines that watch the processes and save the state. It is called once the
// actors can receive.
func (r *Resources) Watch() {
	r.watcher = watcher.Start(r.Set, r.sample)
	if r.cfg.StateFile != "" {
		r.saver = statefile.StartSaver(r.cfg.StateFile, r.lastGood(), savedState{r.Set, r})
	}
}

// File returns the path of a file in the runtime directory.
func (r *Resources) File(name string) string { return r.dir.File(name) }

// Save saves the state for the last time.
func (r *Resources) Save() {
	if r.saver != nil {
		r.Set.AwaitCheckpoint(3 * r.timeouts.Snapshot)
		r.saver.Stop()
	}
}

// Terminate ends every process, and the goroutine that watches them.
func (r *Resources) Terminate() {
	r.Set.Terminate()
	if r.watcher != nil {
		r.watcher.Stop()
	}
}

// Close releases what New made, as far as it got. The processes have ended before.
func (r *Resources) Close() {
	if r.Frontend != nil {
		r.Frontend.Close()
	}
	if r.Set != nil {
		r.Set.Close()
	}
	if r.dir != nil {
		r.dir.Release()
	}
}
