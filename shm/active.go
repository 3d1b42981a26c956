package shm

import (
	"fmt"
	"math/bits"
)

// Active names the worker that is played: epoch<<16 | ready bits<<8 | slot. Every change, also of
// a ready bit, is one CAS that raises the epoch.
type Active uint64

// Slot returns the slot of the active worker, in [0, MaxSlots).
func (a Active) Slot() int { return int(a & 0xff) }

// Ready reports whether slot may become the active one.
func (a Active) Ready(slot int) bool { return a>>(8+uint(slot))&1 == 1 }

// ReadyCount returns how many slots are ready.
func (a Active) ReadyCount() int { return bits.OnesCount8(uint8(a >> 8)) }

// Epoch returns the number of changes of the word.
func (a Active) Epoch() uint64 { return uint64(a >> 16) }

// String shows the three parts.
func (a Active) String() string {
	return fmt.Sprintf("slot %d, ready %08b, epoch %d", a.Slot(), uint8(a>>8), a.Epoch())
}

func (a Active) next(slot int, ready uint8) Active {
	return Active((a.Epoch()+1)<<16 | uint64(ready)<<8 | uint64(slot))
}

// WithReady returns a with slot's ready bit set.
func (a Active) WithReady(slot int) Active { return a.next(a.Slot(), uint8(a>>8)|1<<slot) }

// Without returns a with slot's ready bit cleared and slot to active.
func (a Active) Without(slot, to int) Active { return a.next(to, uint8(a>>8)&^(1<<slot)) }

// WithActive returns a with slot to active and the ready bits unchanged.
func (a Active) WithActive(to int) Active { return a.next(to, uint8(a>>8)) }

// Successor returns the ready slot with the highest head, other than from. Among equal heads
// the next slot after from wins, cyclically. ok is false if no head is at least least.
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
