//go:build sim

package replica

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/launch"
	"github.com/music-chronus/chronus/actors/internal/memory"
	"github.com/music-chronus/chronus/actors/internal/output"
	"github.com/music-chronus/chronus/actors/internal/plans"
	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/actors/internal/supervise"
	"github.com/music-chronus/chronus/actors/internal/timing"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/worker"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/interleave"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// simWorld is an engine with its workers and its audio process, all in this process. The Set and
// the output are the real ones. The simulation plays the kernel: it starts and ends processes, and
// moves time.
type simWorld struct {
	*simSched
	simCheck
	simPlans
	simEngines
	set        *Set
	out        output.Sim
	now        time.Time
	engine     *simTask
	workers    []*simWorker // of each slot, the present or the last; nil: none yet
	all        []*simWorker
	audio      *simAudio
	players    []*simAudio
	budgets    [shm.MaxSlots]supervise.Backoff
	spawnAt    [shm.MaxSlots]time.Time
	lives      bool // the kernel clears the liveness words of ended processes
	trail      []string
	seenEvents simTrace
	batches    []*simBatch

	pace     time.Duration // of a tick
	period   int           // frames a call, at most
	lead     int           // blocks
	music    int           // commands a tick, at most; 0: none
	trouble  int           // a fault is made one turn in so many; 0: never
	calm     bool          // no more faults
	gentle   bool          // one fault at a time, and a machine that keeps up
	bombs    bool          // commands may be poison
	bomb     uint64        // the last that was
	faults   int
	haste    int // in a run that is not gentle: a tick comes one turn in so many
	ticks    int
	spoiling bool // the ring of the next worker that starts is to be spoiled
	spoils   int  // rings that were
	brokenAt int  // the last tick before which not all was whole
	engineAt int  // the tick at which a stopped engine goes on
}

// newSimWorld draws an engine of two to four workers.
func newSimWorld(seed uint64) (*simWorld, error) {
	rng := rand.New(rand.NewPCG(seed, 0))
	w := &simWorld{simSched: newSimSched(rng), seenEvents: simTrace{xxhash.New()}, now: time.Unix(1e9, 0), workers: make([]*simWorker, shm.MaxSlots)}
	w.gentle = rng.IntN(3) == 0
	w.grain = []int{1, 2, 5, 20}[rng.IntN(4)]
	w.lives = rng.IntN(4) > 0
	w.music = rng.IntN(6)
	w.bombs = rng.IntN(2) == 0
	w.often = []int{0, 10, 50, 200}[rng.IntN(4)]
	w.fates, w.plans = map[uint64]simFate{}, map[uint64]*patch.Plan{}
	w.haste = []int{3, 10, 40, 200}[rng.IntN(4)]
	w.trouble = []int{300, 1000, 3000, 10000}[rng.IntN(4)]
	const block = 16
	w.period = []int{7, block, block, 2 * block, 40}[rng.IntN(5)]
	geo := shm.Geometry{Rate: 8000, Block: block, Channels: 1, Guard: uint32(1 + rng.IntN(3)), Slots: uint32(2 + rng.IntN(3)*rng.IntN(2))}
	w.lead = leadFor(geo, w.period) + rng.IntN(3)
	// A worker is condemned after 200 ms, and a checkpoint is taken each second. Both must be well
	// under a lap of the journal.
	w.pace = time.Duration(10+rng.IntN(20)) * time.Millisecond
	if err := w.build(geo); err != nil {
		return nil, err
	}
	for i := range w.budgets {
		w.budgets[i] = supervise.Backoff{First: 20 * time.Millisecond, Most: 2 * time.Second}
	}
	w.set.pool.Simulate(nil) // or the Set would start a spare process
	w.set.mem.Control.SetEngine(1)
	interleave.OnYield, interleave.OnWait, simTrap = w.yield, w.sleep, w.trap
	simGrave = func() { w.die("") }
	worker.SetDie(w.die)
	w.engine = w.start("engine", w.run)
	return w, nil
}

// leadFor is the lead that a period needs: see actors.Config.
func leadFor(g shm.Geometry, period int) int {
	block := int(g.Block)
	return 2*((period+block-1)/block) + int(g.Guard)
}

