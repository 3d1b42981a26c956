package commandlog

import (
	"slices"

	"github.com/music-chronus/chronus/shm"
)

// MaxCommands bounds the log. A checkpoint, which trims the log, is taken every second.
const MaxCommands = 1 << 20

// Log is the commands since the last checkpoint. The zero Log is empty and ready to use.
type Log struct {
	last     uint64 // Seq of the newest command
	entries  []shm.Command
	requests []Requester // of each entry; nil: no sender is answered if the command is left out
	joined   []bool      // of each entry: the next one enters together with it
	amended  []shm.Command
	timed    timed
}

// Last returns the Seq of the newest command, 0 if there was none.
func (l *Log) Last() uint64 { return l.last }

// Len returns the number of commands that the log still has.
func (l *Log) Len() int { return len(l.entries) }

// Commands returns the commands that the log still has, oldest first. The caller must not change
// the slice. Later changes of the log do not reach it.
func (l *Log) Commands() []shm.Command { return l.entries }

// Restore fills an empty log: last is the Seq of the newest command, commands are the last ones up
// to it, oldest first.
func (l *Log) Restore(last uint64, commands []shm.Command) {
	l.last, l.entries = last, commands
	l.requests, l.joined = make([]Requester, len(commands)), make([]bool, len(commands))
}

// Append numbers a command and adds it to the log. The requester may be nil.
func (l *Log) Append(c shm.Command, r Requester) shm.Command {
	l.last++
	c.Seq = l.last
	l.entries = append(l.entries, c)
	l.requests = append(l.requests, r)
	l.joined = append(l.joined, false)
	return c
}

// Join marks the last n commands as entering together.
func (l *Log) Join(n uint64) {
	for i := len(l.joined) - int(n); i < len(l.joined)-1; i++ {
		l.joined[i] = true
	}
}

// Fits returns how many of the last missing commands a ring with that much room can take. Commands
// that enter together are put into the ring together.
func (l *Log) Fits(missing int, room uint64) int {
	first := len(l.entries) - missing
	end := first + int(min(uint64(missing), room))
	for end > first && l.joined[end-1] {
		end--
	}
	return end - first
}

// After returns the commands with a Seq above seq. ok is false if the log no longer has them all.
// The caller must not change the slice. Later changes of the log do not reach it.
func (l *Log) After(seq uint64) (c []shm.Command, ok bool) {
	first := l.last - uint64(len(l.entries)) + 1
	if seq+1 < first {
		return nil, false
	}
	return l.entries[min(seq+1-first, uint64(len(l.entries))):], true
}

// Between returns the commands with a Seq in (from, to]. ok is false if the log no longer has them
// all.
func (l *Log) Between(from, to uint64) (c []shm.Command, ok bool) {
	if c, ok = l.After(from); !ok || to < from {
		return nil, false
	}
	return c[:min(uint64(len(c)), to-from)], true
}

// index returns the position of the command seq.
func (l *Log) index(seq uint64) (i int, ok bool) {
	first := l.last - uint64(len(l.entries)) + 1
	return int(seq - first), seq >= first && seq <= l.last
}

// At returns the command seq if the log has it.
func (l *Log) At(seq uint64) (c shm.Command, ok bool) {
	i, ok := l.index(seq)
	if !ok {
		return c, false
	}
	return l.entries[i], true
}

// TakeRequester returns the sender to answer if the command seq is left out, and forgets it:
// another worker may crash in the same block. Without such a sender it returns nil.
func (l *Log) TakeRequester(seq uint64) Requester {
	i, ok := l.index(seq)
	if !ok {
		return nil
	}
	r := l.requests[i]
	l.requests[i] = nil
	return r
}

// Trim forgets the commands up to seq. A tape may still read the old slices, so Trim copies. The
// new slices have room for as many commands as the old ones held.
func (l *Log) Trim(seq uint64) {
	rest, ok := l.After(seq)
	if !ok {
		return
	}
	first := len(l.entries) - len(rest)
	room := len(rest) + first + first/8
	l.entries = append(make([]shm.Command, 0, room), rest...)
	l.requests = append(make([]Requester, 0, room), l.requests[first:]...)
	l.joined = append(make([]bool, 0, room), l.joined[first:]...)
}

// Amend replaces the command with the Seq of c. Workers that join from now on take c instead. A
// tape may still read the old slice, so Amend copies.
func (l *Log) Amend(c shm.Command) {
	l.entries = slices.Clone(l.entries)
	if i, ok := l.index(c.Seq); ok {
		l.entries[i] = c
		l.amended = append(l.amended, c)
	}
}

// Amended returns all commands that Amend has put in the place of others, oldest first.
func (l *Log) Amended() []shm.Command { return l.amended }
