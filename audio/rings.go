package audio

import (
	"fmt"

	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// rings maps the rings of the workers. Each mapping lasts as long as the callback may read it.
type rings struct {
	words    shm.Playback
	liveness *livenessWatcher
	player   *Player                  // nil: no device is open
	current  [shm.MaxSlots]*mapping   // attached to the player last
	previous [shm.MaxSlots][]*mapping // attached before
}

// mapping is a worker's ring. The reader has its own copy of the generation, since the worker can
// write the segment's header.
type mapping struct {
	seg    *shm.Segment
	reader shm.AudioReader
}

// attach maps a ring, attaches it to the player, and watches its worker. It takes over fds. A
// refused ring changes nothing.
func (r *rings) attach(o wire.AttachOrder, fds []int) error {
	if len(fds) != 1 || r.player == nil {
		sys.CloseAll(fds)
		return fmt.Errorf("attach order: %d descriptors, want 1; device open: %t", len(fds), r.player != nil)
	}
	seg, err := shm.AttachSlot(fds[0], false)
	if err != nil {
		return err
	}
	slot, gen := seg.Slot()
	if g := seg.Geometry(); slot != o.Slot || gen != o.Generation || g != r.words.Geometry() || slot >= int(g.Slots) {
		seg.Close()
		return fmt.Errorf("segment of slot %d, generation %d, geometry %+v: "+
			"want the announced slot and generation, and the engine's geometry: %w", slot, gen, g, shm.ErrCorrupt)
	}
	if m := r.current[slot]; m != nil && m.reader.Generation() >= gen {
		seg.Close() // an engine that takes over hands over all rings again
		return nil
	}
	m := &mapping{seg, seg.AudioReader()}
	m.reader.Touch()
	r.player.Attach(slot, m.reader)
	r.liveness.watch(slot, seg.Liveness())
	if before := r.current[slot]; before != nil {
		r.previous[slot] = append(r.previous[slot], before)
	}
	r.current[slot] = m
	return nil
}

// retire unmaps the rings that the callback reads no more. While the device does not call, it
// unmaps none.
func (r *rings) retire() {
	for slot, list := range r.previous {
		kept := list[:0]
		for _, m := range list {
			if m.reader.Generation() < r.player.Reads(slot) {
				m.seg.Close()
				continue
			}
			kept = append(kept, m)
		}
		clear(list[len(kept):])
		r.previous[slot] = kept
	}
}
