package shm

import (
	"sync"
	"testing"

	"github.com/music-chronus/chronus/shm/sys"
)

func TestActive(t *testing.T) {
	var a Active
	a = a.WithReady(0).WithReady(2)
	if a.Slot() != 0 || !a.Ready(0) || a.Ready(1) || !a.Ready(2) || a.Epoch() != 2 || a.ReadyCount() != 2 {
		t.Fatalf("%v", a)
	}
	if a = a.Without(0, 2); a.Slot() != 2 || a.Ready(0) || !a.Ready(2) || a.Epoch() != 3 {
		t.Fatalf("%v", a)
	}
	if a = a.WithActive(1); a.Slot() != 1 || a.Ready(1) || !a.Ready(2) || a.Epoch() != 4 {
		t.Fatalf("%v", a)
	}
}

func TestSuccessor(t *testing.T) {
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
		to, ok := a.Successor(tt.from, 3, tt.least, func(s int) uint64 { return tt.heads[s] })
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
	r.BeginRender(100, 42)
	r.NodeWord().Store(3)
	if got, want := j.Status(1), (Status{Generation: 7, Block: 100, Rendering: true, Seq: 42, Node: 2}); got != want {
		t.Fatalf("%+v, want %+v", got, want)
	}
	j.SetCause(1, 6, CauseSignal, 9)
	r.RecordCause(CausePanic, 0)
	j.SetCause(1, 7, CauseExit, 70)
	if got := j.Status(1); got.Cause != CausePanic {
		t.Errorf("%v: the worker's own word was overwritten", got.Cause)
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
	for _, l := range []struct{ set, want uint64 }{{3, 3}, {8, 8}, {9, 8}, {0, 1}} {
		if p.SetLead(l.set, 64, 2); v.Lead() != l.want {
			t.Errorf("lead %d is %d, want %d", l.set, v.Lead(), l.want)
		}
	}
	c.RequestLead(5)
	if burst, extra := v.LeadParts(); burst != 64 || extra != 2 || v.RequestedLead() != 5 {
		t.Errorf("burst %d, extra %d, asked %d", burst, extra, v.RequestedLead())
	}
	bell := v.WakeSeq()
	p.Advance(11, false)
	p.Advance(12, true)
	p.CountConcealed()
	p.EndCall()
	if v.WakeSeq() == bell || v.Clock() != 2 {
		t.Errorf("bell %d, clock %d", v.WakeSeq(), v.Clock())
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
