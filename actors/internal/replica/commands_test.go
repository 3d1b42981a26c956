package replica

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/plans"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm"
)

// gates is a message of n commands.
func gates(n int) commandlog.Request {
	return commandlog.Request{Commands: slices.Repeat([]shm.Command{{Op: shm.OpGate, Node: 2, Value: 1}}, n)}
}

// lateness is a Requester that collects how late its commands begin.
type lateness struct{ list *[]float64 }

func (lateness) Answer(error)           {}
func (l lateness) Late(seconds float64) { *l.list = append(*l.list, seconds) }

// at gives a message a time tag.
func at(p commandlog.Request, frame int64, late *[]float64) commandlog.Request {
	p.Due, p.Timed, p.Requester = frame, true, lateness{late}
	for i := range p.Commands {
		p.Commands[i].Frame = uint64(max(frame, 1))
	}
	return p
}

// A batch is numbered without gaps, put into every ring as a whole, and committed once. Each
// message has one answer.
func TestBatchEntersWhole(t *testing.T) {
	r := diverging(t, 2, 4, noSlot)
	r.mem.Control.SetTransport(shm.Play)
	var answers []string
	answer := func(i int) func(error) { return func(err error) { answers = append(answers, fmt.Sprint(i, err)) } }
	b := commandlog.Batch{Plan: r.plans.Current().Number}
	for i, n := range []int{1, 64, 3} {
		p := gates(n)
		p.Requester = commandlog.RequesterFunc(answer(i))
		b.Requests = append(b.Requests, p)
	}
	r.EnterBatch(b)
	if r.mem.Control.Committed() != 68 || r.slots[0].Commands.Tail() != 68 || r.slots[1].Commands.Tail() != 68 || r.log.Len() != 68 {
		t.Errorf("committed %d, in the rings %d and %d, in the log %d", r.mem.Control.Committed(), r.slots[0].Commands.Tail(), r.slots[1].Commands.Tail(), r.log.Len())
	}
	if got := fmt.Sprint(answers); got != "[0 <nil> 1 <nil> 2 <nil>]" {
		t.Errorf("answers %s", got)
	}
	for i, c := range r.log.Commands() {
		answered := r.log.TakeRequester(c.Seq) != nil
		if c.Seq != uint64(i)+1 || answered != (i == 0 || i == 64 || i == 67) {
			t.Errorf("command %d: %+v, answered %t", i, c, answered)
		}
	}
	b.Plan++
	answers = nil
	r.EnterBatch(b)
	if got := fmt.Sprint(answers); got != fmt.Sprintf("[0 %[1]v 1 %[1]v 2 %[1]v]", plans.ErrReplaced) || r.mem.Control.Committed() != 68 {
		t.Errorf("of another plan: %s, committed %d", got, r.mem.Control.Committed())
	}
}

