package commandlog_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/shm"
)

// A trimmed log keeps the requester and the batch of each command that is left. Slices that were
// read before stay as they were.
func TestTrim(t *testing.T) {
	var l commandlog.Log
	answered := uint64(0)
	for seq := uint64(1); seq <= 10; seq++ {
		l.Append(shm.Command{}, commandlog.RequesterFunc(func(error) { answered = seq }))
	}
	l.Join(3)
	old, _ := l.After(4)
	l.Trim(7)
	l.Append(shm.Command{}, nil)
	if l.Len() != 4 || l.Last() != 11 {
		t.Fatalf("%d commands, the last %d", l.Len(), l.Last())
	}
	for room, want := range []int{0, 0, 0, 3, 4} {
		if n := l.Fits(4, uint64(room)); n != want {
			t.Errorf("a ring with room for %d takes %d of 4, want %d", room, n, want)
		}
	}
	for seq := uint64(8); seq <= 10; seq++ {
		if l.TakeRequester(seq).Answer(nil); answered != seq {
			t.Errorf("the answer of command %d went to the requester of %d", seq, answered)
		}
		if l.TakeRequester(seq) != nil {
			t.Errorf("the requester of command %d can be taken twice", seq)
		}
	}
	for i, c := range old {
		if c.Seq != uint64(5+i) {
			t.Errorf("a slice that was read before has become %v", old)
		}
	}
	if _, ok := l.After(6); ok {
		t.Error("forgotten commands are still there")
	}
}

// Amend replaces a command for later readers, and keeps the slices of earlier ones.
func TestAmend(t *testing.T) {
	var l commandlog.Log
	for range 3 {
		l.Append(shm.Command{Op: shm.OpGate}, nil)
	}
	before := l.Commands()
	l.Amend(shm.Command{Seq: 2})
	l.Amend(shm.Command{Seq: 9}) // no longer in the log
	if c, ok := l.At(2); !ok || c.Op != shm.OpNone || before[1].Op != shm.OpGate {
		t.Errorf("%+v, before %+v", c, before[1])
	}
	if a := l.Amended(); len(a) != 1 || a[0].Seq != 2 {
		t.Errorf("amended %+v", a)
	}
	c, ok := l.Between(1, 3)
	if seqs := []uint64{c[0].Seq, c[1].Seq}; !ok || !slices.Equal(seqs, []uint64{2, 3}) {
		t.Errorf("between 1 and 3: %v", c)
	}
}

// No more commands wait for their frame than streams hold. Played ones wait no more.
func TestReserve(t *testing.T) {
	var l commandlog.Log
	requests := func(n int, frame uint64) []commandlog.Request {
		return []commandlog.Request{
			{Commands: slices.Repeat([]shm.Command{{Frame: frame}}, n), Timed: true},
			{Commands: make([]shm.Command, 5)},
		}
	}
	for i := range 4 {
		if err := l.Reserve(requests(1000, uint64(i+1)*100), 0); err != nil {
			t.Fatal(i, err)
		}
	}
	if err := l.Reserve(requests(1, 500), 99); !errors.Is(err, commandlog.ErrTimed) {
		t.Errorf("one more: %v", err)
	}
	if err := l.Reserve([]commandlog.Request{{Commands: make([]shm.Command, 5000)}}, 99); err != nil {
		t.Errorf("commands without a time: %v", err)
	}
	if err := l.Reserve(requests(1000, 500), 100); err != nil {
		t.Errorf("in the place of played ones: %v", err)
	}
	if err := l.Reserve(requests(1, 500), 100); !errors.Is(err, commandlog.ErrTimed) {
		t.Errorf("one more: %v", err)
	}
}
