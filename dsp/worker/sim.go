//go:build sim

package worker

import "github.com/music-chronus/chronus/shm"

// Sim is a worker without its process, for the simulation of the engine.
type Sim struct {
	loop    *loop
	initial shm.InitialStateReader
}

// NewSim attaches what the engine handed over, as a worker process does at its start.
func NewSim(fds []int) (*Sim, error) {
	l, seed, err := attach(fds, "", nil)
	return &Sim{l, seed}, err
}

// BuildPlans runs the plan builder. Call it on its own goroutine when Begin has returned.
func (s *Sim) BuildPlans() { s.loop.builder.run() }

// SetDie replaces the end of the process after a panic. f does not return.
func SetDie(f func(why string)) { die = f }

// Begin waits for the initial state and the order to start.
func (s *Sim) Begin() error {
	err := s.loop.begin(s.initial)
	s.loop.builder.started = true
	return err
}

// Step renders and publishes one block.
func (s *Sim) Step() error { return s.loop.step() }

// Block returns the next block to render.
func (s *Sim) Block() uint64 { return s.loop.n }

// Close unmaps what NewSim mapped. Begin closes the initial state.
func (s *Sim) Close() {
	l := s.loop
	for _, m := range []*shm.Segment{
		l.view.Segment, l.rec.Segment, l.audio.Segment(), l.snap.Segment(), l.builder.plans.Segment(),
	} {
		m.Close()
	}
}
