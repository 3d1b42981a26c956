package plans

import (
	"fmt"
	"time"

	"github.com/music-chronus/chronus/shm"
)

// maxDeaths is how many workers may end while they make a plan ready.
const maxDeaths = 3

// Preparer is a worker that can make a plan ready.
type Preparer struct {
	Slot       int
	Generation uint64
	Living     bool // else its words may be unmapped
	Ready      bool // it may become active
	Commands   shm.CommandWriter
}

// Preparation has the workers make a plan ready, one after the other. The zero Preparation has
// asked none.
type Preparation struct {
	asked  bool
	slot   int
	gen    uint64
	since  time.Time
	Deaths int // workers that ended meanwhile
}

// Step asks the next worker that has not made the plan ready, the active one last. done: all living
// workers have, and at least one lives. late, if not negative, is the slot of a worker that took
// longer than limit, and that the caller must kill. An error ends the preparation.
func (p *Preparation) Step(v *Version, workers []Preparer, active func() int, now time.Time, limit time.Duration) (done bool, late int, err error) {
	if p.asked {
		if done, late, err = p.poll(v, workers[p.slot], now, limit); err != nil || !done {
			return false, late, err
		}
	}
	first := active()
	living := 0
	for i := 1; i <= len(workers); i++ {
		w := workers[(first+i)%len(workers)]
		if !w.Living {
			continue
		}
		living++
		if made, _ := w.Commands.PlanReady(v.Number); !made {
			if w.Slot == first && living == 1 && len(workers) > 1 {
				return false, -1, nil // the last living worker does not try what no other worker has tried
			}
			w.Commands.RequestPlan(v.Number, v.Previous)
			*p = Preparation{asked: true, slot: w.Slot, gen: w.Generation, since: now, Deaths: p.Deaths}
			return false, -1, nil
		}
	}
	return living > 0, -1, nil
}

// poll looks at the worker that was asked. done: another one may be asked.
func (p *Preparation) poll(v *Version, w Preparer, now time.Time, limit time.Duration) (done bool, late int, err error) {
	if w.Generation != p.gen || !w.Living {
		if p.Deaths++; p.Deaths >= maxDeaths {
			return false, -1, fmt.Errorf("%d workers ended while they made it ready", p.Deaths)
		}
		p.asked = false
		return true, -1, nil
	}
	made, err := w.Commands.PlanReady(v.Number)
	switch {
	case err != nil:
		return false, -1, err
	case made:
		p.asked = false
		return true, -1, nil
	case now.Sub(p.since) > limit && w.Ready:
		return false, w.Slot, fmt.Errorf("worker %d has not made it ready within %v", w.Slot, limit)
	}
	return false, -1, nil
}
