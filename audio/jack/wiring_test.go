package jack

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// board is a graph in memory, with a client of two ports.
type board struct {
	inputs []string // of other clients
	have   [2][]string
	refuse bool
}

func (b *board) changes() uint32            { return 0 }
func (b *board) playback() []string         { return oneDevice(b.inputs) }
func (b *board) connected(own int) []string { return b.have[own] }
func (b *board) exists(port string) bool    { return slices.Contains(b.inputs, port) }

func (b *board) connect(own int, port string) bool {
	if !b.refuse {
		b.have[own] = append(b.have[own], port)
	}
	return !b.refuse
}

func (b *board) cut(own int) { b.have[own] = nil }

// leave removes all ports, connections first, as servers do.
func (b *board) leave() {
	b.have = [2][]string{}
	b.inputs = nil
}

func yes() bool { return true }

// table is a wiring on a board. The test calls check.
type table struct {
	t *testing.T
	b *board
	w *wiring
	// now is the time of the next check.
	now time.Time
}

func newTable(t *testing.T, b *board, want [][]string) *table {
	return &table{t: t, b: b, w: newWiring(b, "chronus", 2, want), now: time.Unix(0, 0)}
}

func (x *table) look(after time.Duration) {
	x.now = x.now.Add(after)
	x.w.check(x.now, yes)
}

// is fails unless the actual and the wanted connections are these, and the problem has this prefix.
func (x *table) is(connected, wanted [][]string, problem string) {
	x.t.Helper()
	if !slices.EqualFunc(x.b.have[:], connected, slices.Equal) {
		x.t.Errorf("connected %q, want %q", x.b.have, connected)
	}
	if got := *x.w.published.Load(); !slices.EqualFunc(got, wanted, slices.Equal) {
		x.t.Errorf("wiring %q, want %q", got, wanted)
	}
	if got := *x.w.problem.Load(); got != problem && (problem == "" || !strings.HasPrefix(got, problem)) {
		x.t.Errorf("problem %q, want %q", got, problem)
	}
}

var (
	speakers = []string{"system:playback_1", "system:playback_2"}
	stereo   = [][]string{{"system:playback_1"}, {"system:playback_2"}}
	nothing  = [][]string{{}, {}}
)

// By default each port is connected with one port of the first device.
func TestChoosesFirstDevice(t *testing.T) {
	x := newTable(t, &board{inputs: append(slices.Clone(speakers), "usb:playback_1")}, nil)
	x.is(nothing, nil, "")
	x.look(0)
	x.is(stereo, stereo, "")
	x = newTable(t, &board{inputs: []string{"headset:mono", "usb:playback_1"}}, nil)
	x.look(0)
	x.is([][]string{{"headset:mono"}, {}}, [][]string{{"headset:mono"}, {}}, "")
}

// Without a playback port the wiring reports a problem. It connects when a port appears, unless the
// user was first.
func TestWaitsForPlayback(t *testing.T) {
	x := newTable(t, &board{}, nil)
	x.look(0)
	x.is(nothing, nil, "JACK: no playback port: connect chronus:out_1 by hand")
	x.b.inputs = speakers
	x.look(0)
	x.is(stereo, stereo, "")

	x = newTable(t, &board{}, nil)
	x.look(0)
	x.b.have[1] = []string{"recorder:in"}
	x.look(0)
	hand := [][]string{{}, {"recorder:in"}}
	x.is(hand, hand, "")
	x.b.inputs = append([]string{"recorder:in"}, speakers...)
	x.look(0)
	x.is(hand, hand, "")
}

// All former connections are restored, each when its port appears, and no others.
func TestRestores(t *testing.T) {
	want := [][]string{{"recorder:in", "system:playback_2"}, {}}
	x := newTable(t, &board{inputs: speakers}, want)
	x.is(nothing, want, "")
	x.look(0)
	x.is([][]string{{"system:playback_2"}, {}}, want, "")
	x.b.inputs = append(x.b.inputs, "recorder:in")
	x.look(0)
	x.is([][]string{{"system:playback_2", "recorder:in"}, {}}, want, "")

	x = newTable(t, &board{inputs: speakers}, [][]string{})
	x.look(0)
	x.is(nothing, nothing, "")
}

// The wiring follows the user's connections and disconnections. A connection that is cut for a
// moment stays.
func TestLearns(t *testing.T) {
	x := newTable(t, &board{inputs: speakers}, nil)
	x.look(0)
	x.look(0)
	x.b.have[0] = append(x.b.have[0], "recorder:in")
	x.look(0)
	with := [][]string{{"system:playback_1", "recorder:in"}, {"system:playback_2"}}
	x.is(with, with, "")
	x.b.cut(1)
	x.look(0)
	x.is([][]string{with[0], {}}, with, "")
	x.look(cutDelay - 1)
	x.is([][]string{with[0], {}}, with, "")
	x.look(1)
	x.is([][]string{with[0], {}}, [][]string{with[0], {}}, "")
}

// A device that leaves and comes back is connected again.
func TestDeviceReturns(t *testing.T) {
	x := newTable(t, &board{inputs: speakers}, nil)
	x.look(0)
	x.look(0)
	x.b.cut(0)
	x.b.cut(1)
	x.look(0) // between the two steps of leaving
	x.b.leave()
	x.look(time.Hour)
	x.is(nothing, stereo, "JACK: nothing is connected: chronus:out_1 waits for system:playback_1")
	x.b.inputs = speakers
	x.look(time.Hour)
	x.is(stereo, stereo, "")
}

// A connection that the server refuses is tried again when the graph changes.
func TestRefusedConnection(t *testing.T) {
	x := newTable(t, &board{inputs: speakers, refuse: true}, stereo)
	x.look(0)
	x.is(nothing, stereo, "JACK: nothing is connected")
	x.b.refuse = false
	x.look(0)
	x.is(stereo, stereo, "")
}

// A server that ends during a check changes nothing.
func TestEndedServerChangesNothing(t *testing.T) {
	x := newTable(t, &board{inputs: speakers}, nil)
	x.look(0)
	x.b.leave()
	for range 3 {
		x.now = x.now.Add(time.Hour)
		x.w.check(x.now, func() bool { return false })
	}
	x.is(nothing, stereo, "")
}
