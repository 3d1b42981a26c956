package fault

import (
	"fmt"

	"github.com/music-chronus/chronus/shm"
)

// The limits after which the patch is abandoned.
const (
	maxRestarts      = 4 // ends of all workers by one block
	maxStartupDeaths = 8 // ends of all workers in a row before one was ready
	maxLoadFailures  = 3 // workers in a row that cannot load the patch, for each replica
)

// Tracker remembers the blocks that crash workers, and counts restarts.
type Tracker struct {
	unresolved    []Crash        // by their own fault, in blocks that no worker has published since
	deaths        map[uint64]int // by own fault, for each block
	restarts      int            // ends of all workers by a block, since sound last went on for a second
	lastCommon    uint64         // the block at which all workers had ended
	startupDeaths int            // ends of all workers in a row, without a ready worker between
	loadFailures  int            // workers in a row that could not load the patch
	head          uint64         // the highest block that a worker has published, plus one
}

// New returns a Tracker that knows of no crash.
func New() *Tracker { return &Tracker{deaths: map[uint64]int{}} }

// Reset forgets all crashes: another patch plays.
func (t *Tracker) Reset() { *t = Tracker{deaths: map[uint64]int{}, head: t.head} }

// Published raises Head to the head of a worker. A worker that starts again from a checkpoint
// lowers its own head, not this one.
func (t *Tracker) Published(head uint64) { t.head = max(t.head, head) }

// Head returns the highest block that a worker has published, plus one.
func (t *Tracker) Head() uint64 { return t.head }

// WorkerReady ends a row of startup deaths.
func (t *Tracker) WorkerReady() { t.startupDeaths, t.loadFailures = 0, 0 }

// Forgive forgets the counts that lead to FallBack. Tests call it, since their runs are
// shorter than the time after which a Tracker forgives.
func (t *Tracker) Forgive() { t.restarts, t.startupDeaths = 0, 0 }

// Exhaust makes the next end of all workers a FallBack. Tests call it.
func (t *Tracker) Exhaust() { t.startupDeaths = maxStartupDeaths }

// Workers is what a Tracker must know of the other workers.
type Workers struct {
	Replicas int        // slots of the engine
	Living   int        // workers that may still publish: condemned ones too
	Ready    func() int // workers with their ready bit
}

// WorkerEnded records the end of a worker and returns Restart, KillAll, Escalate or FallBack.
func (t *Tracker) WorkerEnded(c Crash, w Workers) Action {
	switch {
	case c.OwnFault:
		t.unresolved = append(t.unresolved, c)
		t.deaths[c.Block]++
	case c.NoLoad:
		if t.loadFailures++; t.loadFailures >= maxLoadFailures*w.Replicas && w.Ready() == 0 {
			return FallBack{fmt.Sprintf("%d workers in a row could not load the patch", t.loadFailures)}
		}
	}
	switch {
	case w.Living == 0 && !c.NoLoad:
		return Escalate{}
	case c.OwnFault && t.deaths[c.Block] > w.Replicas && t.head <= c.Block:
		return KillAll{c.Block}
	}
	return Restart{}
}

// AllEnded returns how to go on when no worker is left: Restart, Quarantine or FallBack. clock is
// the next block to be played.
func (t *Tracker) AllEnded(clock func() uint64) Action {
	culprit := Crash{Node: -1}
	for _, c := range t.unresolved {
		if c.Block >= clock() && c.Block >= t.head && (!culprit.OwnFault || c.Block > culprit.Block) {
			culprit = c
		}
	}
	t.startupDeaths++
	if culprit.OwnFault {
		t.restarts++
	}
	t.lastCommon = max(t.head, clock())
	t.unresolved = t.unresolved[:0]
	switch {
	case culprit.OwnFault && t.restarts > maxRestarts:
		return FallBack{fmt.Sprintf("block %d crashes every worker, whatever is left out", culprit.Block)}
	case t.startupDeaths > maxStartupDeaths:
		return FallBack{fmt.Sprintf("%d times in a row, all workers ended before one was ready", t.startupDeaths)}
	case culprit.OwnFault:
		return Quarantine{culprit}
	}
	return Restart{}
}

// NothingToQuarantine returns what to do instead of a Quarantine when no command entered with the
// block: Restart, Bypass or FallBack.
func (t *Tracker) NothingToQuarantine(c Crash) Action {
	switch {
	case t.deaths[c.Block] < 2: // one crash proves nothing: the others may have ended of something else
		return Restart{}
	case c.Node > 0:
		delete(t.deaths, c.Block)
		return Bypass{c}
	}
	return FallBack{fmt.Sprintf("block %d crashes every worker, and no node is to blame", c.Block)}
}

// Unresolved reports whether a worker crashed in a block that the others have not published yet. A
// worker that joined now would crash in it as well, so that never all of them had ended.
func (t *Tracker) Unresolved() bool {
	for _, c := range t.unresolved {
		if c.Block >= t.head {
			return true
		}
	}
	return false
}

// Resolve forgets the crashes in blocks below before that a worker has rendered since, and calls
// leftOut for those whose block leaves commands out.
func (t *Tracker) Resolve(before uint64, decision func(block uint64) (shm.Decision, bool), leftOut func(Crash, shm.Decision)) {
	open := t.unresolved[:0]
	for _, c := range t.unresolved {
		d, ok := decision(c.Block)
		switch {
		case c.Block >= before:
			open = append(open, c)
		case ok && d.Skip():
			leftOut(c, d)
		case t.head <= c.Block:
			open = append(open, c)
		}
	}
	t.unresolved = open
}

// Tick forgets the restarts once sound has gone on for a second, and the deaths in blocks that a
// worker has published since. second is the number of blocks in one.
func (t *Tracker) Tick(clock func() uint64, second uint64) {
	if t.restarts > 0 && clock() > t.lastCommon+second {
		t.restarts = 0
	}
	for n := range t.deaths {
		if n < t.head {
			delete(t.deaths, n)
		}
	}
}