// A packet was resolved with the plan before. Its messages to missing nodes are refused, and the
// others enter with the new indexes of their nodes.
func TestBatchOfThePlanBefore(t *testing.T) {
	r := diverging(t, 2, 4, noSlot)
	r.mem.Control.SetTransport(shm.Play)
	text := "version: 1\nnodes:\n  - {id: lone, type: sine}\n  - {id: filter1, type: biquad}\n  - {id: adsr1, type: adsr}\ncables: [lone > filter1 > adsr1 > out]\n"
	was, err := r.plans.Compile("before", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	before, err := r.addPlan("before", []byte(text), was)
	if err != nil {
		t.Fatal(err)
	}
	node := func(plan *patch.Plan, id string) uint16 {
		return uint16(slices.IndexFunc(plan.Nodes(), func(n patch.PlanNode) bool { return n.ID == id }))
	}
	b, refused := commandlog.Batch{Plan: before.Number}, map[string]error{}
	for _, id := range []string{"lone", "adsr1", "filter1"} {
		p := gates(2)
		for i := range p.Commands {
			p.Commands[i].Node = node(was, id)
		}
		p.Requester = commandlog.RequesterFunc(func(err error) { refused[id] = err })
		b.Requests = append(b.Requests, p)
	}
	r.EnterBatch(b)
	if err := refused["lone"]; err == nil || !strings.Contains(err.Error(), `node "lone" is gone`) || refused["adsr1"] != nil || refused["filter1"] != nil || len(refused) != 3 {
		t.Errorf("answers: %v", refused)
	}
	var nodes []uint16
	for _, c := range r.log.Commands() {
		nodes = append(nodes, c.Node)
	}
	now := r.plans.Current().Plan
	if want := []uint16{node(now, "adsr1"), node(now, "adsr1"), node(now, "filter1"), node(now, "filter1")}; !slices.Equal(nodes, want) || r.mem.Control.Committed() != 4 {
		t.Errorf("nodes %v, want %v; committed %d", nodes, want, r.mem.Control.Committed())
	}
}

// A worker whose ring has no room for all of a batch is condemned, and gets none of it. If no ring
// has room, the whole batch is refused.
func TestBatchNeedsRoom(t *testing.T) {
	r := diverging(t, 2, 4, noSlot)
	r.mem.Control.SetTransport(shm.Play)
	enter := func(n int) error {
		_, err := r.enter(commandlog.Batch{Requests: []commandlog.Request{gates(n)}, Plan: r.plans.Current().Number})
		return err
	}
	if err := enter(commandlog.MaxBatch + 1); !errors.Is(err, commandlog.ErrBatchSize) {
		t.Errorf("too many at once: %v", err)
	}
	for range shm.CommandEntries/commandlog.MaxBatch - 1 {
		if err := enter(commandlog.MaxBatch); err != nil {
			t.Fatal(err)
		}
	}
	if err := enter(commandlog.MaxBatch - 1); err != nil {
		t.Fatal(err)
	}
	if err := enter(2); !errors.Is(err, commandlog.ErrRingsFull) || r.mem.Control.Committed() != shm.CommandEntries-1 {
		t.Errorf("no ring has room: %v, committed %d", err, r.mem.Control.Committed())
	}
	r.slots[0].Ring.Commands().Consume(100)
	if err := enter(2); err != nil || r.slots[0].Condemned || !r.slots[1].Condemned || r.slots[1].Commands.Tail() != shm.CommandEntries-1 {
		t.Errorf("%v; given up: %t and %t; the second has %d", err, r.slots[0].Condemned, r.slots[1].Condemned, r.slots[1].Commands.Tail())
	}
}

// A message is late exactly if a block that is decided without it begins after its time. The delay
// is reported.
func TestLateIsWhatBeginsLate(t *testing.T) {
	r := diverging(t, 2, 4, noSlot)
	r.mem.Control.SetTransport(shm.Play)
	fd, err := syscall.Dup(r.mem.Journal.FD())
	if err != nil {
		t.Fatal(err)
	}
	rec, err := shm.AttachRecorder(fd, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Close()
	for n := range uint64(10) { // of 64 frames each
		if _, ok := rec.Propose(n, 0); !ok {
			t.Fatal(n)
		}
	}
	var late []float64
	r.EnterBatch(commandlog.Batch{Plan: r.plans.Current().Number, Requests: []commandlog.Request{at(gates(1), 640, &late), at(gates(1), 639, &late), at(gates(2), -48000, &late), gates(1)}})
	if fmt.Sprint(late) != fmt.Sprint([]float64{1.0 / 48000, (640.0 + 48000) / 48000}) {
		t.Errorf("late: %v", late)
	}
	late = nil
	held := []commandlog.Request{at(gates(1), 48000, &late), gates(1), at(gates(1), 540, &late)}
	r.EnterBatch(commandlog.Batch{Plan: r.plans.Current().Number, Behind: 4800, Requests: held}) // commands with a time tag begin so much later
	if fmt.Sprint(late) != fmt.Sprint([]float64{0.1, 4900.0 / 48000}) {
		t.Errorf("late, while what plays is behind: %v", late)
	}
	if _, ok := rec.Propose(10, r.mem.Control.Committed()); !ok {
		t.Fatal("block 10")
	}
	if n := commandlog.EntryBlock(r.mem.Journal, r.mem.Control.Clock(), r.mem.Control.Committed()); n != 10 {
		t.Errorf("it entered block 10, not %d", n)
	}
}
