//go:build sim

package replica

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"sync/atomic"
)

// simTask is one thread of a simulated process: a coroutine that runs only while it has the baton.
type simTask struct {
	name    string
	next    func() (struct{}, bool)
	stop    func()
	pause   func(struct{}) bool
	word    *atomic.Uint32 // it sleeps while this is val; nil: it does not sleep
	val     uint32
	resting bool // until the next tick
	frozen  bool // by a stop signal
	over    bool // it never gets the baton again
	weight  int
}

// asleep reports whether the task waits for a word that has not changed.
func (t *simTask) asleep() bool { return t.word != nil && t.word.Load() == t.val }

// simSched gives the baton to one task at a time. All chance is drawn from rng, so that the seed is
// the run.
type simSched struct {
	rng     *rand.Rand
	tasks   []*simTask
	running *simTask // nil: the simulation itself, which never yields
	left    int      // accesses until the baton is passed on
	grain   int      // their mean
	spur    int      // one turn in so many a sleeper times out; 0: never
	steps   int      // accesses to shared words
	turns   int      // passes of the baton
	digest  uint64   // of who had it
	failure error    // the first
}

func newSimSched(rng *rand.Rand) *simSched { return &simSched{rng: rng, grain: 1, spur: 50} }

func (s *simSched) fail(format string, args ...any) {
	if s.failure == nil {
		s.failure = fmt.Errorf(format, args...)
	}
}

// oneIn is true once in n times.
func (s *simSched) oneIn(n int) bool { return n > 0 && s.rng.IntN(n) == 0 }

// start adds a task; it begins when it is first given the baton.
func (s *simSched) start(name string, f func()) *simTask {
	t := &simTask{name: name, weight: 1 + s.rng.IntN(4)}
	t.next, t.stop = iter.Pull(func(yield func(struct{}) bool) {
		t.pause = yield
		defer func() {
			if r := recover(); r != nil {
				s.fail("%s: panic: %v\n%s", name, r, debug.Stack())
			}
		}()
		debug.SetPanicOnFault(true) // memory that was unmapped too early
		f()
	})
	s.tasks = append(s.tasks, t)
	return t
}

// yield is interleave.OnYield.
func (s *simSched) yield() {
	if s.running == nil {
		return
	}
	s.steps++
	if s.left--; s.left < 0 {
		s.pass()
	}
}

// sleep is interleave.OnWait: the task goes on once the word is another, or by a time-out.
func (s *simSched) sleep(word *atomic.Uint32, val uint32) {
	s.running.word, s.running.val = word, val
	s.pass()
}

// rest ends the running task's work until the next tick.
func (s *simSched) rest() {
	s.running.resting = true
	s.pass()
}

// pass gives the baton back. A task that is not to have it again ends here, at the run's end.
func (s *simSched) pass() {
	t := s.running
	s.running = nil
	if !t.pause(struct{}{}) {
		runtime.Goexit()
	}
}

// leave ends the running task for good, wherever it is.
func (s *simSched) leave() {
	s.running.over = true
	s.pass()
}

// look lets a task read shared words as the simulation does, without yielding.
func (s *simSched) look(f func()) {
	t := s.running
	s.running = nil
	f()
	s.running = t
}

func (s *simSched) resume(t *simTask) {
	t.word, t.resting = nil, false
	s.running, s.left = t, s.rng.IntN(2*s.grain)
	s.turns++
	for _, c := range []byte(t.name) {
		s.digest = (s.digest ^ uint64(c)) * 1099511628211
	}
	s.digest ^= uint64(s.steps)
	if _, more := t.next(); !more {
		t.over = true
	}
	s.running = nil
}

// turn passes the baton once. Without a task that can run and does not rest, turn returns false.
func (s *simSched) turn() bool {
	var best *simTask
	total := 0
	late := s.oneIn(s.spur)
	for _, t := range s.tasks {
		if t.over || t.frozen || t.resting || !late && t.asleep() {
			continue
		}
		if total += t.weight; s.rng.IntN(total) < t.weight {
			best = t
		}
	}
	if best == nil {
		return false
	}
	s.resume(best)
	return true
}

// tick wakes the tasks that rest.
func (s *simSched) tick() {
	for _, t := range s.tasks {
		t.resting = false
	}
}

// finish lets t go on alone until it rests, so that it holds no lock.
func (s *simSched) finish(t *simTask) {
	for grain := s.grain; !t.over && !t.resting && t.pause != nil; s.grain = grain {
		s.grain = 1 << 20
		s.resume(t)
	}
}

// end unwinds every task.
func (s *simSched) end() {
	s.running = nil
	for _, t := range s.tasks {
		t.end()
	}
}

// end unwinds the task. A goroutine of its own takes the Goexit that comes with it.
func (t *simTask) end() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.stop()
	}()
	<-done
}

// drop forgets tasks that are over.
func (s *simSched) drop(dead ...*simTask) {
	running := s.running
	s.running = nil
	for _, t := range dead {
		t.end()
	}
	s.running = running
	s.tasks = slices.DeleteFunc(s.tasks, func(t *simTask) bool { return slices.Contains(dead, t) })
}

// String lists the tasks that are not over.
func (s *simSched) String() string {
	text := ""
	for _, t := range s.tasks {
		if !t.over {
			text += fmt.Sprintf("\n  %s: asleep %t, resting %t, frozen %t", t.name, t.asleep(), t.resting, t.frozen)
		}
	}
	return text
}
