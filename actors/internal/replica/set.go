package replica

import (
	"errors"
	"os"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/fault"
	"github.com/music-chronus/chronus/actors/internal/launch"
	"github.com/music-chronus/chronus/actors/internal/memory"
	"github.com/music-chronus/chronus/actors/internal/meter"
	"github.com/music-chronus/chronus/actors/internal/plans"
	"github.com/music-chronus/chronus/actors/internal/recorder"
	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/actors/internal/timing"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// ErrStopped says that the engine has been stopped.
var ErrStopped = errors.New("the engine has been stopped")

// Config says what workers to run.
type Config struct {
	Geometry   shm.Geometry  // Slots is the number of workers
	Lead       int           // blocks, fixed; 0: what the device needs
	PatchName  string        // for messages
	Modules    []*dsp.Desc   // that patches may have besides those of dsp/module
	Samples    string        // folder of the samples that patches name
	RuntimeDir string        // for messages
	Resume     bool          // take over whatever patch plays
	Grace      time.Duration // how long the sound goes on without an engine; 0: for ever
	Timeouts   timing.Timeouts

	// Spawn starts a worker's process with the given descriptors as its 3, 4, ...
	Spawn func(files []int) (sys.Process, error)
}

// Set is the workers of an engine. All methods may be called from any goroutine.
type Set struct {
	cfg   Config
	mem   memory.Memory
	obs   Observer
	out   Output
	meter *meter.Meter // nil: nothing is measured
	pool  *launch.Pool

	mu           sync.Mutex // guards everything below; attaching a ring, entering commands and noting a death exclude each other
	slots        slots.List
	log          commandlog.Log
	checkpoint   checkpoint
	plans        *plans.Registry
	fault        *fault.Tracker
	failovers    fault.History
	diverged     uint64 // workers that were replaced because their sound differed
	divergence   *divergence
	restarts     []recorder.Restart // of all workers with another patch, for tapes
	life         life
	active       shm.Active // as last seen
	flipEpoch    uint64     // of the last flip that was asked for
	changeDoneAt uint64     // the block before which the last patch change is not over
	lastTick     time.Time
	sound        meter.SoundReport
	lead         meter.LeadReport
	isStopped    func(*slots.Slot) bool // its process was stopped by a signal

	tapes sync.WaitGroup // that are being written
	quit  chan struct{}  // closed when stopping begins
}

// life is the life cycle of a Set.
type life struct {
	playing  bool           // Observer.Playing has been called, or is about to be
	stopping bool           // nothing is started any more
	closed   bool           // the segments are unmapped
	tookOver bool           // the workers were another engine's
	news     []report.Event // to be reported once the Observer's owner is ready
	fallback string         // why another patch plays than was requested; "": it does not
	silent   string         // why no worker is started any more; "": they are
}

// newSet returns a Set without slots.
func newSet(cfg Config, mem memory.Memory, out Output, obs Observer) *Set {
	c := plans.Compiler{Name: cfg.PatchName, Geometry: mem.Geometry, Modules: cfg.Modules}
	return &Set{
		cfg: cfg, mem: mem, out: out, obs: obs,
		plans: plans.NewRegistry(c, mem.Plans), fault: fault.New(),
		pool:      &launch.Pool{Spawn: cfg.Spawn, StopWait: cfg.Timeouts.Stop},
		isStopped: func(s *slots.Slot) bool { return sys.Stopped(s.Process.PID) },
		quit:      make(chan struct{}),
	}
}

// New returns a Set that begins with a patch, in new segments. If it returns an error, the caller
// closes mem; else Set.Close does.
func New(cfg Config, mem memory.Memory, text []byte, out Output, obs Observer) (*Set, error) {
	r := newSet(cfg, mem, out, obs)
	if err := r.begin(cfg.PatchName, text); err != nil {
		return nil, err
	}
	if err := mem.Checkpoints.Put(r.checkpoint.last); err != nil {
		return nil, err
	}
	for i := range int(mem.Geometry.Slots) {
		r.slots = append(r.slots, &slots.Slot{Number: i})
	}
	r.active = mem.Control.Active()
	r.register()
	return r, nil
}

// register makes this process the engine that the other processes watch.
func (r *Set) register() {
	r.mem.Control.SetEngine(os.Getpid())
	r.mem.Control.SetGrace(r.cfg.Grace)
}

// begin makes a patch the first that plays.
func (r *Set) begin(name string, text []byte) error {
	plan, err := r.plans.Compile(name, text)
	if err != nil {
		return err
	}
	v, err := r.addPlan(name, text, plan)
	if err != nil {
		return err
	}
	r.checkpoint.last = shm.Checkpoint{State: shm.State{Plan: v.Number}, Text: text, Origin: xxhash.Sum64(text)}
	r.setCurrent(v)
	return nil
}

// Resume makes a Set that has not begun go on from a state that an engine saved at a time.
func (r *Set) Resume(block, seq uint64, state []byte, saved time.Time) error {
	r.checkpoint.last.State = shm.State{Block: block, Seq: seq, Plan: r.plans.Current().Number, Bytes: state}
	r.log.Restore(seq, nil)
	r.mem.Control.BeginAt(block, seq)
	r.life.news = append(r.life.news, report.Resumed{Block: block, Saved: saved})
	return r.mem.Checkpoints.Put(r.checkpoint.last)
}

// Measure gives the Set a Meter to feed, before the first worker starts.
func (r *Set) Measure(m *meter.Meter) { r.meter = m }

// SetLastGood sets the patch to fall back to that an engine before this one had saved.
func (r *Set) SetLastGood(text []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plans.SetLastGood(text)
}

// Slots returns the number of slots.
func (r *Set) Slots() int { return len(r.slots) }

// Clock returns the next block to be played.
func (r *Set) Clock() uint64 { return r.mem.Control.Clock() }

// TookOver reports whether the workers were another engine's.
func (r *Set) TookOver() bool { return r.life.tookOver }

// News returns the events that happened before the Observer's owner was ready.
func (r *Set) News() []report.Event { return r.life.news }

// Current returns the number, the name and the text of the patch that plays.
func (r *Set) Current() (number uint64, name string, text []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.plans.Current()
	return v.Number, v.Name, v.Text
}

// Commands returns the commands since the last checkpoint.
func (r *Set) Commands() []shm.Command {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Commands()
}

// Close unmaps everything. No process may live, and Fade must have ended the tapes.
func (r *Set) Close() {
	r.tapes.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.life.closed = true
	for _, s := range r.slots {
		s.Release()
		launch.CloseSegment(&s.Ring)
	}
	r.mem.Close()
}
