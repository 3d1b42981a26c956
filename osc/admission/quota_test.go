package admission_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/music-chronus/chronus/osc/admission"
)

// Other machines hold at most 48 of 64 places, one machine 16; this machine may hold all.
func TestQuota(t *testing.T) {
	q := admission.NewQuota(64)
	for m := range 5 {
		for i := range 20 {
			if got, want := q.Acquire(machine(m)), i < 16 && m < 3; got != want {
				t.Fatalf("machine %d, place %d: %t", m, i, got)
			}
		}
	}
	locals := []netip.Addr{here, netip.MustParseAddr("::1"), {}}
	for i := range 17 {
		if got := q.Acquire(locals[i%3]); got != (i < 16) {
			t.Fatalf("place %d of this machine: %t", i, got)
		}
	}
	for _, tt := range []struct {
		holder, from netip.Addr
		helps        bool
	}{
		{machine(0), here, true},
		{locals[1], here, true},
		{here, machine(0), false},
		{here, machine(9), false},
		{machine(0), machine(0), true},
		{machine(1), machine(0), false}, // machine 0 holds its share
		{machine(1), machine(9), true},
	} {
		if got := q.WouldHelp(tt.holder, tt.from); got != tt.helps {
			t.Errorf("a place of %v helps %v: %t", tt.holder, tt.from, got)
		}
	}
	q.Release(machine(1))
	if q.Acquire(machine(0)) || !q.Acquire(machine(9)) || q.Acquire(machine(1)) {
		t.Error("a released place went to a machine that holds its share")
	}
	for range 16 {
		q.Release(here)
	}
	for range 15 {
		q.Release(machine(1))
	}
	if here, away, machines := q.Held(); here != 0 || away != 33 || machines != 3 || q.Limit() != 64 {
		t.Errorf("%d, %d, %d are left of %d", here, away, machines, q.Limit())
	}
}

// However many other machines connect, a program of this machine finds a place, and another machine
// too. No connection of this machine is evicted for another machine.
func TestConnTable(t *testing.T) {
	const idle = time.Minute
	table, now := admission.NewConnTable(64, idle), start
	in := map[*admission.Conn]bool{}
	enter := func(from netip.Addr) *admission.Conn {
		c := &admission.Conn{From: from}
		evicted, ok := table.Enter(c, now)
		delete(in, evicted)
		if !ok {
			return nil
		}
		in[c] = true
		return c
	}
	for i := range 64 {
		enter(machine(i % 2))
	}
	if n := table.Len(); n != 32 {
		t.Errorf("two machines have %d connections", n)
	}
	if enter(machine(7)) == nil {
		t.Error("a third machine finds no place")
	}
	var locals []*admission.Conn
	for i := range 16 {
		if locals = append(locals, enter(netip.AddrFrom4([4]byte{127, 0, 0, byte(i + 1)}))); locals[i] == nil {
			t.Fatalf("program %d of this machine finds no place", i)
		}
	}
	now = now.Add(2 * idle) // the local connections are the ones that were idle for the longest
	for c := range in {
		if !c.From.IsLoopback() {
			c.Touch(start.Add(time.Second))
		}
	}
	for i := range 64 {
		enter(machine(10 + i))
	}
	now = now.Add(2 * idle)
	if table.Len() != 64 || enter(machine(0)) == nil || enter(machine(99)) == nil || table.Len() != 64 || len(in) != 64 {
		t.Errorf("%d connections; no other machine made room for other machines", table.Len())
	}
	for _, c := range locals {
		if !in[c] {
			t.Fatal("a program of this machine was evicted for another machine")
		}
	}
	if enter(netip.MustParseAddr("::1")) == nil || table.Len() != 64 {
		t.Errorf("%d connections; none made room for this machine", table.Len())
	}
	open := table.Close()
	for _, c := range open {
		table.Leave(c)
		table.Leave(c)
	}
	if here, away, _ := table.Held(); len(open) != 64 || table.Len() != 0 || here != 0 || away != 0 {
		t.Errorf("%d were open, %d are; %d and %d places are left", len(open), table.Len(), here, away)
	}
	if enter(here) != nil {
		t.Error("a closed table lets a connection in")
	}
}

// Only a connection that was idle for longer than the limit is evicted, the one that was idle for
// the longest first.
func TestConnTableEviction(t *testing.T) {
	table := admission.NewConnTable(2, time.Minute)
	a, b, c, d := &admission.Conn{From: here}, &admission.Conn{From: here}, &admission.Conn{From: here}, &admission.Conn{From: here}
	for _, tt := range []struct {
		after   time.Duration
		c       *admission.Conn
		evicted *admission.Conn
		ok      bool
	}{
		{0, a, nil, true}, {time.Second, b, nil, true}, {time.Minute, c, nil, false}, {2 * time.Minute, c, b, true}, {2 * time.Minute, d, nil, false},
	} {
		a.Touch(start.Add(90 * time.Second))
		if evicted, ok := table.Enter(tt.c, start.Add(tt.after)); evicted != tt.evicted || ok != tt.ok {
			t.Errorf("after %v: %p, %t", tt.after, evicted, ok)
		}
	}
}
