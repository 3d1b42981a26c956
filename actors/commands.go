package actors

import (
	"errors"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
)

// logMax bounds the commands since the last kept snapshot, which is taken every second.
const logMax = 1 << 20

var (
	errRingsFull = errors.New("the workers are too far behind to take it: try again")
	errReplanned = errors.New("another patch plays by now: send it again")
	errLogFull   = errors.New("too many commands while no worker runs: try again")
)

// commandLog has the commands since the kept snapshot, numbered gap-free: a worker that
// joins, or all of them after a common death, need them.
type commandLog struct {
	last     uint64 // Seq of the newest
	commands []shm.Command
	askers   []asker // of each: who is told should it be left out; nil: nobody
	more     []bool  // of each: the next enters together with it
}

// add appends a command; last is the caller's to raise.
func (l *commandLog) add(c shm.Command, asker asker) {
	l.commands = append(l.commands, c)
	l.askers = append(l.askers, asker)
	l.more = append(l.more, false)
}

// join says that the last n commands enter together.
func (l *commandLog) join(n uint64) {
	for i := len(l.more) - int(n); i < len(l.more)-1; i++ {
		l.more[i] = true
	}
}

// whole is how many of the last so many commands can be put into a ring with that room: whatever enters together is put there together.
func (l *commandLog) whole(missing int, room uint64) int {
	first := len(l.commands) - missing
	end := first + int(min(uint64(missing), room))
	for end > first && l.more[end-1] {
		end--
	}
	return end - first
}

// after returns the commands with a Seq above seq; ok is false if they are no longer all there.
// The slice is not to be changed; later appends do not reach it.
func (l *commandLog) after(seq uint64) (c []shm.Command, ok bool) {
	first := l.last - uint64(len(l.commands)) + 1
	if seq+1 < first {
		return nil, false
	}
	return l.commands[min(seq+1-first, uint64(len(l.commands))):], true
}

// index is where the command seq lies in the log.
func (l *commandLog) index(seq uint64) (i int, ok bool) {
	first := l.last - uint64(len(l.commands)) + 1
	return int(seq - first), seq >= first && seq <= l.last
}

// at is the command seq, if it is in the log.
func (l *commandLog) at(seq uint64) (c shm.Command, ok bool) {
	i, ok := l.index(seq)
	if !ok {
		return c, false
	}
	return l.commands[i], true
}

// between returns the commands with a Seq in (from, to]; ok is false if they are no longer all there.
func (l *commandLog) between(from, to uint64) (c []shm.Command, ok bool) {
	if c, ok = l.after(from); !ok || to < from {
		return nil, false
	}
	return c[:min(uint64(len(c)), to-from)], true
}

// trim forgets the commands up to seq. It copies, since a tape may still read the old slice, to where as many have room as there were.
func (l *commandLog) trim(seq uint64) {
	if rest, ok := l.after(seq); ok {
		first := len(l.commands) - len(rest)
		room := len(rest) + first + first/8
		l.commands = append(make([]shm.Command, 0, room), rest...)
		l.askers = append(make([]asker, 0, room), l.askers[first:]...)
		l.more = append(make([]bool, 0, room), l.more[first:]...)
	}
}

// broadcast enters one command of the present plan; asker may be nil. The rig is locked.
func (r *rig) broadcast(c shm.Command, asker asker) (seq uint64, err error) {
	in, err := r.put([]play{{commands: []shm.Command{c}, asker: asker}})
	return in.last, err
}

// giveUp kills a worker that holds the others up. It is not fed any more.
func (r *rig) giveUp(s *slot, why string) {
	if s.hung {
		return
	}
	if !r.isStopped(s) {
		r.journal.SetCause(s.number, s.gen, shm.CauseHung, 0) // of its own, if it was rendering
	}
	r.dismiss(s, why)
}

// dismiss kills a worker that has done nothing wrong: the block that it renders is not blamed.
func (r *rig) dismiss(s *slot, why string) {
	if s.hung {
		return
	}
	s.hung = true
	r.emit(report.WorkerKilled{Slot: s.number, PID: s.proc.PID, Reason: why})
	s.kill()
}
