//go:build sim

package worker

import "github.com/music-chronus/chronus/shm"

// Sim is what a worker process does, without the process: for the simulation in actors.
type Sim struct {
	loop    *loop
	initial shm.InitialStateReader
}

// NewSim attaches what the engine handed over, as a worker process does at its start.
func NewSim(fds []int) (*Sim, error) {
	l, seed, err := attach(fds, "", nil)
	return &Sim{l, seed}, err
}

// BuildPlans does what the maker's thread does, from when Begin has returned. The caller has a thread of its own for it.
func (s *Sim) BuildPlans() { s.loop.builder.attend() }

// SetDie puts f in the place of the end of the process after a panic. f does not return.
func SetDie(f func(why string)) { die = f }

// Begin waits for the seed and for leave to start.
func (s *Sim) Begin() error {
	err := s.loop.begin(s.initial)
	s.loop.builder.started = true
	return err
}

// Step renders and publishes one block.
func (s *Sim) Step() error { return s.loop.step() }

// Block is the next block to render.
func (s *Sim) Block() uint64 { return s.loop.n }

// Close unmaps what NewSim mapped. The seed is Begin's to close.
func (s *Sim) Close() {
	for _, m := range []*shm.Segment{s.loop.view.Segment, s.loop.rec.Segment, s.loop.audio.Segment(), s.loop.snap.Segment(), s.loop.builder.plans.Segment()} {
		m.Close()
	}
}
