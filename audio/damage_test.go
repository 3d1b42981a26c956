package audio

import (
	"testing"

	"github.com/music-chronus/chronus/shm"
)

// If a bit of a copy changed after its worker wrote it, the callback plays another copy. Two
// different copies are reported.
func TestDamagedBlock(t *testing.T) {
	s := newStage(t, 2)
	s.fillUp(0)
	s.fillUp(1)
	s.slots[0].AudioReader().Block(1)[5] += 1
	s.continues(s.play(4*testBlock), 0)
	if c := s.control.Counters(); c.Damaged != 1 || c.Rescued != 1 || c.Concealed != 0 {
		t.Errorf("%+v", c)
	}
	if n, ok := s.control.LastMismatch(); ok {
		t.Errorf("block %d differs", n)
	}
	s.fillUp(0)
	n := s.journal.Published(1)
	w := s.slots[1].AudioWriter()
	buf := w.Begin(n)
	w.Commit(n, shm.Hash(buf)+1)
	s.recs[1].Publish(n + 1)
	s.play(testBlock)
	if got, ok := s.control.LastMismatch(); !ok || got != n {
		t.Errorf("block %d, %t; it was block %d that differs", got, ok, n)
	}
}
