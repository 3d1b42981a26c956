// Package compare finds blocks of which workers published different copies, and lets the majority
// decide which copy is right.
//
// By the protocol, all copies of a block are equal. If two differ, a bit has changed in a worker's
// memory, or a module is not a function of its arguments.
package compare

import "github.com/music-chronus/chronus/shm"

// Copy is the ring of a worker.
type Copy struct {
	Slot    int
	Ring    *shm.Segment
	Journal shm.Journal
}

// Hash returns the hash of block n. ok is false if the ring does not hold the block.
func (c Copy) Hash(n uint64) (hash uint64, ok bool) {
	return c.Ring.AudioReader().Hash(n, c.Journal.Head(c.Slot))
}

// Blocks compares the blocks from a number on that both rings of so many blocks hold. It returns
// the first block that differs, or the first that was not compared. agree is the number of equal
// ones.
func Blocks(a, b Copy, from, size uint64) (next uint64, differs bool, agree int) {
	to := min(a.Journal.Published(a.Slot), b.Journal.Published(b.Slot))
	from = max(from, to-min(to, size))
	for n := from; n < to; n++ {
		x, ok := a.Hash(n)
		y, also := b.Hash(n)
		switch {
		case !ok || !also:
		case x != y:
			return n, true, agree
		default:
			agree++
		}
	}
	return max(from, to), false, agree
}

// Majority reports whether more than half of the copies that hold block n equal that of right.
func Majority(copies []Copy, n uint64, right Copy) bool {
	want, ok := right.Hash(n)
	votes, voters := 0, 0
	for _, c := range copies {
		h, holds := c.Hash(n)
		if holds {
			voters++
		}
		if ok && holds && h == want {
			votes++
		}
	}
	return 2*votes > voters
}
