package actors

import (
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// diverging is a rig without processes, whose two workers have published blocks that are equal but for the given ones.
func diverging(t *testing.T, blocks uint64, differ ...uint64) *rig {
	t.Helper()
	r, err := newRig(Config{Lead: 16}.withDefaults(), nil, func(Event) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	for i, s := range r.slots {
		if s.ring, s.cmds, err = shm.NewSlot(r.geo, i, 1); err != nil {
			t.Fatal(err)
		}
		s.gen, s.phase, s.proc = 1, ready, sys.Process{FD: -1}
		fd, err := syscall.Dup(r.journal.FD())
		if err != nil {
			t.Fatal(err)
		}
		rec, err := shm.AttachRecorder(fd, i, 1)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(rec.Close)
		w := s.ring.AudioWriter()
		for n := range blocks {
			buf := w.Begin(n)
			buf[0] = float32(n)
			for _, d := range differ {
				if d == n && i == 1 {
					buf[0]++
				}
			}
			w.Commit(n, shm.Hash(buf))
			rec.Publish(n + 1)
		}
	}
	return r
}

// A worker whose block differs in a bit is counted and given up; the active one is not.
func TestDivergence(t *testing.T) {
	r := diverging(t, 12, 7)
	if n := r.compare(r.slots[0]); n != 0 || r.slots[0].hung {
		t.Errorf("the active worker was compared with itself: %d", n)
	}
	if n := r.compare(r.slots[1]); n != 7 || r.slots[1].mismatches != 1 || !r.slots[1].hung {
		t.Errorf("%d blocks agree, %d differ, given up %t", n, r.slots[1].mismatches, r.slots[1].hung)
	}
}

func TestNoDivergence(t *testing.T) {
	r := diverging(t, 12)
	if n := r.compare(r.slots[1]); n != 12 || r.slots[1].mismatches != 0 || r.slots[1].hung {
		t.Errorf("%d blocks agree, %d differ", n, r.slots[1].mismatches)
	}
	if n := r.compare(r.slots[1]); n != 0 {
		t.Errorf("%d blocks were compared twice", n)
	}
}

// A worker that does not answer costs the kept snapshot a tenth of a second, not its turn: the next is asked
// at once.
func TestKeepsThoughOneHangs(t *testing.T) {
	r := diverging(t, 12)
	r.control.SetTransport(shm.Play)
	var givers [2]shm.SnapshotWriter
	for i, s := range r.slots {
		var err error
		if s.snap, s.snaps, err = shm.NewSnapshot(r.geo, i, 1); err != nil {
			t.Fatal(err)
		}
		fd, err := syscall.Dup(s.snap.FD())
		if err != nil {
			t.Fatal(err)
		}
		if givers[i], err = shm.AttachSnapshot(fd); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	r.keep(now)
	if r.keeping.giver != r.slots[1] {
		t.Fatal("the standby is not asked first")
	}
	now = now.Add(askPatience + time.Millisecond)
	r.keep(now)
	if r.keeping.giver != r.slots[0] {
		t.Fatal("the active worker is not asked next, at once")
	}
	givers[0].Complete(r.keeping.number, shm.State{Block: 12, Seq: 3, Bytes: append(givers[0].Buffer(r.keeping.number), 1)})
	r.keep(now.Add(time.Millisecond))
	if r.kept.Block != 12 || r.kept.Seq != 3 {
		t.Errorf("kept block %d, seq %d", r.kept.Block, r.kept.Seq)
	}
}
