package audio

import "testing"

// If the active worker stops, the callback flips before its blocks are used up, and nothing is
// concealed.
func TestFlipsByLead(t *testing.T) {
	s := newStage(t, 2)
	at := 0
	for k := range 40 {
		if k < 10 {
			s.fillUp(0)
		}
		s.fillUp(1)
		s.continues(s.play(testBlock), at)
		at += testBlock
	}
	c := s.control.Counters()
	if s.control.Active().Slot() != 1 || c.Flips != 1 || c.Concealed != 0 {
		t.Errorf("%v, %+v", s.control.Active(), c)
	}
}

// A device that takes two blocks at a time also finds two blocks after the flip.
func TestFlipsByLeadOfTwoBlocks(t *testing.T) {
	s := newStage(t, 2)
	s.expect(2 * testBlock)
	at := 0
	for k := range 40 {
		for i := range 2 {
			for (i == 1 || k < 10) && s.journal.Published(i) < s.control.Clock()+6 {
				// the standby renders only blocks that the active worker has
				// published
				if i == 1 && s.control.Active().Slot() == 0 && s.journal.Published(1) >= s.journal.Published(0) {
					break
				}
				s.publish(i)
			}
		}
		before := s.control.Active()
		s.continues(s.play(2*testBlock), at)
		at += 2 * testBlock
		after := s.control.Active()
		if left := s.journal.Published(after.Slot()) - s.control.Clock(); after != before && left < 2 {
			t.Fatalf("the flip left %d blocks for the next call, which takes 2", left)
		}
	}
	if c := s.control.Counters(); c.Flips != 1 || c.Concealed != 0 {
		t.Errorf("%+v", c)
	}
}

// The active worker hangs right after a block that the standby, asleep until the next call, has not
// rendered. With a long period there is no second call to flip in. The model found this case:
// docs/model/timed.pml.
func TestFlipsToOneBehind(t *testing.T) {
	s := newGuardedStage(t, 2, 1)
	s.expect(3 * testBlock)
	at := 0
	call := func() {
		s.continues(s.play(3*testBlock), at)
		at += 3 * testBlock
	}
	s.fillUp(0)
	s.fillUp(1)
	call()
	s.publish(0)
	for range 4 {
		call()
		for s.control.Active().Slot() == 0 && s.journal.Published(1) < s.journal.Published(0) {
			s.publish(1)
		}
		if s.control.Active().Slot() == 1 {
			s.fillUp(1)
		}
	}
	if c := s.control.Counters(); c.Flips != 1 || c.Concealed != 0 {
		t.Errorf("%+v", c)
	}
}

// The callback does not flip to a worker that is not ready, or more than a call behind.
func TestDoesNotFlip(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ready bool
		head  int
	}{{"not ready", false, 6}, {"behind", true, 2}} {
		s := newStage(t, 2)
		if !tt.ready {
			a := s.control.Active()
			s.control.Swap(a, a.Without(1, 0))
		}
		for range 4 {
			s.publish(0)
		}
		for range tt.head {
			s.publish(1)
		}
		for range 3 {
			s.play(testBlock)
		}
		if s.control.Active().Slot() != 0 {
			t.Errorf("%s: flipped", tt.name)
		}
	}
}
