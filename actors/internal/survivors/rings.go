package survivors

import (
	"cmp"
	"slices"

	"github.com/music-chronus/chronus/shm"
)

// CommandRings returns the command rings to read: those of living workers first, then those of the
// most recently ended, among them the rings that were not taken. Older rings may hold commands that
// were quarantined later.
func (s *Survivors) CommandRings(living, ended []*shm.Segment) (rings []shm.CommandWriter) {
	for _, ring := range s.Rings {
		if ring != nil {
			ended = append(ended, ring)
		}
	}
	slices.SortStableFunc(ended, func(a, b *shm.Segment) int {
		_, x := a.Slot()
		_, y := b.Slot()
		return cmp.Compare(y, x)
	})
	for _, ring := range append(living, ended...) {
		rings = append(rings, shm.CommandsFromSegment(ring))
	}
	return rings
}

// Peek returns the command seq from the first ring that has it.
func Peek(rings []shm.CommandWriter, seq uint64) (c shm.Command, ok bool) {
	for _, w := range rings {
		if c, ok = w.Peek(seq); ok {
			return c, true
		}
	}
	return c, false
}

// ReadCommands returns the commands in (from, to] as far back as the rings have them.
func ReadCommands(rings []shm.CommandWriter, from, to uint64) (list []shm.Command) {
	for seq := to; seq > from; seq-- {
		c, ok := Peek(rings, seq)
		if !ok {
			break
		}
		list = append(list, c)
	}
	slices.Reverse(list)
	return list
}
