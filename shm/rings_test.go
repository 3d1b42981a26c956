package shm

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestCommandRing(t *testing.T) {
	seg, w, err := NewSlot(testGeometry, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer seg.Close()
	r := seg.Commands()
	w.Begin(41)
	rapid.Check(t, func(rt *rapid.T) {
		count := rapid.IntRange(0, CommandEntries).Draw(rt, "count")
		first := w.Tail() + 1
		for i := range count {
			seq := first + uint64(i)
			c := Command{Seq: seq, Frame: seq * 3, Op: OpGate, Node: uint16(seq), Param: 65535, Value: -float64(seq)}
			if err := w.Put(c); err != nil {
				rt.Fatal(err)
			}
		}
		for seq := first; seq <= w.Tail(); seq++ {
			c, ok := r.Get(seq)
			if !ok || c != (Command{Seq: seq, Frame: seq * 3, Op: OpGate, Node: uint16(seq), Param: 65535, Value: -float64(seq)}) {
				rt.Fatalf("%+v, %t", c, ok)
			}
			r.Consume(seq)
		}
		if _, ok := r.Get(w.Tail() + 1); ok {
			rt.Fatal("a command that was never put")
		}
	})
}

func TestCommandRingFull(t *testing.T) {
	seg, w, err := NewSlot(testGeometry, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer seg.Close()
	for i := range uint64(CommandEntries) {
		if err := w.Put(Command{Seq: i + 1, Value: math.Pi}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Put(Command{Seq: CommandEntries + 1}); !errors.Is(err, ErrFull) {
		t.Fatalf("%v", err)
	}
	seg.Commands().Consume(1)
	if err := w.Put(Command{Seq: CommandEntries + 1}); err != nil {
		t.Errorf("after one was taken: %v", err)
	}
}

func TestAudioRing(t *testing.T) {
	seg, _, err := NewSlot(testGeometry, 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer seg.Close()
	w, r := seg.AudioWriter(), seg.AudioReader()
	w.Touch()
	if r.Holds(0, MakeHead(3, 1)) {
		t.Error("zeroed memory is a block")
	}
	for n := uint64(0); n < 20; n++ {
		buf := w.Begin(n)
		for i := range buf {
			buf[i] = float32(n)
		}
		w.Commit(n, Hash(buf))
		head := MakeHead(3, n+1)
		if !r.Holds(n, head) || r.Holds(n, MakeHead(3, n)) || r.Holds(n, MakeHead(2, n+1)) || r.Holds(n+1, head) {
			t.Fatalf("block %d", n)
		}
		if n >= 8 && r.Holds(n-8, head) {
			t.Fatalf("block %d is still held after %d took its place", n-8, n)
		}
		if h, ok := r.Hash(n, head); !ok || h != Hash(r.Block(n)) || r.Block(n)[127] != float32(n) {
			t.Fatalf("block %d: hash %x, %t", n, h, ok)
		}
	}
}

func TestSnapshotAndInitialState(t *testing.T) {
	seg, r, err := NewSnapshot(testGeometry, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer seg.Close()
	w, err := AttachSnapshot(dup(t, seg.FD()))
	if err != nil {
		t.Fatal(err)
	}
	defer w.seg.Close()
	for k := uint64(1); k < 6; k++ {
		if _, ok, _ := r.Copy(k); ok {
			t.Fatalf("snapshot %d before it was given", k)
		}
		b := append(w.Buffer(k), make([]byte, k*1000)...)
		b[0] = byte(k)
		w.Complete(k, State{Block: k * 10, Seq: k, Bytes: b})
		st, ok, err := r.Copy(k)
		if err != nil || !ok || st.Block != k*10 || st.Seq != k || len(st.Bytes) != int(k*1000) || st.Bytes[0] != byte(k) {
			t.Fatalf("snapshot %d: %d bytes of block %d, %t, %v", k, len(st.Bytes), st.Block, ok, err)
		}
		if k > 1 {
			if _, ok, err := r.Copy(k - 1); !ok || err != nil {
				t.Fatalf("snapshot %d was overwritten by the next", k-1)
			}
		}
		w.Buffer(k)[:1][0]++
		if _, _, err := r.Copy(k); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("a changed snapshot: %v", err)
		}
		w.Buffer(k)[:1][0]--
	}
	seed, sw, err := NewInitialState(testGeometry, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer seed.Close()
	sr, err := AttachInitialState(dup(t, seed.FD()))
	if err != nil {
		t.Fatal(err)
	}
	defer sr.Close()
	if _, ok, _ := sr.Load(); ok {
		t.Fatal("a seed before it was filled")
	}
	if err := sw.Fill(State{Block: 9, Seq: 8, Bytes: []byte("state")}); err != nil {
		t.Fatal(err)
	}
	if st, ok, err := sr.Load(); !ok || err != nil || st.Block != 9 || st.Seq != 8 || string(st.Bytes) != "state" {
		t.Fatalf("%+v, %t, %v", st, ok, err)
	}
}

// A state that mixes two snapshots is rejected.
func TestTornState(t *testing.T) {
	seg, snaps, err := NewSnapshot(testGeometry, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer seg.Close()
	w := SnapshotWriter{seg}
	for i, tear := range []func(h *stateWords){
		func(*stateWords) {},
		func(h *stateWords) { h.block.Add(1) },
		func(h *stateWords) { h.seq.Add(1) },
		func(h *stateWords) { h.size.Add(^uint64(0)) },
	} {
		w.Complete(1, State{Block: 15, Seq: 3, Bytes: append(w.Buffer(1), 1, 2, 3)})
		tear(at[stateWords](seg, stateOffset(1)))
		if _, ok, err := snaps.Copy(1); ok != (i == 0) || (err == nil) != (i == 0) {
			t.Errorf("case %d: %t, %v", i, ok, err)
		}
	}
}

// A store holds the last texts by their numbers. Texts that are overwritten or damaged are not
// found.
func TestPlans(t *testing.T) {
	store, err := NewPlanStore(testGeometry)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	reader, err := AttachPlans(dup(t, store.FD()))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.seg.Close()
	for n := uint64(1); n <= Plans+1; n++ {
		if err := store.Put(n, fmt.Appendf(nil, "plan %d", n)); err != nil {
			t.Fatal(err)
		}
	}
	store.SetCurrent(5)
	for n := range uint64(Plans + 3) {
		text, err := reader.Text(n)
		if there := n >= 2 && n <= Plans+1; there && string(text) != fmt.Sprint("plan ", n) || there != (err == nil) {
			t.Errorf("plan %d: %q, %v", n, text, err)
		}
	}
	at[plansWords](store.Segment, 0).texts[5].bytes[0]++
	if _, err := reader.Text(5); !errors.Is(err, ErrNoPlan) {
		t.Errorf("a text that is not whole: %v", err)
	}
	if reader.Current() != 5 {
		t.Errorf("plan %d plays", reader.Current())
	}
	if err := store.Put(1, make([]byte, TextMax+1)); err == nil {
		t.Error("a text that is too long was taken")
	}
}

// A worker reports which plan it has prepared, or why it rejected it.
func TestReportPlan(t *testing.T) {
	seg, w, err := NewSlot(testGeometry, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer seg.Close()
	r := seg.Commands()
	bell := r.PlanWakeSeq()
	w.RequestPlan(7, 6)
	if want, after := r.RequestedPlan(); want != 7 || after != 6 || r.PlanWakeSeq() == bell {
		t.Error("nobody hears that a plan is wanted")
	}
	if made, err := w.PlanReady(7); made || err != nil {
		t.Error("made before it was")
	}
	r.ReportPlan(7, errors.New("too large"))
	if made, err := w.PlanReady(7); made || err == nil || err.Error() != "too large" {
		t.Errorf("%t, %v", made, err)
	}
	r.ReportPlan(8, nil)
	if made, err := w.PlanReady(8); !made || err != nil {
		t.Errorf("%t, %v", made, err)
	}
}

func TestNoAllocs(t *testing.T) {
	c, p, j := words(t, testGeometry)
	seg, w, err := NewSlot(testGeometry, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer seg.Close()
	rec := recorder(t, j, 0, 1)
	rec.Begin(0)
	cmds, out, in := seg.Commands(), seg.AudioWriter(), seg.AudioReader()
	var n, seq uint64
	for name, f := range map[string]func(){
		"command": func() {
			seq++
			_ = w.Put(Command{Seq: seq})
			cmds.Get(seq)
			cmds.Consume(seq)
		},
		"block": func() {
			d, _ := rec.Propose(n, seq)
			rec.BeginRender(n, seq)
			buf := out.Begin(n)
			out.Commit(n, Hash(buf))
			rec.Seal(n, d)
			rec.Publish(n + 1)
			in.Holds(n, j.Head(0))
			p.Advance(Hash(in.Block(n)), false)
			p.EndCall()
			n++
		},
		"heir": func() { a := c.Active(); a.Successor(0, 2, 0, j.Published) },
		"wait": func() { c.Wait(c.WakeSeq()+1, 1) },
	} {
		if got := testing.AllocsPerRun(200, f); got != 0 {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}
