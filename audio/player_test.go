package audio

import (
	"math"
	"syscall"
	"testing"

	"github.com/music-chronus/chronus/shm"
)

// stage is a player with the segments of two workers. The test acts for the workers and the device.
type stage struct {
	t       *testing.T
	control shm.Control
	journal shm.Journal
	recs    [2]shm.Recorder
	slots   [2]*shm.Segment
	player  *Player
	now     int64 // the player's clock
}

const (
	testBlock = 64
	testLead  = 4
)

func newStage(t *testing.T, channels int) *stage { return newGuardedStage(t, channels, 2) }

func newGuardedStage(t *testing.T, channels int, guard uint32) *stage {
	t.Helper()
	return newStageOf(t, shm.Geometry{Rate: 48000, Block: testBlock, Channels: 2, Slots: 2, Ring: 8, Guard: guard}, channels)
}

func newStageOf(t *testing.T, g shm.Geometry, channels int) *stage {
	t.Helper()
	s := &stage{t: t}
	var err error
	if s.control, err = shm.NewControl(g, testLead); err != nil {
		t.Fatal(err)
	}
	if s.journal, err = shm.NewJournal(g); err != nil {
		t.Fatal(err)
	}
	words, err := shm.AttachPlayback(dup(t, s.control.FD()))
	if err != nil {
		t.Fatal(err)
	}
	s.player = NewPlayer(words, s.journal, channels)
	s.player.clock = func() int64 { return s.now }
	for i := range s.recs {
		s.join(i, 1, 0)
		a := s.control.Active()
		s.control.Swap(a, a.WithReady(i))
	}
	s.control.SetTransport(shm.Play)
	t.Cleanup(func() {
		words.Close()
		s.journal.Close()
		s.control.Close()
	})
	return s
}