// build makes a Set with rings no longer than the lead needs: an engine's are longer. Half of the
// runs have a fixed lead, in the others it changes.
func (w *simWorld) build(geo shm.Geometry) (err error) {
	for geo.Ring = 4; int(geo.Ring) < w.lead; geo.Ring *= 2 {
	}
	var mem memory.Memory
	mem.Geometry = geo
	if mem.Control, err = shm.NewControl(geo, w.lead); err != nil {
		return err
	}
	if w.oneIn(2) {
		mem.Control.RequestLead(w.lead)
	}
	if mem.Journal, err = shm.NewJournal(geo); err != nil {
		return err
	}
	if mem.Plans, err = shm.NewPlanStore(geo); err != nil {
		return err
	}
	checkpoints, err := shm.NewCheckpointStore(geo)
	if err != nil {
		return err
	}
	mem.Checkpoints = &checkpoints
	w.out = w.output(mem)
	r, err := New(w.config(geo, w.lead), mem, []byte(simPatch), simOutput{w.out, w}, simObserver{w})
	if err != nil {
		return err
	}
	w.set = r
	r.isStopped = func(*slots.Slot) bool { return true } // a condemned worker here did nothing wrong
	w.simCheck = simCheck{w: w, panics: map[uint64]bool{}, plan: r.plans.Current().Number}
	w.reference, err = simStream(geo)
	return err
}

func (w *simWorld) config(geo shm.Geometry, lead int) Config {
	return Config{Geometry: geo, Lead: lead, PatchName: "simulation", Grace: time.Minute, Timeouts: timing.Default()}
}

// note puts a line on the trail that a failure prints.
func (w *simWorld) note(format string, args ...any) {
	clock := uint64(0)
	w.look(func() { clock = w.set.mem.Control.Clock() })
	w.trail = append(w.trail, fmt.Sprintf("%7d clock %3d: %s", w.steps, clock, fmt.Sprintf(format, args...)))
}

// told receives the events.
func (w *simWorld) told(e report.Event) {
	w.locked("an event")
	w.note("event: %v", e)
	w.seenEvents.add(e)
	switch e := e.(type) {
	case report.WorkerDiverged:
		w.fail("%v", e)
	case report.WorkerFailed:
		first := w.set.log.Last() + 1 - uint64(w.set.log.Len())
		w.fail("%v; it begins after %d, a snapshot is kept after %d, the log begins with %d", e, w.set.slots[e.Slot].Begin.State.Seq, w.set.checkpoint.last.Seq, first)
	case report.NodeBypassed: // by a command of the Set's own
		for seq := uint64(len(w.commands)) + 1; seq <= w.set.log.Last(); seq++ {
			c, _ := w.set.log.At(seq)
			w.commands = append(w.commands, c)
		}
	case report.WorkerKilled:
		if w.adopting { // the new Set does not know yet that the worker was stopped
			w.panics[w.workers[e.Slot].sim.Block()] = true
		}
		w.kill(w.workers[e.Slot])
	}
}

// run is the engine process: the functions of the Set in any order.
func (w *simWorld) run() {
	w.startAudioSim()
	w.serve()
}

// serve is an engine that has begun.
func (w *simWorld) serve() {
	for {
		w.reap()
		w.hear()
		w.spawnMissing()
		w.play()
		w.replan()
		w.set.fault.Forgive() // a run is shorter than the time after which an engine forgives crashes
		w.set.Tick(w.now)
		w.now = w.now.Add(500 * time.Microsecond)
		if w.calm || w.oneIn(2) {
			w.rest()
		}
	}
}

// reap does what the Watcher does when a pidfd becomes readable.
func (w *simWorld) reap() {
	r := w.set
	w.busy = true
	defer func() { w.busy = false }()
	for _, s := range r.slots {
		if p := w.workers[s.Number]; p != nil && p.reapable && s.Phase != slots.Empty && s.Generation == p.gen {
			r.mu.Lock()
			dead, _ := r.reapWorker(s, w.now)
			r.mu.Unlock()
			w.spawnAt[s.Number] = w.now.Add(w.budgets[s.Number].Ended(!dead.NeverReady))
			w.drop(p.tasks()...)
			p.close()
		}
	}
	if a := w.audio; a.dead {
		r.mu.Lock()
		w.out.End(w.now)
		r.mu.Unlock()
		w.drop(a.call, a.beside)
		a.close()
		w.startAudioSim()
	}
}

// spawnMissing does what the WorkerProxies do, sooner or later.
func (w *simWorld) spawnMissing() {
	for _, s := range w.set.slots {
		if s.Phase != slots.Empty || w.now.Before(w.spawnAt[s.Number]) || !w.calm && w.oneIn(3) {
			continue
		}
		if err := w.spawnSim(s); err != nil {
			w.fail("spawn: %v", err)
		}
	}
}

