package shm

import (
	"fmt"
	"math/bits"
)

// Active is the word that says which worker is heard: epoch<<16 | ready bits<<8 | slot.
// Every change of it, of a ready bit too, is one CAS that raises the epoch.
type Active uint64

// Slot of the active worker, [0, MaxSlots).
func (a Active) Slot() int { return int(a & 0xff) }

// Ready tells whether slot may be named.
func (a Active) Ready(slot int) bool { return a>>(8+uint(slot))&1 == 1 }

// ReadyCount is how many slots may be named.
func (a Active) ReadyCount() int { return bits.OnesCount8(uint8(a >> 8)) }

// Epoch counts the changes of the word.
func (a Active) Epoch() uint64 { return uint64(a >> 16) }

// String shows the three parts.
func (a Active) String() string {
	return fmt.Sprintf("slot %d, ready %08b, epoch %d", a.Slot(), uint8(a>>8), a.Epoch())
}

func (a Active) next(slot int, ready uint8) Active {
	return Active((a.Epoch()+1)<<16 | uint64(ready)<<8 | uint64(slot))
}

// WithReady is a with slot's ready bit set and the epoch raised.
func (a Active) WithReady(slot int) Active { return a.next(a.Slot(), uint8(a>>8)|1<<slot) }

// Without is a with slot's ready bit cleared, to named, and the epoch raised.
func (a Active) Without(slot, to int) Active { return a.next(to, uint8(a>>8)&^(1<<slot)) }

// WithActive is a with to active and the epoch raised; the ready bits stay.
func (a Active) WithActive(to int) Active { return a.next(to, uint8(a>>8)) }

// Successor returns the ready slot other than from with the highest head, ties to the next slot
// cyclically; ok is false if there is none whose head is at least least.
func (a Active) Successor(from, slots int, least uint64, head func(slot int) uint64) (to int, ok bool) {
	best := least
	for i := 1; i < slots; i++ {
		s := (from + i) % slots
		if !a.Ready(s) {
			continue
		}
		if h := head(s); h > best || (!ok && h == best) {
			to, best, ok = s, h, true
		}
	}
	return to, ok
}
