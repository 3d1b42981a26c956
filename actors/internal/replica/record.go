package replica

import (
	"github.com/music-chronus/chronus/actors/internal/memory"
	"github.com/music-chronus/chronus/actors/internal/recorder"
	"github.com/music-chronus/chronus/shm"
)

// BeginTape implements recorder.Source. Close waits for EndTape.
func (r *Set) BeginTape() (from shm.Checkpoint, at recorder.Position, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life.stopping {
		return from, at, ErrStopped
	}
	r.tapes.Add(1)
	from = r.checkpoint.last
	return from, recorder.Position{Seq: from.Seq, Amended: len(r.log.Amended()), Restarts: len(r.restarts)}, nil
}

// EndTape implements recorder.Source.
func (r *Set) EndTape() { r.tapes.Done() }

// TapeNews implements recorder.Source.
func (r *Set) TapeNews(p recorder.Position) (n recorder.News, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n.Amended, n.Restarts = r.log.Amended()[p.Amended:], r.restarts[p.Restarts:]
	if len(n.Restarts) > 0 { // earlier commands have entered, or never will
		p.Seq = max(p.Seq, n.Restarts[len(n.Restarts)-1].At.Seq)
	}
	n.Commands, ok = r.log.After(p.Seq)
	return n, ok
}

// PlanText implements recorder.Source.
func (r *Set) PlanText(number uint64) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.plans.Text(number)
}

// Stopping implements recorder.Source.
func (r *Set) Stopping() <-chan struct{} { return r.quit }

// Memory implements recorder.Source.
func (r *Set) Memory() memory.Memory { return r.mem }