// spawnSim lets the Set start a process for s, and begins it.
func (w *simWorld) spawnSim(s *slots.Slot) error {
	w.busy = true
	defer func() { w.busy = false }()
	ours, theirs, err := sys.SocketPair()
	if err != nil {
		return err
	}
	defer theirs.Close()
	w.set.pool.Simulate(&launch.Idle{Process: sys.Process{FD: -1}, Socket: ours})
	if err := w.set.StartWorker(s.Number); err != nil {
		return err
	}
	s.Since, s.Progress.At, s.Begin.Since = w.now, w.now, w.now // not the wall clock's
	_, fds, err := wire.Receive[wire.WorkerOrder](theirs)
	if err != nil {
		return err
	}
	w.startWorker(s, fds)
	return nil
}

// play sends a few commands, sometimes more than a ring holds.
func (w *simWorld) play() {
	if w.music == 0 {
		return
	}
	if w.waiting() {
		return
	}
	n := w.rng.IntN(w.music + 1)
	if !w.gentle && w.oneIn(200) {
		n = shm.CommandEntries + 10
	}
	together, batch := w.oneIn(3), []shm.Command(nil)
	for range n {
		// A client may have resolved it with the plan before.
		plan := w.set.plans.Current()
		if was := w.set.plans.Known(plan.Previous); was != nil && !together && w.oneIn(10) {
			plan = was
		}
		node := 1 + w.rng.IntN(len(plan.Plan.Nodes())-1)
		noise := plan.Plan.Nodes()[node].Desc.Gated
		c := shm.Command{Op: shm.OpSet, Node: uint16(node), Param: simValue, Value: float64(w.rng.IntN(1e6))}
		switch {
		case noise && !together && w.bombs && w.oneIn(100) && w.seq >= w.bomb && w.mayHurt():
			c.Param, c.Value = simBomb, 1
		case noise && w.oneIn(4):
			c.Op = shm.OpGate
		}
		if w.oneIn(3) {
			var clock uint64
			w.look(func() { clock = w.set.mem.Control.Clock() })
			c.Frame = clock*uint64(w.set.mem.Geometry.Block) + uint64(w.rng.IntN(200))
		}
		if c.Param == simBomb {
			c.Frame = 0
		}
		if together {
			batch = append(batch, c)
			continue
		}
		w.send(c, plan)
	}
	if len(batch) > 0 && len(batch) <= commandlog.MaxBatch {
		w.sendTogether(batch)
	}
}

// waiting reports whether too many commands are under way: in a gentle run, more than may fill the
// ring of a worker that keeps up.
func (w *simWorld) waiting() bool {
	sent := uint64(len(w.commands))
	for _, s := range w.set.slots {
		if w.gentle && s.Fed() && s.Commands.Room() < shm.CommandEntries/2 {
			return true
		}
	}
	return sent > w.seq+3*shm.CommandEntries
}

// send enters a command that was resolved with a plan.
func (w *simWorld) send(c shm.Command, plan *plans.Version) {
	id, now := plan.Plan.Nodes()[c.Node].ID, w.set.plans.Current()
	want := c
	node := slices.IndexFunc(now.Plan.Nodes(), func(n patch.PlanNode) bool { return n.ID == id })
	want.Node, want.Plan = uint16(node), now.Number
	// A worker may consume the command before enter returns.
	w.commands = append(w.commands, want)
	bomb := w.bomb
	if c.Param == simBomb && c.Op == shm.OpSet {
		w.bomb = uint64(len(w.commands))
	}
	seq, err := w.set.enterOne(c, plan.Number)
	if (err == nil) && node < 0 {
		w.fail("a command for node %q was taken, which plan %d does not have", id, now.Number)
	}
	if err != nil {
		w.commands, w.bomb = w.commands[:len(w.commands)-1], bomb
		return
	}
	if seq != uint64(len(w.commands)) {
		w.fail("command %d was numbered %d", len(w.commands), seq)
	}
	if c.Param == simBomb && c.Op == shm.OpSet {
		w.note("command %d is poison", seq)
		w.faults++
	}
}

// dup is a descriptor of the same file, for an attach that takes it over.
func dup(fd int) int {
	n, err := syscall.Dup(fd)
	if err != nil {
		panic(err)
	}
	return n
}

// close ends the tasks and unmaps everything.
func (w *simWorld) close() {
	w.finish(w.engine)
	w.end()
	interleave.OnYield, interleave.OnWait, simTrap = nil, nil, nil
	for _, p := range w.all {
		p.close()
	}
	for _, a := range w.players {
		a.close()
	}
	if w.failure == nil { // else the engine may hold the lock
		w.set.Close()
		w.closeEngines()
	}
}
