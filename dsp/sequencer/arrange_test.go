package sequencer_test

import (
	"reflect"
	"testing"

	"github.com/music-chronus/chronus/dsp/sequencer"
)

// Tracks that change places continue where they were. A released note gets no NoteOff. A new track
// begins at the bar.
func TestArrange(t *testing.T) {
	events := func(arrange bool) (list []sequencer.Event) {
		s := sequencer.New(48000)
		p, _ := sequencer.ParsePattern("x---x---")
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		must(s.SetPattern(0, &p))
		p.Base = 72
		must(s.SetPattern(1, &p))
		must(s.Assign(0, 0, sequencer.AtOnce))
		must(s.Assign(1, 1, sequencer.AtOnce))
		must(s.SetDivision(1, sequencer.Division{1, 3}))
		must(s.Start(0))
		for f := uint64(0); f < 200000; f++ {
			if arrange && f == 30000 {
				s.Advance(f)
				if n, ok := s.Release(0); !ok || n != 60 {
					t.Fatalf("note %d, %t", n, ok)
				}
				s.Arrange([sequencer.Tracks]int{1, -1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
				must(s.Assign(1, 0, sequencer.AtBar))
			}
			s.Take(f, func(e sequencer.Event) { list = append(list, e) })
		}
		return list
	}
	plain, arranged := events(false), events(true)
	var kept, went []sequencer.Event
	for _, e := range plain {
		if e.Track == 1 && e.Frame >= 30000 {
			e.Track = 0
			kept = append(kept, e)
		}
	}
	first := uint64(0)
	for _, e := range arranged {
		switch {
		case e.Frame < 30000:
		case e.Track == 0:
			went = append(went, e)
		case first == 0:
			first = e.Frame
		}
	}
	if len(kept) < 5 || !reflect.DeepEqual(kept, went) {
		t.Errorf("track 1 was to go on as track 0:\n%v\n%v", kept, went)
	}
	if first != 96000 {
		t.Errorf("the new track begins at frame %d, the bar is at 96000", first)
	}
}
