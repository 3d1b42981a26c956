package stream

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Commands leave the queue in the order of their frames, and in the order of arrival at one frame.
func TestLawPending(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var p pending
		var want []Command // sorted by insertion
		seq := uint64(0)
		check := func() {
			got := p.take()
			if got != want[0] {
				rt.Fatalf("command %d of frame %d came, due was %d of %d", got.Seq, got.Frame, want[0].Seq,
					want[0].Frame)
			}
			want = want[1:]
		}
		for range rapid.IntRange(1, 200).Draw(rt, "steps") {
			if len(want) > 0 && rapid.IntRange(0, 2).Draw(rt, "take") == 0 {
				check()
				continue
			}
			seq++
			c := Command{Seq: seq, Frame: rapid.Uint64Range(0, 9).Draw(rt, "frame")}
			p.put(c)
			want = append(want, c)
			slices.SortStableFunc(want, func(a, b Command) int { return int(a.Frame) - int(b.Frame) })
		}
		for len(want) > 0 {
			check()
		}
		if _, ok := p.next(); ok {
			rt.Fatal("something is left")
		}
	})
}
