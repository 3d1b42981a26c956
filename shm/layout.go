package shm

import (
	"errors"
	"fmt"
	"math/bits"
	"unsafe"
)

// Version of the layout. Processes of different versions refuse each other with ErrStale.
const Version = 4

// magic spells CHRONUS and a NUL.
const magic uint64 = 'C' | 'H'<<8 | 'R'<<16 | 'O'<<24 | 'N'<<32 | 'U'<<40 | 'S'<<48

// Limits of a geometry. MaxSlots is what the eight ready bits of the active word hold.
const (
	MaxSlots    = 8
	MaxBlock    = 4096
	MaxChannels = 64
	MaxRing     = 4096
	MinRate     = 8000
	MaxRate     = 384000
)

// line is the unit in which two processes disturb each other's caches.
const line = 64

var (
	// ErrStale: the segment was laid out by another version of this program.
	ErrStale = errors.New("segment of another version")
	// ErrCorrupt: the segment is not what its header or its holder says. It must not be used further.
	ErrCorrupt = errors.New("segment is corrupt")
	// ErrFull: a command ring holds as many commands as it can.
	ErrFull = errors.New("command ring is full")
)

// Kind says what a segment holds.
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
	names := [...]string{"?", "engine", "journal", "slot", "snapshot", "seed", "plans", "kept"}
	if int(k) < len(names) {
		return names[k]
	}
	return names[0]
}

// Geometry is what all processes of one engine agree on; it stands in the header of every
// segment and is compared when one is attached.
type Geometry struct {
	Rate     uint32 // frames a second, [MinRate, MaxRate]
	Block    uint32 // frames, [16, MaxBlock]
	Channels uint32 // [1, MaxChannels]
	Slots    uint32 // replicas, [1, MaxSlots]
	Ring     uint32 // blocks an AudioRing has, a power of two, [4, MaxRing]; >= lead
	Guard    uint32 // blocks, [1, lead)
}

// RingFor returns the ring size for a lead: the power of two from twice the lead on.
func RingFor(lead int) uint32 { return 1 << bits.Len(uint(2*lead-1)) }

// Check says what is wrong with a geometry and what would be right.
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
		return fmt.Errorf("ring of %d blocks is no power of two", g.Ring)
	}
	return nil
}

// samples in a block, all channels.
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

// headerSize leaves the words that follow on a line of their own.
const headerSize = 2 * line

var _ [headerSize - unsafe.Sizeof(header{})]byte
