package space_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/shm"
)

func planOf(t *testing.T, text string) *patch.Plan {
	t.Helper()
	p, err := patch.Parse("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := patch.Compile(p, 48000, 64, 2)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// board is a Tracker whose clock is the test's.
type board struct {
	*space.Tracker
	clock uint64
}

func boardOf(t *testing.T, text string) *board {
	t.Helper()
	status := space.Route{Entry: osc.Entry{Address: "/status", Kind: osc.Query}, Kind: space.Query, Handler: "status"}
	tr, err := space.NewTracker(planOf(t, text), status)
	if err != nil {
		t.Fatal(err)
	}
	return &board{Tracker: tr}
}

// record records a command at the present time.
func (b *board) record(c shm.Command) { b.Record(c, b.clock) }

// has returns what an address has now.
func (b *board) has(t *testing.T, address string) string {
	t.Helper()
	view := b.View()
	view.Values().ApplyDue(b.clock)
	i, ok := view.Space().Lookup(address)
	if !ok {
		return "gone"
	}
	v, _, ok := view.Value(i)
	if !ok {
		return "none"
	}
	return fmt.Sprint(v)
}

// command returns what an address and a value become.
func (b *board) command(t *testing.T, seq, frame uint64, address string, value any) shm.Command {
	t.Helper()
	packet, err := osc.Encode(address, value)
	if err != nil {
		t.Fatal(err)
	}
	var list []shm.Command
	var dec osc.Decoder
	dec.Decode(packet, func(m *osc.Message) {
		var err error
		if list, err = b.View().Routes().Resolve(m); err != nil {
			t.Fatal(err)
		}
	}, func(e *osc.DecodeError) { t.Fatal(e) })
	c := list[0]
	c.Seq, c.Frame, c.Plan = seq, frame, b.View().Number()
	return c
}

const valuePatch = `version: 1
nodes:
  - {id: a, type: sine, params: {freq: 300}}
  - {id: b, type: sine}
  - {id: e, type: adsr}
  - {id: f, type: biquad, params: {mode: hp}}
cables: [a > e > f > out, b > out]
`

// Values begin with the plan's. Commands set them in the order of entry; a timed command counts
// from its frame on, and a command that was left out does not count.
func TestValues(t *testing.T) {
	d := boardOf(t, valuePatch)
	expect := func(want string) {
		t.Helper()
		var got []string
		for _, a := range []string{"/mod/a/freq", "/mod/f/mode", "/gate/e", "/engine/amp"} {
			got = append(got, d.has(t, a))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("values %s, want %s", s, want)
		}
	}
	expect("300 1 0 1")
	d.record(d.command(t, 1, 0, "/mod/a/freq", 100))
	d.record(d.command(t, 2, 0, "/gate/e", "on"))
	d.record(d.command(t, 3, 0, "/mod/f/mode", "bp"))
	expect("100 2 1 1")
	d.record(d.command(t, 4, 640, "/mod/a/freq", 200))
	d.record(d.command(t, 5, 320, "/mod/a/freq", 150))
	left := d.command(t, 6, 320, "/engine/amp", 0)
	d.record(left)
	expect("100 2 1 1")
	d.Undo(left)
	d.clock = 384
	expect("150 2 1 1")
	d.clock = 1000
	expect("200 2 1 1")
	d.record(d.command(t, 7, 0, "/mod/a/freq", 250))
	d.record(d.command(t, 8, 640, "/mod/a/freq", 90)) // late: it is for now
	expect("90 2 1 1")
	bad := d.command(t, 9, 0, "/mod/f/mode", 0)
	d.record(bad)
	d.Undo(bad)
	d.Undo(bad)
	expect("90 2 1 1")
	bad.Plan++
	d.record(bad)
	expect("90 2 1 1")
	if got := fmt.Sprint(d.View().Changed()); got != "map[/gate/e:1 /mod/a/freq:90 /mod/f/mode:2]" {
		t.Errorf("changed %s", got)
	}
	if d.has(t, "/status") != "none" || d.has(t, "/mod/x/y") != "gone" {
		t.Error("what has no value has one")
	}
}

// If some of several settings of one address are left out, the last of the others counts.
func TestValuesLeftOut(t *testing.T) {
	for _, tt := range []struct {
		left []int
		want string
	}{
		{[]int{2, 3}, "101"}, {[]int{3, 2}, "101"}, {[]int{1, 2, 3}, "300"}, {[]int{3, 1, 2}, "300"}, {[]int{1}, "103"}, {[]int{2}, "103"}, {[]int{3, 3}, "102"}, {[]int{1, 3}, "102"},
	} {
		d := boardOf(t, valuePatch)
		var all []shm.Command
		for i := range 3 {
			all = append(all, d.command(t, uint64(i+1), 0, "/mod/a/freq", 101+i))
			d.record(all[i])
		}
		for _, i := range tt.left {
			d.Undo(all[i-1])
		}
		if got := d.has(t, "/mod/a/freq"); got != tt.want {
			t.Errorf("without %d it is %s, want %s", tt.left, got, tt.want)
		}
	}
}

// The commands that wait for their frame are bounded.
func TestValuesAhead(t *testing.T) {
	d := boardOf(t, valuePatch)
	for i := range uint64(3 * space.MaxAhead) {
		d.record(d.command(t, i+1, 1000+i, "/mod/a/freq", float64(100+i%100)))
		if i == 2*space.MaxAhead {
			d.clock = 1000 + space.MaxAhead/2
		}
	}
	if n := d.View().Values().Ahead(); n > space.MaxAhead {
		t.Errorf("%d wait", n)
	}
}

// A plan set by a command inherits the values of nodes that have their id and type in both plans,
// and the commands that wait. Values that the new text changes are the new plan's. A plan that is
// reverted to has its former values, and any other plan its own.
func TestValuesFollow(t *testing.T) {
	d := boardOf(t, valuePatch)
	for i, a := range []string{"/mod/a/freq", "/mod/b/freq", "/mod/f/cutoff"} {
		d.record(d.command(t, uint64(i+1), 0, a, 500))
	}
	d.record(d.command(t, 4, 6400, "/mod/f/q", 3))
	other := strings.NewReplacer("  - {id: a, type: sine, params: {freq: 300}}\n", "  - {id: c, type: noise}\n  - {id: a, type: sine, params: {freq: 310}}\n",
		"  - {id: b, type: sine}\n", "  - {id: b, type: saw}\n").Replace(valuePatch)
	if err := d.Change(space.Change{Number: 7, Follows: 0, Command: true, Plan: planOf(t, other)}); err != nil {
		t.Fatal(err)
	}
	expect := func(want string) {
		t.Helper()
		var got []string
		for _, a := range []string{"/mod/a/freq", "/mod/b/freq", "/mod/f/cutoff", "/mod/f/q", "/mod/c/gain"} {
			got = append(got, d.has(t, a))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("values %s, want %s", s, want)
		}
	}
	q := fmt.Sprint(planOf(t, valuePatch).Nodes()[4].Values[2])
	expect("310 " + d.has(t, "/mod/b/freq") + " 500 " + q + " 0.5")
	if d.has(t, "/mod/b/freq") == "500" {
		t.Error("a node of another type took over a value")
	}
	d.clock = 6400
	expect("310 " + d.has(t, "/mod/b/freq") + " 500 3 0.5")
	d.record(d.command(t, 6, 0, "/mod/f/cutoff", 600))
	if err := d.Change(space.Change{Number: 0, Plan: planOf(t, valuePatch)}); err != nil { // it was left out
		t.Fatal(err)
	}
	expect("500 500 500 3 gone")
	if err := d.Change(space.Change{Number: 8, Plan: planOf(t, other)}); err != nil { // all workers began anew
		t.Fatal(err)
	}
	expect("310 440 2000 " + q + " 0.5")
}

// A plan that is reverted to has its former values, over any number of plans. Settings that were
// left out do not count, in that plan and in those that followed it.
func TestValuesGoneBackTo(t *testing.T) {
	plan := planOf(t, valuePatch)
	begin := func() (*board, []shm.Command) {
		d := boardOf(t, valuePatch)
		var all []shm.Command
		for n := range uint64(4) { // plan n is set to 100 + n, and followed
			if n > 0 {
				other := planOf(t, strings.Replace(valuePatch, "nodes:\n", fmt.Sprintf("nodes:\n  - {id: x%d, type: noise}\n", n), 1))
				if n == 2 {
					other = plan
				}
				if err := d.Change(space.Change{Number: n, Follows: n - 1, Command: true, Plan: other}); err != nil {
					t.Fatal(err)
				}
			}
			all = append(all, d.command(t, 10*n+1, 0, "/mod/a/freq", float64(100+n)))
			d.record(all[n])
		}
		return d, all
	}
	for _, tt := range []struct {
		left []int    // settings that were left out
		to   []uint64 // plans that are gone back to
		want string
	}{
		{nil, []uint64{2, 1, 0}, "103 102 101 100"}, {nil, []uint64{1, 0}, "103 101 100"}, {nil, []uint64{0}, "103 100"},
		{[]int{0}, []uint64{0}, "103 300"}, {[]int{1}, []uint64{2, 1}, "103 102 100"}, {[]int{1, 3}, []uint64{2, 1}, "102 102 100"}, {[]int{1, 2, 3}, []uint64{2, 1, 0}, "100 100 100 100"},
	} {
		d, all := begin()
		for _, i := range tt.left {
			d.Undo(all[i])
		}
		got := []string{d.has(t, "/mod/a/freq")}
		for _, n := range tt.to {
			if err := d.Change(space.Change{Number: n, Plan: plan}); err != nil {
				t.Fatal(err)
			}
			got = append(got, d.has(t, "/mod/a/freq"))
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("without %v, back to %v: %s, want %s", tt.left, tt.to, s, tt.want)
		}
	}
}

// The plans that can be reverted to are bounded by shm.Plans.
func TestValuesKept(t *testing.T) {
	d := boardOf(t, valuePatch)
	for n := range uint64(3 * shm.Plans) {
		if err := d.Change(space.Change{Number: n + 1, Follows: n, Command: true, Plan: planOf(t, valuePatch)}); err != nil {
			t.Fatal(err)
		}
	}
	if n := d.View().Versions(); n != shm.Plans {
		t.Errorf("%d are kept", n)
	}
}

// Record allocates nothing.
func TestValuesAllocs(t *testing.T) {
	d := boardOf(t, valuePatch)
	c := d.command(t, 1, 0, "/mod/a/freq", 500)
	if n := testing.AllocsPerRun(100, func() { d.record(c); c.Seq++ }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRecord(b *testing.B) {
	p, err := patch.Parse("default", patch.Default())
	if err != nil {
		b.Fatal(err)
	}
	plan, err := patch.Compile(p, 48000, 64, 2)
	if err != nil {
		b.Fatal(err)
	}
	v := space.NewValues(plan)
	c := shm.Command{Op: shm.OpSet, Node: 1, Value: 440}
	b.ReportAllocs()
	for b.Loop() {
		c.Seq++
		v.Record(c, c.Seq)
	}
}
