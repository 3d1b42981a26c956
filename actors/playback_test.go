package actors

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// playing is a rig with an audio process that has a device, and that process's end of the connection.
func playing(t *testing.T, r *rig) (process *sys.Socket) {
	t.Helper()
	ours, theirs, err := sys.SocketPair()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = ours.Close()
		_ = theirs.Close()
	})
	r.audio = audioProcess{gen: 1, proc: sys.Process{FD: -1}, socket: ours, running: true, opened: true, silent: make(chan struct{})}
	r.control.SetTransport(shm.Play)
	return theirs
}

// callback is the callback's side of the words.
func callback(t *testing.T, r *rig) shm.Playback {
	t.Helper()
	fd, err := syscall.Dup(r.control.FD())
	if err != nil {
		t.Fatal(err)
	}
	p, err := shm.AttachPlayback(fd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// The worker whose ring is refused is replaced, with the reason told and no block blamed. Nothing
// else is: not for a worker that is gone, nor by a process that does not play.
func TestRefusedRing(t *testing.T) {
	var events []Event
	r := diverging(t, 3, 12, noSlot)
	r.emit = func(e Event) { events = append(events, e) }
	r.isStopped = func(*slot) bool { return false }
	playing(t, r)
	r.next = audioProcess{gen: 2}
	for i := range 2 {
		fd, err := syscall.Dup(r.journal.FD())
		if err != nil {
			t.Fatal(err)
		}
		rec, err := shm.AttachRecorder(fd, i, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer rec.Close()
		rec.Begin(12)
		rec.BeginRender(12, 0)
	}
	refuse := func(by uint64, slot int, gen uint64) {
		r.noteAudio(by, wire.Notice{Refused: &wire.Refused{AttachOrder: wire.AttachOrder{Slot: slot, Generation: gen}, Reason: "too small"}})
	}
	r.slots[2].phase = empty
	for _, slot := range []int{-1, 3, 1 << 40} {
		refuse(1, slot, 1)
	}
	refuse(1, 0, 2) // it has a successor, or none of this name
	refuse(1, 2, 1) // it has ended
	refuse(2, 0, 1)
	refuse(3, 0, 1)
	for _, s := range r.slots {
		if s.condemned {
			t.Errorf("worker %d was given up", s.number)
		}
	}
	refuse(1, 1, 1)
	refuse(1, 1, 1)
	if r.slots[0].condemned || !r.slots[1].condemned || r.audio.reason != "" {
		t.Errorf("given up: worker 0 %t, worker 1 %t; the audio process ends: %q", r.slots[0].condemned, r.slots[1].condemned, r.audio.reason)
	}
	if len(events) != 1 || !strings.Contains(events[0].String(), "worker 1") || !strings.Contains(events[0].String(), "too small") {
		t.Errorf("events %v", events)
	}
	if c := r.journal.Status(1).Cause; c != shm.CauseNone {
		t.Errorf("the block that worker 1 renders is blamed: %v", c)
	}
	r.condemn(r.slots[0], "it hangs")
	if c := r.journal.Status(0).Cause; c != shm.CauseHung {
		t.Errorf("a worker that hangs is on record with %v", c)
	}
}

// The next worker of a slot waits until the ring of the last is played out, but not for a ring that is
// refused, in whichever order its worker's end and the refusal become known.
func TestRefusedRingIsNotWaitedFor(t *testing.T) {
	for _, tt := range []struct {
		name    string
		refused uint64
		want    bool
	}{{"a good ring", 0, false}, {"another ring", 2, false}, {"the ring itself", 1, true}} {
		for _, before := range []bool{false, true} {
			r := diverging(t, 2, 12, noSlot)
			playing(t, r)
			refuse := func() {
				if tt.refused > 0 {
					r.noteAudio(1, wire.Notice{Refused: &wire.Refused{AttachOrder: wire.AttachOrder{Slot: 1, Generation: tt.refused}}})
				}
			}
			s := r.slots[1]
			if before {
				refuse()
			}
			s.retired, s.retiredGen = 12, s.gen // as buryWorker does
			s.enter(empty, time.Now())
			s.gen++
			if !before && tt.refused != s.gen {
				refuse()
			}
			if got := r.playedOut(s); got != tt.want {
				t.Errorf("%s, refused before the end %t: played out %t", tt.name, before, got)
			}
		}
	}
}

// A joiner has to be in the callback's hands before it is ready: its ring was sent, and was taken up.
// While there is no audio process, no joiner is ready: the next process may refuse its ring.
func TestReadyNeedsTheCallback(t *testing.T) {
	r := diverging(t, 2, 12, noSlot)
	process, words := playing(t, r), callback(t, r)
	r.stocking = true // no spare is wanted
	s := r.slots[1]
	s.cmds.Liveness().Store(1)
	a := r.control.Active()
	r.control.Swap(a, a.Without(1, 0))
	s.enter(joining, time.Now())
	for _, mapped := range []uint64{0, 7} { // 7: of whoever had the slot before
		words.SetMapped(1, mapped)
		r.tendJoining(s, time.Now())
		if s.phase != joining || r.control.Active().Ready(1) {
			t.Fatalf("ready, though the callback reads generation %d", mapped)
		}
	}
	r.audio.opened = false
	if r.tendJoining(s, time.Now()); s.phase != joining {
		t.Fatal("ready, though there is no audio process")
	}
	r.audio.opened = true
	o, fds, err := wire.Receive[wire.Order](process)
	if err != nil || o.Attach == nil || *o.Attach != (wire.AttachOrder{Slot: 1, Generation: 1}) || len(fds) != 1 {
		t.Fatalf("the audio process was sent %+v, %d descriptors, %v", o, len(fds), err)
	}
	sys.CloseAll(fds)
	words.SetMapped(1, 1)
	if r.tendJoining(s, time.Now()); s.phase != ready || !r.control.Active().Ready(1) {
		t.Errorf("%v, with all that it needs", s.phase)
	}
}

// An order to an audio process that is gone goes nowhere: not to the file that the kernel has given
// its number to meanwhile.
func TestOrderToAudioThatIsGone(t *testing.T) {
	r := diverging(t, 2, 12, noSlot)
	process := playing(t, r)
	number, silent := r.audio.socket.FD(), r.audio.silent
	go r.listen(r.audio)
	_ = process.Close()
	<-silent
	next, other, err := sys.SocketPair()
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	defer other.Close()
	if next.FD() != number && other.FD() != number {
		t.Fatalf("the sockets have numbers %d and %d, not %d, which was free", next.FD(), other.FD(), number)
	}
	r.handRing(r.slots[0])
	r.startAudio()
	if r.slots[0].handed || !strings.Contains(r.audio.reason, "closed") {
		t.Errorf("the ring was handed over: %t; the audio process ends: %q", r.slots[0].handed, r.audio.reason)
	}
	polled := []sys.PollFD{{FD: next.FD()}, {FD: other.FD()}}
	if sys.Poll(polled, nil, 0); polled[0].Ready || polled[1].Ready {
		t.Error("somebody else got the order")
	}
}
