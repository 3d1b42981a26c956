package shm

import "fmt"

// Head is a worker's progress: generation<<48 | published. Compare Published, never whole words.
type Head uint64

// MakeHead returns the head of a generation, of which it keeps 16 bits, with its first unpublished
// block.
func MakeHead(gen, published uint64) Head { return Head(gen<<48 | published&(1<<48-1)) }

// Published returns the first unpublished block: block n is in the ring if Published() > n.
func (h Head) Published() uint64 { return uint64(h) & (1<<48 - 1) }

// Generation returns the low 16 bits of the generation of the worker that stored the head.
func (h Head) Generation() uint64 { return uint64(h) >> 48 }

// Of reports whether a worker of generation gen stored the head.
func (h Head) Of(gen uint64) bool { return uint64(h)>>48 == gen&0xffff }

// Decision tells for one block which command is the last to enter it. The word is
//
//	lap (24 bits) | SKIP | SEALED | Seq (38 bits)
//
// The lap, n/Laps+1, distinguishes block n from block n-Laps. Zeroed memory is no decision.
type Decision uint64

const (
	seqBits           = 38
	seqMask           = 1<<seqBits - 1
	sealed   Decision = 1 << seqBits
	skip     Decision = 1 << (seqBits + 1)
	lapShift          = seqBits + 2
)

func lapOf(n uint64) uint64 { return n/Laps + 1 }

func makeDecision(n, seq uint64) Decision { return Decision(lapOf(n)<<lapShift | seq&seqMask) }

// Seq returns the Seq of the last command that enters the block.
func (d Decision) Seq() uint64 { return uint64(d) & seqMask }

// Sealed reports whether a worker has rendered the block to its end.
func (d Decision) Sealed() bool { return d&sealed != 0 }

// Skip reports whether the commands that would first enter this block are left out.
func (d Decision) Skip() bool { return d&skip != 0 }

func (d Decision) lap() uint64 { return uint64(d) >> lapShift }

// String shows the parts.
func (d Decision) String() string {
	return fmt.Sprintf("seq %d, sealed %t, skip %t, lap %d", d.Seq(), d.Sealed(), d.Skip(), d.lap())
}

// Cause is the reason of a worker's end.
type Cause uint32

// The causes. The worker itself records CausePanic, CauseLapped, CauseEndless and, if a decision
// changed under it, CauseDiverged. The engine records the others.
const (
	CauseNone     Cause = iota
	CausePanic          // the worker caught a panic or fault while rendering
	CauseSignal         // a signal; the detail is its number
	CauseExit           // an exit code, which is the detail
	CauseDiverged       // another decision or other samples than the other workers
	CauseLapped         // asleep for longer than the journal reaches back
	CauseEndless        // one block took more processor time than the limit
	CauseHung           // no progress, seen by the engine
)

// String names the cause.
func (c Cause) String() string {
	names := [...]string{"none", "panic", "signal", "exit", "diverged", "lapped", "endless", "hung"}
	if int(c) < len(names) {
		return names[c]
	}
	return fmt.Sprintf("cause %d", uint32(c))
}

// OwnFault reports whether the worker ended because of what it rendered, or of itself.
func (c Cause) OwnFault() bool { return c == CausePanic || c == CauseEndless || c == CauseHung }

// FromKernel reports whether the cause comes from the exit status alone, so that the worker or the
// engine may know a better one.
func (c Cause) FromKernel() bool { return c == CauseNone || c == CauseSignal || c == CauseExit }
