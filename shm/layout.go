package shm

import (
	"errors"
	"fmt"
	"math/bits"
	"unsafe"
)

// Version of the layout of every segment. Processes of different versions reject each other's
// segments with ErrStale.
const Version = 4

// magic spells CHRONUS and a NUL.
const magic uint64 = 'C' | 'H'<<8 | 'R'<<16 | 'O'<<24 | 'N'<<32 | 'U'<<40 | 'S'<<48

// Limits of a Geometry. MaxSlots is the number of ready bits in the active word.
const (
	MaxSlots    = 8
	MaxBlock    = 4096
	MaxChannels = 64
	MaxRing     = 4096
	MinRate     = 8000
	MaxRate     = 384000
)

// line is the size of a cache line in bytes. Words of different writers lie on different lines.
const line = 64

var (
	// ErrStale marks a segment of another version of this program.
	ErrStale = errors.New("segment of another version")
	// ErrCorrupt marks a segment whose content is invalid. It must not be used further.
	ErrCorrupt = errors.New("segment is corrupt")
	// ErrFull is returned when a command ring has no room.
	ErrFull = errors.New("command ring is full")
)

// Kind tells what a segment holds.
type Kind uint32

// The kinds of segment.
const (
	KindEngine Kind = iota + 1
	KindJournal
	KindSlot
	KindSnapshot
	KindInitialState
	KindPlans
	KindCheckpoint
)

// String names the kind.
func (k Kind) String() string {
	names := [...]string{"?", "engine", "journal", "slot", "snapshot", "initial-state", "plans", "checkpoint"}
	if int(k) < len(names) {
		return names[k]
	}
	return names[0]
}

// Geometry holds the sizes that all processes of one engine share. It is in the header of every
// segment.
type Geometry struct {
	Rate     uint32 // frames per second, in [MinRate, MaxRate]
	Block    uint32 // frames, in [16, MaxBlock]
	Channels uint32 // in [1, MaxChannels]
	Slots    uint32 // workers, in [1, MaxSlots]
	Ring     uint32 // blocks of an audio ring, a power of two in [4, MaxRing], at least the lead
	Guard    uint32 // blocks, in [1, lead)
}

// RingFor returns the ring size for a lead: the least power of two that is at least twice the lead.
func RingFor(lead int) uint32 { return 1 << bits.Len(uint(2*lead-1)) }

// Check returns an error that names the invalid field and its range.
func (g Geometry) Check() error {
	for _, c := range []struct {
		name            string
		value, min, max uint32
	}{
		{"rate", g.Rate, MinRate, MaxRate}, {"block", g.Block, 16, MaxBlock},
		{"channels", g.Channels, 1, MaxChannels}, {"replicas", g.Slots, 1, MaxSlots},
		{"ring", g.Ring, 4, MaxRing}, {"guard", g.Guard, 1, g.Ring - 1},
	} {
		if c.value < c.min || c.value > c.max {
			return fmt.Errorf("%s %d is outside %d to %d", c.name, c.value, c.min, c.max)
		}
	}
	if g.Ring&(g.Ring-1) != 0 {
		return fmt.Errorf("ring %d is not a power of two", g.Ring)
	}
	return nil
}

// samples is the number of samples in a block, of all channels.
func (g Geometry) samples() int { return int(g.Block * g.Channels) }

// header begins every segment.
type header struct {
	Magic    uint64
	Version  uint32
	Kind     Kind
	Size     uint64
	Geometry Geometry
	Slot     uint32 // of a slot or snapshot segment
	_        uint32
	Gen      uint64 // generation, of a slot or snapshot segment
}

// headerSize puts the words that follow on a cache line of their own.
const headerSize = 2 * line

var _ [headerSize - unsafe.Sizeof(header{})]byte
