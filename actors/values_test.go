package actors

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/server"
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

// valueDesk is a desk without a socket, whose clock is the test's.
func valueDesk(t *testing.T, text string) (d *desk, clock *uint64) {
	t.Helper()
	d, err := newDesk(noOSC, server.Access{}, planOf(t, text))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.close)
	clock = new(uint64)
	d.clock = func() uint64 { return *clock }
	return d, clock
}

// has is what an address has now.
func (d *desk) has(t *testing.T, address string) string {
	t.Helper()
	view := d.view()
	i, ok := view.space.Lookup(address)
	if !ok {
		return "gone"
	}
	v, _, ok := view.Value(i)
	if !ok {
		return "none"
	}
	return fmt.Sprint(v)
}

// command is what an address and a value become.
func (d *desk) command(t *testing.T, seq, frame uint64, address string, value any) shm.Command {
	t.Helper()
	var list []shm.Command
	known := d.directory.Load()
	var dec osc.Decoder
	dec.Decode(encoded(t, address, value), func(m *osc.Message) {
		var err error
		if list, err = known.Resolve(m); err != nil {
			t.Fatal(err)
		}
	}, func(e *osc.DecodeError) { t.Fatal(e) })
	c := list[0]
	c.Seq, c.Frame, c.Plan = seq, frame, known.plan
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

// Values are those of the plan, then what entered last, but what is timed from its time on, and without what was left out.
func TestValues(t *testing.T) {
	d, clock := valueDesk(t, valuePatch)
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
	d.note(d.command(t, 1, 0, "/mod/a/freq", 100), false)
	d.note(d.command(t, 2, 0, "/gate/e", "on"), false)
	d.note(d.command(t, 3, 0, "/mod/f/mode", "bp"), false)
	expect("100 2 1 1")
	d.note(d.command(t, 4, 640, "/mod/a/freq", 200), false)
	d.note(d.command(t, 5, 320, "/mod/a/freq", 150), false)
	left := d.command(t, 6, 320, "/engine/amp", 0)
	d.note(left, false)
	expect("100 2 1 1")
	d.note(left, true)
	*clock = 384
	expect("150 2 1 1")
	*clock = 1000
	expect("200 2 1 1")
	d.note(d.command(t, 7, 0, "/mod/a/freq", 250), false)
	d.note(d.command(t, 8, 640, "/mod/a/freq", 90), false) // late: it is for now
	expect("90 2 1 1")
	bad := d.command(t, 9, 0, "/mod/f/mode", 0)
	d.note(bad, false)
	d.note(bad, true)
	d.note(bad, true)
	expect("90 2 1 1")
	bad.Plan++
	d.note(bad, false)
	expect("90 2 1 1")
	if got := fmt.Sprint(d.valued()); got != "map[/gate/e:1 /mod/a/freq:90 /mod/f/mode:2]" {
		t.Errorf("valued %s", got)
	}
	if d.has(t, "/status") != "none" || d.has(t, "/mod/x/y") != "gone" {
		t.Error("what has no value has one")
	}
}

// Of several settings of one address that were left out together, or some of them, what is left is the last that was not.
func TestValuesLeftOut(t *testing.T) {
	for _, tt := range []struct {
		left []int
		want string
	}{
		{[]int{2, 3}, "101"}, {[]int{3, 2}, "101"}, {[]int{1, 2, 3}, "300"}, {[]int{3, 1, 2}, "300"}, {[]int{1}, "103"}, {[]int{2}, "103"}, {[]int{3, 3}, "102"}, {[]int{1, 3}, "102"},
	} {
		d, _ := valueDesk(t, valuePatch)
		var all []shm.Command
		for i := range 3 {
			all = append(all, d.command(t, uint64(i+1), 0, "/mod/a/freq", 101+i))
			d.note(all[i], false)
		}
		for _, i := range tt.left {
			d.note(all[i-1], true)
		}
		if got := d.has(t, "/mod/a/freq"); got != tt.want {
			t.Errorf("without %d it is %s, want %s", tt.left, got, tt.want)
		}
	}
}

// No more commands wait for their time than there may be, however many come.
func TestValuesAhead(t *testing.T) {
	d, clock := valueDesk(t, valuePatch)
	for i := range uint64(3 * commandlog.MaxTimed) {
		d.note(d.command(t, i+1, 1000+i, "/mod/a/freq", float64(100+i%100)), false)
		if i == 2*commandlog.MaxTimed {
			*clock = 1000 + commandlog.MaxTimed/2
		}
	}
	if n := len(d.directory.Load().ahead); n > commandlog.MaxTimed {
		t.Errorf("%d wait", n)
	}
}

// A plan that follows another takes over what has its id and type, as the streams do, but for what it has changed itself, and what is still
// to come; one that is gone back to has what it had; one that does not follow has its own.
func TestValuesFollow(t *testing.T) {
	d, clock := valueDesk(t, valuePatch)
	for i, a := range []string{"/mod/a/freq", "/mod/b/freq", "/mod/f/cutoff"} {
		d.note(d.command(t, uint64(i+1), 0, a, 500), false)
	}
	d.note(d.command(t, 4, 6400, "/mod/f/q", 3), false)
	other := strings.NewReplacer("  - {id: a, type: sine, params: {freq: 300}}\n", "  - {id: c, type: noise}\n  - {id: a, type: sine, params: {freq: 310}}\n",
		"  - {id: b, type: sine}\n", "  - {id: b, type: saw}\n").Replace(valuePatch)
	if err := d.replan(&planned{number: 7, before: 0, seq: 5, plan: planOf(t, other)}); err != nil {
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
	*clock = 6400
	expect("310 " + d.has(t, "/mod/b/freq") + " 500 3 0.5")
	d.note(d.command(t, 6, 0, "/mod/f/cutoff", 600), false)
	if err := d.replan(&planned{number: 0, plan: planOf(t, valuePatch)}); err != nil { // it was left out
		t.Fatal(err)
	}
	expect("500 500 500 3 gone")
	if err := d.replan(&planned{number: 8, plan: planOf(t, other)}); err != nil { // all workers began anew
		t.Fatal(err)
	}
	expect("310 440 2000 " + q + " 0.5")
}

// A plan that is gone back to has the values that it had, however many are gone back over, and one after the other: without what was
// left out, though it was left out before the plan that is left; and so have those that followed.
func TestValuesGoneBackTo(t *testing.T) {
	plan := planOf(t, valuePatch)
	begin := func() (*desk, []shm.Command) {
		d, _ := valueDesk(t, valuePatch)
		var all []shm.Command
		for n := range uint64(4) { // plan n is set to 100 + n, and followed
			if n > 0 {
				other := planOf(t, strings.Replace(valuePatch, "nodes:\n", fmt.Sprintf("nodes:\n  - {id: x%d, type: noise}\n", n), 1))
				if n == 2 {
					other = plan
				}
				if err := d.replan(&planned{number: n, before: n - 1, seq: 10 * n, plan: other}); err != nil {
					t.Fatal(err)
				}
			}
			all = append(all, d.command(t, 10*n+1, 0, "/mod/a/freq", float64(100+n)))
			d.note(all[n], false)
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
			d.note(all[i], true)
		}
		got := []string{d.has(t, "/mod/a/freq")}
		for _, n := range tt.to {
			if err := d.replan(&planned{number: n, plan: plan}); err != nil {
				t.Fatal(err)
			}
			got = append(got, d.has(t, "/mod/a/freq"))
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("without %v, back to %v: %s, want %s", tt.left, tt.to, s, tt.want)
		}
	}
}

// No more plans are kept to go back to than can be gone back to.
func TestValuesKept(t *testing.T) {
	d, _ := valueDesk(t, valuePatch)
	for n := range uint64(3 * shm.Plans) {
		if err := d.replan(&planned{number: n + 1, before: n, seq: n + 1, plan: planOf(t, valuePatch)}); err != nil {
			t.Fatal(err)
		}
	}
	kept := 0
	for at := d.directory.Load(); at != nil; at = at.before {
		kept++
	}
	if kept != shm.Plans {
		t.Errorf("%d are kept", kept)
	}
}

// What is noted costs no memory.
func TestValuesAllocs(t *testing.T) {
	d, _ := valueDesk(t, valuePatch)
	c := d.command(t, 1, 0, "/mod/a/freq", 500)
	if n := testing.AllocsPerRun(100, func() { d.note(c, false); c.Seq++ }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// Each kind of event has an address of its own, and fields that can be sent.
func TestEventMessages(t *testing.T) {
	seen := map[string]bool{}
	for _, ev := range report.Kinds() {
		address, args := eventMessage(ev)
		if _, err := osc.Encode(address, args...); err != nil || seen[address] {
			t.Errorf("%T: %s %v: %v", ev, address, args, err)
		}
		seen[address] = true
		if a, usage := eventUsage(ev); a != address || len(strings.Fields(usage)) != len(args) {
			t.Errorf("%s: %q", a, usage)
		}
	}
	address, args := eventMessage(report.WorkerFailed{Slot: 1, PID: 7, Err: fmt.Errorf("no\x00memory%s", strings.Repeat("!", longest)), After: time.Second / 4})
	if got := fmt.Sprint(address, args); got != "/event/worker_failed[1 7 no memory"+strings.Repeat("!", longest-9)+" 0.25]" {
		t.Error(got)
	}
	if address, args = eventMessage(report.PatchChanged{Name: "song", Commit: Commit{Number: 3, Block: 10, Frame: 640}}); fmt.Sprint(address, args) != "/event/patch_changed[song 3 10 640]" {
		t.Error(address, args)
	}
}

// The time of a process is read whatever its name is.
func TestProcessTime(t *testing.T) {
	stat := "12 (a) b (c) S 1 1 1 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 5 0 9000 1 2 3"
	if spent, age, err := readProcessTime(stat, "100.50 180.00"); err != nil || spent != 2*time.Second || age != 10500*time.Millisecond {
		t.Errorf("%v of %v, %v", spent, age, err)
	}
	for _, bad := range []string{"", "1 (x) S 1", strings.Replace(stat, "150", "x", 1)} {
		if _, _, err := readProcessTime(bad, "1 1"); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	var w workload
	now := time.Now()
	mean, peak := w.of(ownPID(), now)
	for until := time.Now().Add(60 * time.Millisecond); time.Now().Before(until); { // busy for some ticks
	}
	if m, p := w.of(ownPID(), now.Add(loadEvery/2)); m != mean || p != peak {
		t.Error("it looks too often")
	}
	if m, p := w.of(ownPID(), now.Add(loadEvery)); m <= 0 || p < m {
		t.Errorf("mean %v, peak %v of a busy process", m, p)
	}
}

func BenchmarkNote(b *testing.B) {
	p, err := patch.Parse("default", patch.Default())
	if err != nil {
		b.Fatal(err)
	}
	plan, err := patch.Compile(p, 48000, 64, 2)
	if err != nil {
		b.Fatal(err)
	}
	v := newValues(plan)
	c := shm.Command{Op: shm.OpSet, Node: 1, Value: 440}
	b.ReportAllocs()
	for b.Loop() {
		c.Seq++
		v.note(c, c.Seq)
	}
}
