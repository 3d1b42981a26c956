package shm

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"github.com/music-chronus/chronus/shm/sys"
)

var testGeometry = Geometry{Rate: 48000, Block: 64, Channels: 2, Slots: 2, Ring: 8, Guard: 2}

// words makes the two segments that all share, as their roles have them.
func words(t *testing.T, g Geometry) (Control, Playback, Journal) {
	t.Helper()
	c, err := NewControl(g, 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	j, err := NewJournal(g)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(j.Close)
	p, err := AttachPlayback(dup(t, c.FD()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return c, p, j
}

func dup(t *testing.T, fd int) int {
	t.Helper()
	n, err := syscall.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func recorder(t *testing.T, j Journal, slot int, gen uint64) Recorder {
	t.Helper()
	r, err := AttachRecorder(dup(t, j.FD()), slot, gen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func TestGeometryCheck(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Geometry)
		ok     bool
	}{
		{"as it is", func(*Geometry) {}, true},
		{"rate 0", func(g *Geometry) { g.Rate = 0 }, false},
		{"rate 1 MHz", func(g *Geometry) { g.Rate = 1e6 }, false},
		{"block 15", func(g *Geometry) { g.Block = 15 }, false},
		{"block 4097", func(g *Geometry) { g.Block = 4097 }, false},
		{"no channels", func(g *Geometry) { g.Channels = 0 }, false},
		{"nine replicas", func(g *Geometry) { g.Slots = 9 }, false},
		{"ring 12", func(g *Geometry) { g.Ring = 12 }, false},
		{"guard as long as the ring", func(g *Geometry) { g.Guard = 8 }, false},
		{"64 channels of 4096", func(g *Geometry) { g.Block, g.Channels = 4096, 64 }, true},
	} {
		g := testGeometry
		tt.change(&g)
		if err := g.Check(); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestRingFor(t *testing.T) {
	for lead, want := range map[int]uint32{2: 4, 3: 8, 4: 8, 5: 16, 8: 16, 9: 32, 67: 256} {
		if got := RingFor(lead); got != want {
			t.Errorf("lead %d: ring %d, want %d", lead, got, want)
		}
	}
}

// Every way in which a segment can be wrong is told by its kind of error, and nothing stays mapped.
func TestAttachRefuses(t *testing.T) {
	_, _, j := words(t, testGeometry)
	unsealed := func() int {
		f, err := os.Create(filepath.Join(t.TempDir(), "file"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := f.Truncate(1 << 20); err != nil {
			t.Fatal(err)
		}
		return dup(t, int(f.Fd()))
	}
	changed := func(change func(*header)) int {
		c, err := NewJournal(testGeometry)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		change(c.header())
		return dup(t, c.FD())
	}
	for _, tt := range []struct {
		name string
		fd   int
		want error
	}{
		{"not sealed", unsealed(), ErrCorrupt},
		{"another version", changed(func(h *header) { h.Version++ }), ErrStale},
		{"no magic", changed(func(h *header) { h.Magic = 0 }), ErrCorrupt},
		{"another kind", changed(func(h *header) { h.Kind = KindSlot }), ErrCorrupt},
		{"size beyond the file", changed(func(h *header) { h.Size += 4096 }), ErrCorrupt},
		{"geometry that cannot be", changed(func(h *header) { h.Geometry.Ring = 7 }), ErrCorrupt},
	} {
		if _, err := AttachJournal(tt.fd); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if _, err := AttachRecorder(dup(t, j.FD()), 2, 1); !errors.Is(err, ErrCorrupt) {
		t.Errorf("slot 2 of 2: %v", err)
	}
	slot, _, err := NewSlot(testGeometry, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer slot.Close()
	slot.header().Geometry.Ring = 16 // then it should be larger
	if _, err := AttachSlot(dup(t, slot.FD()), false); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a slot too small for its geometry: %v", err)
	}
}

// A segment cannot be resized by anybody, and a read-only descriptor cannot be written through.
func TestSealed(t *testing.T) {
	c, _, _ := words(t, testGeometry)
	if err := syscall.Ftruncate(c.FD(), 4096); err == nil {
		t.Error("the segment shrank")
	}
	ro, err := c.ReadOnlyFD()
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(ro)
	size, _ := sys.Size(ro)
	if _, err := sys.Map(ro, size, true); err == nil {
		t.Error("a read-only descriptor was mapped for writing")
	}
}

func TestActive(t *testing.T) {
	var a Active
	a = a.WithReady(0).WithReady(2)
	if a.Slot() != 0 || !a.Ready(0) || a.Ready(1) || !a.Ready(2) || a.Epoch() != 2 || a.ReadyCount() != 2 {
		t.Fatalf("%v", a)
	}
	if a = a.Without(0, 2); a.Slot() != 2 || a.Ready(0) || !a.Ready(2) || a.Epoch() != 3 {
		t.Fatalf("%v", a)
	}
	if a = a.Named(1); a.Slot() != 1 || a.Ready(1) || !a.Ready(2) || a.Epoch() != 4 {
		t.Fatalf("%v", a)
	}
}

func TestHeir(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ready []int
		heads [3]uint64
		from  int
		least uint64
		to    int
		ok    bool
	}{
		{"the other", []int{0, 1}, [3]uint64{9, 8}, 0, 0, 1, true},
		{"nobody ready", []int{0}, [3]uint64{9, 8}, 0, 0, 0, false},
		{"behind", []int{0, 1}, [3]uint64{9, 8}, 0, 9, 0, false},
		{"level", []int{0, 1}, [3]uint64{9, 9}, 0, 9, 1, true},
		{"highest", []int{0, 1, 2}, [3]uint64{5, 6, 7}, 0, 5, 2, true},
		{"tie, next cyclically", []int{0, 1, 2}, [3]uint64{7, 5, 7}, 1, 0, 2, true},
		{"tie after the last", []int{0, 1, 2}, [3]uint64{7, 7, 5}, 2, 0, 0, true},
		{"at zero", []int{0, 1}, [3]uint64{0, 0}, 0, 0, 1, true},
	} {
		var a Active
		for _, s := range tt.ready {
			a = a.WithReady(s)
		}
		to, ok := a.Heir(tt.from, 3, tt.least, func(s int) uint64 { return tt.heads[s] })
		if ok != tt.ok || (ok && to != tt.to) {
			t.Errorf("%s: %d, %t", tt.name, to, ok)
		}
	}
}

func TestHead(t *testing.T) {
	h := MakeHead(65536+3, 1<<47)
	if h.Published() != 1<<47 || !h.Of(3) || h.Of(4) {
		t.Errorf("%#x", uint64(h))
	}
}

// One CAS settles a block's decision, whoever proposes how often.
func TestDecision(t *testing.T) {
	_, _, j := words(t, testGeometry)
	a, b := recorder(t, j, 0, 1), recorder(t, j, 1, 1)
	const n = 3*Laps + 17
	if _, ok := j.Decision(n); ok {
		t.Fatal("decided before anybody did")
	}
	d, ok := a.Propose(n, 5)
	if !ok || d.Seq() != 5 || d.Sealed() || d.Skip() {
		t.Fatalf("%v, %t", d, ok)
	}
	if e, ok := b.Propose(n, 9); !ok || e != d {
		t.Fatalf("%v is not the first one's %v", e, d)
	}
	if e := b.SkipNew(n, d); !e.Skip() || e.Seq() != 5 {
		t.Fatalf("%v", e)
	}
	if a.Seal(n, d) {
		t.Error("sealed what was rendered without the SKIP")
	}
	if !b.Seal(n, d|skip) || !a.Seal(n, d|skip) {
		t.Error("the same decision does not seal twice")
	}
	sealed, _ := j.Decision(n)
	if e := a.SkipNew(n, sealed); e != sealed {
		t.Errorf("%v after the seal", e)
	}
	if _, ok := b.Propose(n-Laps, 1); ok || !b.Lapped(n-Laps) || b.Lapped(n) {
		t.Error("a worker a lap behind does not notice")
	}
	if d, ok := b.Propose(n+Laps, 6); !ok || d.Seq() != 6 {
		t.Errorf("the next lap: %v, %t", d, ok)
	}
}

func TestDecisionConcurrently(t *testing.T) {
	_, _, j := words(t, testGeometry)
	recs := []Recorder{recorder(t, j, 0, 1), recorder(t, j, 1, 1)}
	const blocks = 20000
	var got [2][blocks]Decision
	var wg sync.WaitGroup
	for i, r := range recs {
		wg.Go(func() {
			for n := range uint64(blocks) {
				got[i][n], _ = r.Propose(n, n*2+uint64(i))
			}
		})
	}
	wg.Wait()
	if got[0] != got[1] {
		t.Error("two workers hold different decisions")
	}
}

func TestStatusAndCause(t *testing.T) {
	_, _, j := words(t, testGeometry)
	r := recorder(t, j, 1, 7)
	r.Begin(100)
	if j.Published(1) != 100 || !j.Head(1).Of(7) {
		t.Fatalf("head %#x", uint64(j.Head(1)))
	}
	r.Rendering(100, 42)
	r.Module().Store(3)
	if got, want := j.Status(1), (Status{Generation: 7, Block: 100, Rendering: true, Seq: 42, Node: 2}); got != want {
		t.Fatalf("%+v, want %+v", got, want)
	}
	j.SetCause(1, 6, CauseSignal, 9)
	r.Ended(CausePanic, 0)
	j.SetCause(1, 7, CauseExit, 70)
	if got := j.Status(1); got.Cause != CausePanic {
		t.Errorf("%v: the worker's own word was overwritten", got.Cause)
	}
}

// What goes into a command ring comes out, in order, whole, over many laps.
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
			r.Took(seq)
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
	seg.Commands().Took(1)
	if err := w.Put(Command{Seq: CommandEntries + 1}); err != nil {
		t.Errorf("after one was taken: %v", err)
	}
}

// A ring holds block n iff its own generation has published it and it was not overwritten.
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

func TestSnapshotAndSeed(t *testing.T) {
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
	seed, sw, err := NewSeed(testGeometry, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer seed.Close()
	sr, err := AttachSeed(dup(t, seed.FD()))
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

func TestPlan(t *testing.T) {
	for _, text := range []string{"", "version: 1\n"} {
		seg, err := NewPlan(testGeometry, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		got, err := AttachPlan(dup(t, seg.FD()))
		seg.Close()
		if err != nil || string(got) != text {
			t.Errorf("%q, %v, want %q", got, err, text)
		}
	}
}

func TestEngineWords(t *testing.T) {
	c, p, _ := words(t, testGeometry)
	ro, err := c.ReadOnlyFD()
	if err != nil {
		t.Fatal(err)
	}
	v, err := AttachView(ro)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	c.Commit(7)
	c.Commit(3)
	c.RaiseLead(6)
	c.RaiseLead(5)
	c.RaiseLead(9) // beyond the ring of 8
	if v.Committed() != 7 || v.Lead() != 6 {
		t.Errorf("committed %d, lead %d", v.Committed(), v.Lead())
	}
	bell := v.Bell()
	p.Advance(11, false)
	p.Advance(12, true)
	p.Conceal()
	p.Ring()
	if v.Bell() == bell || v.Clock() != 2 {
		t.Errorf("bell %d, clock %d", v.Bell(), v.Clock())
	}
	if got, want := v.Counters(), (Counters{Callbacks: 1, Played: 2, Rescued: 1, Concealed: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if h, ok := v.Heard(1); !ok || h != 12 {
		t.Errorf("heard %d, %t", h, ok)
	}
	if _, ok := v.Heard(2); ok {
		t.Error("heard what was not played")
	}
	old := v.Active()
	if !c.Swap(old, old.WithReady(1)) || c.Swap(old, old.WithReady(0)) {
		t.Error("a CAS from a word that is gone")
	}
	p.Flip(v.Active(), 1)
	if a := v.Active(); a.Slot() != 1 || a.Epoch() != 2 || v.Counters().Flips != 1 {
		t.Errorf("%v", v.Active())
	}
	if at, ok := v.FlippedAt(2); !ok || at <= 0 || at > sys.Monotonic() {
		t.Errorf("flipped at %d, %t", at, ok)
	}
	if _, ok := v.FlippedAt(3); ok {
		t.Error("a flip that was not")
	}
}

// The audio path allocates nothing.
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
			cmds.Took(seq)
		},
		"block": func() {
			d, _ := rec.Propose(n, seq)
			rec.Rendering(n, seq)
			buf := out.Begin(n)
			out.Commit(n, Hash(buf))
			rec.Seal(n, d)
			rec.Publish(n + 1)
			in.Holds(n, j.Head(0))
			p.Advance(Hash(in.Block(n)), false)
			p.Ring()
			n++
		},
		"heir": func() { a := c.Active(); a.Heir(0, 2, 0, j.Published) },
		"wait": func() { c.Wait(c.Bell()+1, 1) },
	} {
		if got := testing.AllocsPerRun(200, f); got != 0 {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}
