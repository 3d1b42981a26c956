package shm

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/shm/interleave"
)

// TextMax is the most bytes that the text of a patch may have.
const TextMax = 1 << 20

// Checkpoint is what all workers can restart from: the state of one, and the patch of that state.
type Checkpoint struct {
	State
	Text   []byte // the patch that plays
	Origin uint64 // hash of the patch that the user asked for; after a fallback another one plays
}

// checkpointWords precede the text and the state. number is stored last; 0 marks an incomplete
// checkpoint.
type checkpointWords struct {
	number, block, seq, plan, size, text, origin, hash atomic.Uint64
}

const (
	checkpointRoom = line + TextMax + StateMax
	checkpointSize = 2 * checkpointRoom
)

var _ = [1]struct{}{}[unsafe.Sizeof(checkpointWords{})-line]

// CheckpointStore is the segment in which the engine leaves a Checkpoint for the next engine
// process. The other processes hold its descriptor, so it outlives every engine. Only a starting
// engine reads it.
type CheckpointStore struct {
	*Segment
	last uint64 // number of the last Put
}

// NewCheckpointStore makes the segment. The engine owns it.
func NewCheckpointStore(g Geometry) (CheckpointStore, error) {
	s, err := create(KindCheckpoint, g, 0, 0, checkpointSize)
	return CheckpointStore{Segment: s}, err
}

func (k CheckpointStore) words(number uint64) (*checkpointWords, int) {
	offset := int(number%2) * checkpointRoom
	return at[checkpointWords](k.Segment, offset), offset + line
}

// Put stores v in place of the second to last checkpoint, so the last one survives an engine that
// is killed meanwhile.
func (k *CheckpointStore) Put(v Checkpoint) error {
	if len(v.Text) > TextMax || len(v.Bytes) > StateMax {
		return fmt.Errorf("checkpoint: patch of %d bytes, state of %d bytes: the limits are %d and %d",
			len(v.Text), len(v.Bytes), TextMax, StateMax)
	}
	k.last++
	w, body := k.words(k.last)
	w.number.Store(0)
	interleave.Yield() // this engine may end here; a new one then reads the other place
	w.block.Store(v.Block)
	w.seq.Store(v.Seq)
	w.plan.Store(v.Plan)
	w.size.Store(uint64(len(v.Bytes)))
	w.text.Store(uint64(len(v.Text)))
	w.origin.Store(v.Origin)
	interleave.Yield()
	copy(k.bytes(body, len(v.Text)), v.Text)
	copy(k.bytes(body+len(v.Text), len(v.Bytes)), v.Bytes)
	w.hash.Store(xxhash.Sum64(k.bytes(body, len(v.Text)+len(v.Bytes))))
	interleave.Yield()
	w.number.Store(k.last)
	return nil
}

// Last returns a copy of the last checkpoint that any engine has put. ErrCorrupt means that none is
// intact.
func (k *CheckpointStore) Last() (v Checkpoint, err error) {
	for number := uint64(0); number < 2; number++ {
		w, body := k.words(number)
		n, size, text := w.number.Load(), w.size.Load(), w.text.Load()
		if n <= k.last || n%2 != number || size > StateMax || text > TextMax {
			continue
		}
		b := append([]byte(nil), k.bytes(body, int(text+size))...)
		if xxhash.Sum64(b) != w.hash.Load() {
			continue
		}
		k.last = n
		v = Checkpoint{State{w.block.Load(), w.seq.Load(), w.plan.Load(), b[text:]}, b[:text:text], w.origin.Load()}
	}
	if v.Text == nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: no intact one: %w", ErrCorrupt)
	}
	return v, nil
}
