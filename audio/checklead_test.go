package audio

import "testing"

// A device that takes more than the lead is counted as an overrun. The active worker had its full
// lead, so the callback does not flip.
func TestOverrunIsNoFlip(t *testing.T) {
	s := newStage(t, 2)
	at := 0
	for _, frames := range []int{testBlock, testBlock, 6 * testBlock, testBlock} {
		s.fillUp(0)
		s.fillUp(1)
		got := s.play(frames)
		if frames == testBlock && at == 0 {
			s.continues(got, at)
		}
		at += frames
	}
	c := s.control.Counters()
	if c.Overruns != 1 || c.Flips != 0 || c.Late != 0 || c.Concealed != 2 {
		t.Errorf("%+v", c)
	}
	if s.control.Lead() != 8 { // the rings have 8 blocks; 2*6+2 are needed
		t.Errorf("lead %d", s.control.Lead())
	}
}

// Workers that are all too slow do not cause a flip in every call.
func TestOverloadDoesNotFlipForEver(t *testing.T) {
	s := newStage(t, 2)
	s.fillUp(0)
	s.fillUp(1)
	for k := range 320 {
		if k%2 == 0 {
			a := s.control.Active().Slot()
			s.publish(a)
			s.publish(1 - a)
		}
		s.play(testBlock)
	}
	c := s.control.Counters()
	if c.Flips > 320/retryCalls+1 {
		t.Errorf("%d flips in 320 calls", c.Flips)
	}
	if c.Late == 0 {
		t.Error("no worker was late")
	}
}

// If a worker publishes again after a flip away from it, it was only late, and the lead grows. A
// dead or stopped worker leaves the lead as it is.
func TestLeadGrowsForALivingWorker(t *testing.T) {
	for _, lives := range []bool{true, false} {
		s := newStage(t, 2)
		for k := range 30 {
			if k < 10 || lives && k > 14 {
				s.fillUp(0)
			}
			if a := s.control.Active().Slot(); a == 1 || s.journal.Published(1) < s.journal.Published(0) {
				s.fillUp(1)
			}
			s.continues(s.play(testBlock), k*testBlock)
		}
		c, want := s.control.Counters(), uint64(0)
		if lives {
			want = 1
		}
		if c.Flips != 1 || c.Concealed != 0 || c.Late != want || s.control.Lead() != testLead+want {
			t.Errorf("lives %t: %+v, lead %d", lives, c, s.control.Lead())
		}
	}
}

// A worker that has stopped gets the sound back only after it has published again.
func TestDoesNotFlipBackToAStoppedWorker(t *testing.T) {
	s := newStage(t, 2)
	s.fillUp(0)
	s.fillUp(1)
	for range 3 { // worker 0 stops
		s.play(testBlock)
	}
	s.publish(1) // worker 1 publishes one block: it is hardly ahead
	for k := range 3 * retryCalls {
		if s.play(testBlock); s.control.Active().Slot() != 1 {
			t.Fatalf("call %d: the sound is back at the worker that stands still", k)
		}
	}
}

// A worker that still catches up, as after all workers died, does not make the lead grow.
func TestLeadDoesNotGrowForAJoiner(t *testing.T) {
	for _, successor := range []bool{false, true} {
		s := newStage(t, 2)
		if !successor {
			a := s.control.Active()
			s.control.Swap(a, a.Without(1, 0))
		}
		for range 40 { // worker 0 publishes one block in each call, and never has its full lead
			s.publish(0)
			if successor && s.journal.Published(1) < s.journal.Published(0) {
				s.publish(1)
			}
			s.play(testBlock)
		}
		if c := s.control.Counters(); c.Late != 0 || s.control.Lead() != testLead {
			t.Errorf("successor %t: %+v, lead %d", successor, c, s.control.Lead())
		}
	}
}
