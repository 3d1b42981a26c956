package actors

import (
	"fmt"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// rig is the machinery that the actors operate: the segments, the processes, the command
// log. It lies outside the actors so that one which panics is restarted and finds everything
// still running. The watcher (watch.go) keeps it true from moment to moment; the
// actors decide what is started and when.
type rig struct {
	cfg     Config
	geo     shm.Geometry
	control shm.Control
	journal shm.Journal
	plans   shm.PlanStore
	store   shm.CheckpointStore
	emit    func(Event)

	// mu: attaching a ring, broadcasting a command and noting a death exclude each other.
	mu         sync.Mutex
	slots      []*slot
	audio      audioProcess
	audioGen   uint64       // counts the audio processes
	next       audioProcess // that has been started to take over from it, or not: see succession.go
	nextAt     time.Time    // when that last began or ended
	spareAudio audioProcess // that waits to be told what to open
	wiring     *wire.Wiring // how the device's ports were connected last; nil: unknown
	spareAt    time.Time    // when that was last started, or ended
	hadFirst   bool         // the preferred device has played
	path       soundPath    // that auto has found
	spare      *spareWorker // started, without a place; nil: none
	stocking   bool         // one is being started
	log        commandlog.Log
	kept       shm.Checkpoint // the last snapshot and its patch, from which all can begin again
	keeping    ask
	trimmed    struct { // the last time that the log was trimmed, and the kept state of that time
		at   time.Time
		kept uint64
	}
	history     history
	stopping    bool
	quit        chan struct{}  // closed when stopping begins
	closed      bool           // the segments are gone
	tapes       sync.WaitGroup // that are being written
	active      shm.Active     // as last seen by the watcher
	looked      time.Time      // when the watcher last did
	ended       func(corpse)   // tells the actors
	doubt       *doubt         // nil: none
	mismatches  uint64         // workers that were replaced since their sound was wrong
	poison      poison
	isStopped   func(*slot) bool // its process was stopped by a signal
	changes     []change         // of the patch, all at once, for tapes
	failed      map[uint64]bool  // patches that have ended workers, by hash
	keepSoon    bool             // a snapshot is wanted before it is time
	lastGood    []byte           // the patch that played before the one asked for; nil: none is known
	stepped     string           // why another patch plays than was asked for; "": it does not
	silent      string           // why no worker is started any more; "": they are
	sound       soundNews
	leadNews    leadNews
	sampleClock func() // called at each look of the watcher; nil: nobody asks for the time
	meter       *meter // nil: nothing is measured
	asked       uint64 // epoch of the last flip that was asked for

	present   *planned
	planned   map[uint64]*planned // by number: the present one, and those that commands or states are of
	lastPlan  uint64              // the highest number given
	settles   uint64              // the block before which the last change is not over
	changing  chan struct{}       // has the token of the change that is under way
	replanned func(*planned)
	noted     func(c shm.Command, left bool) // a command has entered, or was left out after all
	valued    func() map[string]float64      // what addresses were set to, if it is not what the patch says

	adopted bool                 // it was another engine's
	news    []Event              // to be told once there is somebody to tell
	plays   bool                 // primed has been called
	primed  func()               // it plays
	enrol   func([]member) error // puts the processes on record; each before it is given anything to do
}

// phase of a slot's process.
type phase int

// empty: none. starting: spawned, not yet let go. joining: catching up. ready: may be named.
const (
	empty phase = iota
	starting
	joining
	ready
)

// String names the phase as status shows it.
func (p phase) String() string { return [...]string{"empty", "starting", "joining", "ready"}[p] }

// slot is the place of one worker, with the process that has it and that process's segments.
// The segments outlive the process until the next one's ring is attached: what it published may
// still be played.
type slot struct {
	number  int
	gen     uint64
	phase   phase
	since   time.Time // of the phase
	proc    sys.Process
	ring    *shm.Segment // the ring that the callback reads
	next    *shm.Segment // the ring of a starting process
	handed  bool         // the audio process was sent the ring
	cmds    shm.CommandWriter
	snap    *shm.Segment
	snaps   shm.SnapshotReader
	asked   uint64 // number of the last snapshot asked of it
	seedSeg *shm.Segment
	seed    shm.InitialStateWriter
	want    ask // the state that it begins from

	lived      bool   // its life has been seen: without, one that has not begun is like one that has ended
	dying      bool   // its life has ended, its process not yet
	detected   int64  // when that was noticed, sys.Monotonic
	epoch      uint64 // of active after it
	flipped    bool   // away from it, by that
	retired    uint64 // published head of the generation before
	retiredGen uint64 // that generation
	refused    uint64 // the last generation whose ring the audio process does not play
	killedAt   int64  // when this program itself killed it, sys.Monotonic; 0: it did not
	condemned  bool   // the engine kills it; commands no longer reach it
	reason     string // of that
	progress   uint64 // head when it last moved
	movedAt    time.Time
	compared   uint64 // hashes are compared up to here
	agreed     int    // blocks found equal
}

// attached tells whether the slot's command ring gets every command.
func (s *slot) attached() bool { return (s.phase == joining || s.phase == ready) && !s.dying }

// see looks whether its process has begun.
func (s *slot) see() { s.lived = s.lived || s.attached() && s.cmds.Liveness().Load() != 0 }

// ask is a request for a snapshot: to whom, which, since when.
type ask struct {
	giver  *slot
	gen    uint64
	number uint64
	since  time.Time
	state  shm.State
	done   bool
}

// bareRig has neither segments nor slots.
func bareRig(cfg Config, geo shm.Geometry, emit func(Event)) *rig {
	return &rig{
		cfg: cfg, geo: geo, emit: emit, quit: make(chan struct{}), planned: map[uint64]*planned{}, changing: make(chan struct{}, 1),
		ended: func(corpse) {}, primed: func() {}, enrol: func([]member) error { return nil }, replanned: func(*planned) {}, noted: func(shm.Command, bool) {}, valued: func() map[string]float64 { return nil },
		isStopped: func(s *slot) bool { return sys.Stopped(s.proc.PID) },
		failed:    map[uint64]bool{}, poison: poison{deaths: map[uint64]int{}},
	}
}

// newRig makes the segments. The caller closes the rig.
func newRig(cfg Config, text []byte, emit func(Event)) (r *rig, err error) {
	geo, err := cfg.geometry()
	if err != nil {
		return nil, err
	}
	r = bareRig(cfg, geo, emit)
	defer func(made *rig) {
		if err != nil {
			made.close()
		}
	}(r)
	if r.control, err = shm.NewControl(geo, max(cfg.Lead, cfg.Guard+1)); err != nil {
		return nil, err
	}
	r.control.RequestLead(cfg.Lead)
	if r.journal, err = shm.NewJournal(geo); err != nil {
		return nil, err
	}
	if r.plans, err = shm.NewPlanStore(geo); err != nil {
		return nil, err
	}
	if r.store, err = shm.NewCheckpointStore(geo); err != nil {
		return nil, err
	}
	if err = r.begin(cfg.PatchName, text); err != nil {
		return nil, err
	}
	if err = r.store.Put(r.kept); err != nil {
		return nil, err
	}
	for i := range cfg.Replicas {
		r.slots = append(r.slots, &slot{number: i})
	}
	r.active = r.control.Active()
	return r, nil
}

// begin makes a patch the first that plays.
func (r *rig) begin(name string, text []byte) error {
	plan, err := r.compile(name, text)
	if err != nil {
		return err
	}
	p, err := r.addPlan(name, text, plan)
	if err != nil {
		return err
	}
	r.kept = shm.Checkpoint{State: shm.State{Plan: p.number}, Text: text, Origin: xxhash.Sum64(text)}
	r.play(p)
	return nil
}

// close unmaps everything. No process may be left, and fade has ended the tapes.
func (r *rig) close() {
	r.tapes.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, s := range r.slots {
		s.release()
		closeSegment(&s.ring)
	}
	for _, s := range []*shm.Segment{r.control.Segment, r.journal.Segment, r.store.Segment, r.plans.Segment} {
		closeSegment(&s)
	}
}

func closeSegment(s **shm.Segment) {
	if *s != nil {
		(*s).Close()
		*s = nil
	}
}

// release closes what only a living process needs.
func (s *slot) release() {
	closeSegment(&s.next)
	closeSegment(&s.snap)
	closeSegment(&s.seedSeg)
}

func (s *slot) enter(p phase, now time.Time) {
	s.phase, s.since, s.movedAt = p, now, now
}

// spawn starts a process in an empty slot. What it begins from is found while it starts.
func (r *rig) spawn(number int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.slots[number]
	if s.phase != empty || r.stopping || r.silent != "" {
		return nil // it has one: whoever asks has been restarted meanwhile
	}
	s.gen++
	if err := r.startProcess(s); err != nil {
		s.release()
		return fmt.Errorf("worker %d: %w", number, err)
	}
	s.asked, s.agreed, s.killedAt, s.condemned, s.reason, s.lived, s.dying, s.flipped = 0, 0, 0, false, "", false, false, false
	s.want = r.askForState(s, nil, time.Now())
	s.enter(starting, time.Now())
	return nil
}

// startProcess makes the segments of the slot's next process and starts it. They are new: no process reads what another left.
func (r *rig) startProcess(s *slot) (err error) {
	if s.next, s.cmds, err = shm.NewSlot(r.geo, s.number, s.gen); err != nil {
		return err
	}
	if s.snap, s.snaps, err = shm.NewSnapshot(r.geo, s.number, s.gen); err != nil {
		return err
	}
	if s.seedSeg, s.seed, err = shm.NewInitialState(r.geo, s.number, s.gen); err != nil {
		return err
	}
	var readOnly [3]int
	for i, seg := range []*shm.Segment{r.control.Segment, r.plans.Segment, s.seedSeg} {
		fd, err := seg.ReadOnlyFD()
		if err != nil {
			return err
		}
		defer func() { _ = sys.CloseFD(fd) }()
		readOnly[i] = fd
	}
	w, err := r.takeSpare()
	if err != nil {
		return err
	}
	defer w.socket.Close()
	err = wire.Send(w.socket, wire.WorkerOrder{Slot: s.number, Samples: r.cfg.Samples},
		readOnly[0], r.journal.FD(), s.next.FD(), s.snap.FD(), readOnly[1], readOnly[2], r.store.FD())
	if err != nil {
		w.discard()
		return err
	}
	s.proc = w.proc
	return nil
}

// kill ends the slot's process; its end comes back through the watcher.
func (s *slot) kill() { _ = s.proc.Signal(killSignal) }
