package actors

import (
	"testing"

	"github.com/music-chronus/chronus/shm"
)

// An engine that was killed among the commands of a batch has left some of them in some rings. The one after it puts them into all, and numbers on from there.
func TestFinishBroadcast(t *testing.T) {
	r := diverging(t, 3, 12, 0)
	gate := func(seq uint64) shm.Command {
		return shm.Command{Seq: seq, Op: shm.OpGate, Node: 1, Value: float64(seq)}
	}
	for slot, tail := range []uint64{4, 3, 3} {
		for seq := uint64(1); seq <= tail; seq++ {
			if err := r.slots[slot].cmds.Put(gate(seq)); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.log.add(gate(1), nil)
	r.log.last = 1
	r.control.Commit(1)
	r.finishBroadcast()
	for _, s := range r.slots {
		if c, ok := s.cmds.Peek(4); s.cmds.Tail() != 4 || s.hung || !ok || c != gate(4) {
			t.Errorf("worker %d: tail %d, given up %t, %+v", s.number, s.cmds.Tail(), s.hung, c)
		}
	}
	if c, ok := r.log.between(1, 4); r.log.last != 4 || r.control.Committed() != 4 || !ok || len(c) != 3 {
		t.Errorf("last %d, committed %d, %d in the log", r.log.last, r.control.Committed(), len(c))
	}
}
