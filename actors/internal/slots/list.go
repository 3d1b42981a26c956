package slots

import (
	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/survivors"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// List is the slots of an engine, by number.
type List []*Slot

// FurthestJoiner returns the joining slot, other than not, with the highest head; nil: there is
// none.
func (l List) FurthestJoiner(not *Slot, j shm.Journal) (best *Slot) {
	for _, s := range l {
		if s == not || s.Phase != Joining || s.Condemned {
			continue
		}
		if best == nil || j.Published(s.Number) > j.Published(best.Number) {
			best = s
		}
	}
	return best
}

// Room returns how many workers are fed, and how many of these take n commands now.
func (l List) Room(n uint64) (fed, roomy int) {
	for _, s := range l {
		if s.Fed() {
			fed++
			if s.Commands.Room() >= n {
				roomy++
			}
		}
	}
	return fed, roomy
}

// Processes returns the living processes.
func (l List) Processes() (list []sys.Process) {
	for _, s := range l {
		if s.Phase != Empty {
			list = append(list, s.Process)
		}
	}
	return list
}

// InLockstep reports whether every worker is ready, and none is further behind than so many blocks.
// A worker that Kill has sent a signal to does not count as ready.
func (l List) InLockstep(j shm.Journal, behind uint64) bool {
	top := uint64(0)
	for _, s := range l {
		if !s.Donates() || s.KilledAt != 0 {
			return false
		}
		top = max(top, j.Published(s.Number))
	}
	for _, s := range l {
		if j.Published(s.Number)+behind < top {
			return false
		}
	}
	return true
}

// FinishBroadcast puts the commands that an engine before had put into some rings into all, and
// into the log. The ready workers that lack commands all the same are returned.
func (l List) FinishBroadcast(log *commandlog.Log) (lacking []*Slot) {
	var rings []shm.CommandWriter
	for _, s := range l {
		if s.Fed() {
			rings = append(rings, s.Commands)
		}
	}
	for {
		half, ok := survivors.Peek(rings, log.Last()+1)
		if !ok {
			break
		}
		for _, s := range l {
			if s.Fed() && s.Commands.Tail() == log.Last() {
				_ = s.Commands.Put(half)
			}
		}
		log.Append(half, nil)
	}
	for _, s := range l {
		// A joiner may be behind: it is fed later.
		if s.Fed() && s.Phase == Ready && s.Commands.Tail() < log.Last() {
			lacking = append(lacking, s)
		}
	}
	return lacking
}