func dup(t *testing.T, fd int) int {
	t.Helper()
	n, err := syscall.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// join puts a worker of a generation into slot i, which begins with block n, and attaches its ring.
func (s *stage) join(i int, gen, n uint64) {
	s.t.Helper()
	s.remake(i, gen, n)
	s.player.Attach(i, s.slots[i].AudioReader())
}

// remake puts a worker of a generation into slot i, which begins with block n.
func (s *stage) remake(i int, gen, n uint64) {
	s.t.Helper()
	var err error
	if s.recs[i], err = shm.AttachRecorder(dup(s.t, s.journal.FD()), i, gen); err != nil {
		s.t.Fatal(err)
	}
	if s.slots[i], _, err = shm.NewSlot(s.journal.Geometry(), i, gen); err != nil {
		s.t.Fatal(err)
	}
	s.recs[i].Begin(n)
}

// sample is frame f of block n: unique and above 0.
func sample(n uint64, f int) float32 { return float32(1+n*testBlock+uint64(f)) / (1 << 20) }

// publish publishes the next block of worker i.
func (s *stage) publish(i int) {
	n := s.journal.Published(i)
	w := s.slots[i].AudioWriter()
	buf := w.Begin(n)
	for k := range buf {
		buf[k] = sample(n, k/2)
	}
	w.Commit(n, shm.Hash(buf))
	s.recs[i].Publish(n + 1)
}

// fillUp publishes blocks of worker i up to the lead.
func (s *stage) fillUp(i int) {
	for s.journal.Published(i) < s.control.Clock()+s.control.Lead() {
		s.publish(i)
	}
}

// expect sets how many frames the device takes at a time, and raises the lead for them.
func (s *stage) expect(frames int) {
	s.player.Expect(frames)
	s.control.RaiseLead(int(s.player.lead.need()))
}

// play calls Fill for frames, a period after the last call, and returns the left channel.
func (s *stage) play(frames int) (left []float32) {
	s.now += max(int64(frames)*1e9/48000, 2*int64(answerTime))
	out := make([]float32, 2*frames)
	s.player.Fill(out)
	for i := 0; i < len(out); i += 2 {
		left = append(left, out[i])
	}
	return left
}

// continues fails unless got is the stream from frame at on.
func (s *stage) continues(got []float32, at int) {
	s.t.Helper()
	for i, v := range got {
		f := at + i
		if want := sample(uint64(f/testBlock), f%testBlock); v != want {
			s.t.Fatalf("frame %d is %g, want %g", f, v, want)
		}
	}
}

// Every block is played once, in order, for any period of the device.
func TestPlaysInOrder(t *testing.T) {
	for _, period := range []int{1, 17, 64, 100, 128} {
		s := newStage(t, 2)
		s.expect(period)
		for at := 0; at < 3000; at += period {
			s.fillUp(0)
			s.fillUp(1)
			s.continues(s.play(period), at)
		}
		if c := s.control.Counters(); c.Concealed != 0 || c.Rescued != 0 || c.Flips != 0 || c.Played != s.control.Clock() {
			t.Errorf("period %d: %+v", period, c)
		}
	}
}

// A block that only another ring holds is played from there, also if its worker is dead.
func TestRescues(t *testing.T) {
	s := newStage(t, 2)
	for range 4 {
		s.publish(1)
	}
	s.publish(0)
	s.publish(0)
	a := s.control.Active()
	s.control.Swap(a, a.Without(1, 0)) // it is dead
	s.continues(s.play(4*testBlock), 0)
	if c := s.control.Counters(); c.Rescued != 2 || c.Played != 4 || c.Concealed != 0 {
		t.Errorf("%+v", c)
	}
}

// A ring whose generation differs from the head's holds no block.
func TestGenerations(t *testing.T) {
	s := newStage(t, 2)
	s.fillUp(0)
	s.continues(s.play(4*testBlock), 0)
	s.recs[0].Publish(8) // the old ring, without the blocks
	s.join(0, 2, 4)
	for range 4 {
		s.publish(0)
	}
	s.continues(s.play(testBlock), 4*testBlock)
	if s.control.Mapped(0) != 2 {
		t.Errorf("generation %d is mapped", s.control.Mapped(0))
	}
}

// If a block is missing, the player fades out from the last frame and keeps the clock. Later it
// goes on at the very next frame. No sample is louder than one that was played.
func TestConceals(t *testing.T) {
	s := newStage(t, 2)
	for range 4 {
		s.publish(0)
	}
	before := s.play(4 * testBlock)
	peak := before[len(before)-1]
	gap := s.play(10 * testBlock)
	last := peak
	for i, v := range gap {
		if v > last || v < 0 {
			t.Fatalf("concealed frame %d is %g after %g", i, v, last)
		}
		last = v
	}
	if last != 0 {
		t.Errorf("the concealment ends at %g", last)
	}
	if c := s.control.Counters(); c.Concealed != 10 || s.control.Clock() != 4 {
		t.Errorf("%+v, clock %d", c, s.control.Clock())
	}
	var after []float32
	for range 8 {
		s.fillUp(0)
		after = append(after, s.play(testBlock)...)
	}
	for i, v := range after[:240] {
		if want := sample(4, i); v > want || v < 0 {
			t.Fatalf("faded-in frame %d is %g, the sound itself %g", i, v, want)
		}
	}
	s.continues(after[240:], 4*testBlock+240)
}

// A requested fade ends in silence and is reported. Nothing is played after it.
func TestFades(t *testing.T) {
	s := newStage(t, 2)
	s.fillUp(0)
	s.play(testBlock)
	s.control.SetTransport(shm.Fade)
	var out []float32
	for range 10 {
		s.fillUp(0)
		out = append(out, s.play(testBlock)...)
	}
	if !s.control.Faded() || out[len(out)-1] != 0 {
		t.Errorf("faded %t, last %g", s.control.Faded(), out[len(out)-1])
	}
	clock := s.control.Clock()
	s.play(testBlock)
	if s.control.Clock() != clock {
		t.Error("the clock moves on in silence")
	}
}

func TestIdle(t *testing.T) {
	s := newStage(t, 2)
	s.fillUp(0)
	s.control.SetTransport(shm.Idle)
	wakeSeq := s.control.WakeSeq()
	for _, v := range s.play(testBlock) {
		if v != 0 {
			t.Fatalf("%g while idle", v)
		}
	}
	if s.control.Clock() != 0 || s.control.WakeSeq() == wakeSeq {
		t.Errorf("clock %d, wakeSeq %d", s.control.Clock(), s.control.WakeSeq())
	}
}

// The heard log has the hash of what was copied out.
func TestHeard(t *testing.T) {
	s := newStage(t, 2)
	s.fillUp(0)
	s.play(testBlock)
	h, ok := s.control.Heard(0)
	want, _ := s.slots[0].AudioReader().Hash(0, s.journal.Head(0))
	if !ok || h != want {
		t.Errorf("%x, %t, want %x", h, ok, want)
	}
}

func TestReady(t *testing.T) {
	s := newStage(t, 2)
	if s.player.Ready(testBlock) {
		t.Error("ready with no block there")
	}
	s.fillUp(0)
	if !s.player.Ready(testBlock) || s.player.Ready(2*testBlock) {
		t.Error("with four blocks there, one can be taken without running into the guard, and two cannot")
	}
}

func TestMixer(t *testing.T) {
	for _, tt := range []struct {
		from, to int
		in, want []float32
	}{
		{2, 2, []float32{1, 2, 3, 4}, []float32{1, 2, 3, 4}},
		{2, 1, []float32{1, 2, 3, 4}, []float32{1.5, 3.5}},
		{1, 2, []float32{1, 2}, []float32{1, 1, 2, 2}},
		{2, 4, []float32{1, 2, 3, 4}, []float32{1, 2, 0, 0, 3, 4, 0, 0}},
		{3, 2, []float32{1, 2, 3}, []float32{1, 2}},
	} {
		out := make([]float32, len(tt.want))
		took, gave := mixer{tt.from, tt.to}.mix(out, tt.in)
		for i := range out {
			if out[i] != tt.want[i] {
				t.Errorf("%d to %d: %v, want %v", tt.from, tt.to, out, tt.want)
				break
			}
		}
		if took != len(tt.in) || gave != len(out) {
			t.Errorf("%d to %d: took %d, gave %d", tt.from, tt.to, took, gave)
		}
	}
}

// At full gain the fader changes no bit.
func TestFaderChangesNoBit(t *testing.T) {
	v := newFader(48000, 2)
	in := []float32{0.1, float32(math.Copysign(0, -1)), 1e-40, -1}
	got := append([]float32(nil), in...)
	v.apply(got)
	for i := range in {
		if math.Float32bits(in[i]) != math.Float32bits(got[i]) {
			t.Errorf("%g became %g", in[i], got[i])
		}
	}
}

func TestNoAllocs(t *testing.T) {
	s := newStage(t, 2)
	out := make([]float32, 2*100)
	if n := testing.AllocsPerRun(300, func() {
		s.fillUp(0)
		s.fillUp(1)
		s.player.Fill(out)
	}); n != 0 {
		t.Errorf("%v allocations a callback", n)
	}
	if n := testing.AllocsPerRun(300, func() { s.player.Fill(out) }); n != 0 {
		t.Errorf("%v allocations a concealed callback", n)
	}
}
