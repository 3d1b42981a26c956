package output

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/internal/memory"
	"github.com/music-chronus/chronus/actors/internal/timing"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// observed is an Observer that collects what it receives.
type observed struct {
	p      *Process
	events []string
	ended  []Exit
}

func (o *observed) Event(e report.Event)           { o.events = append(o.events, e.String()) }
func (o *observed) Ended(e Exit)                   { o.ended = append(o.ended, e) }
func (o *observed) Notice(g uint64, n wire.Notice) { o.p.Notice(g, n) }
func (*observed) Processes([]int)                  {}

// process returns a Process on a backend, whose audio process is not there.
func newProcess(t *testing.T, backend string) (*Process, *observed) {
	t.Helper()
	mem, err := memory.New(shm.Geometry{Rate: 48000, Block: 64, Channels: 2, Guard: 2, Slots: 2, Ring: 64}, 16)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mem.Close)
	p := New(Config{
		RuntimeDir: t.TempDir(), Preferred: wire.Target{Backend: backend, Device: "out"},
		LeadFor: func(int) int { return 6 }, Timeouts: timing.Default(),
	}, mem)
	o := &observed{p: p}
	p.SetObserver(o)
	return p, o
}

// The engine plays on the clock for three minutes, then on a device. Unheard sound is reported at
// once and every minute, and no more.
func TestUnheard(t *testing.T) {
	p, o := newProcess(t, "jack")
	p.playing, p.current.open, p.current.info = true, true, wire.Opened{Backend: nullBackend, OnFallback: true, Note: "no server"}
	now := time.Now()
	for range 3 * 60 {
		p.updateUnheard(now)
		now = now.Add(time.Second)
	}
	if len(o.events) != 3 || !strings.Contains(o.events[0], "jack:out") || !strings.Contains(o.events[0], "no server") {
		t.Errorf("%d times: %q", len(o.events), o.events)
	}
	p.current.info = wire.Opened{Backend: "jack"}
	p.updateUnheard(now)
	if p.unheard() || len(o.events) != 3 {
		t.Errorf("on the device: %q", o.events[3:])
	}
	p.current.info = wire.Opened{Backend: nullBackend, OnFallback: true}
	p.updateUnheard(now.Add(time.Second))
	if len(o.events) != 4 {
		t.Errorf("lost again, and reported %d times", len(o.events)-3)
	}
}

// The backend auto stays with the server that it has found, and with its library.
func TestKeepPath(t *testing.T) {
	const lib = "/usr/lib/pipewire-0.3/jack"
	t.Setenv("LD_LIBRARY_PATH", "")
	for _, tt := range []struct {
		backend string
		opened  wire.Opened
		want    string
		env     []string
	}{
		{"auto", wire.Opened{Backend: "jack", Library: lib}, "jack", []string{"LD_LIBRARY_PATH=" + lib}},
		{"auto", wire.Opened{Backend: "jack"}, "jack", nil},
		{"auto", wire.Opened{Backend: "portaudio"}, "portaudio", nil},
		{"jack", wire.Opened{Backend: "jack", Library: lib}, "jack", []string{"LD_LIBRARY_PATH=" + lib}},
	} {
		p, _ := newProcess(t, tt.backend)
		clock := wire.Opened{Backend: nullBackend, OnFallback: true}
		p.current.open, p.current.info = true, clock
		if p.keepRoute(); p.preferred() != (wire.Target{Backend: tt.backend, Device: "out"}) {
			t.Errorf("%s: the clock was taken for the route: %v", tt.backend, p.preferred())
		}
		p.current.info = tt.opened
		p.keepRoute()
		p.current.info = clock
		p.keepRoute()
		if got := p.preferred(); got.Backend != tt.want || got.Device != "out" || !slices.Equal(p.environment(), tt.env) {
			t.Errorf("%s on %+v: %v, %v", tt.backend, tt.opened, got, p.environment())
		}
	}
}

// A device that was taken over is described if it differs from the requested one.
func TestDeviation(t *testing.T) {
	for _, tt := range []struct {
		tookOver bool
		backend  string
		period   int
		want     string
	}{
		{true, "auto", 128, ""},
		{true, "auto", 256, "keeps period 128, not 256"},
		{true, "jack", 0, "stays on backend portaudio, not jack"},
		{false, "jack", 256, ""},
	} {
		p := &Process{cfg: Config{Preferred: wire.Target{Backend: tt.backend}, Period: tt.period}, tookOver: tt.tookOver}
		got := p.deviation(wire.Opened{Backend: "portaudio", Period: 128})
		if !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
			t.Errorf("%+v: %q, want %q", tt, got, tt.want)
		}
	}
}

// Only the process that plays reports refused rings and problems. The candidate's device makes the
// current process end.
func TestNoticesOfOtherProcesses(t *testing.T) {
	p, o := newProcess(t, "jack")
	p.current = process{gen: 1, proc: sys.Process{FD: -1}, running: true}
	p.candidate = process{gen: 2}
	problem := "broken"
	for gen, want := range map[uint64]bool{1: true, 2: false, 3: false} {
		_, refused := p.Notice(gen, wire.Notice{Refused: &wire.Refused{}})
		if (refused != nil) != want {
			t.Errorf("the ring that process %d refused: %v", gen, refused)
		}
		o.events = nil
		p.Notice(gen, wire.Notice{Problem: &problem})
		if (len(o.events) == 1) != want {
			t.Errorf("the problem of process %d: %v", gen, o.events)
		}
	}
	if opened, _ := p.Notice(2, wire.Notice{Opened: &wire.Opened{}}); opened || p.candidate.open {
		t.Error("a candidate that has ended opened a device")
	}
	if opened, _ := p.Notice(1, wire.Notice{Opened: &wire.Opened{Backend: "jack", Period: 64}}); !opened || !p.Open() || p.Period() != 64 {
		t.Error("the current process has no device")
	}
	p.candidate.running = true
	if opened, _ := p.Notice(2, wire.Notice{Opened: &wire.Opened{Backend: "jack"}}); opened {
		t.Error("two processes play")
	}
	if promoted := p.reapCurrent(time.Now()); !promoted || p.current.gen != 2 || len(o.ended) != 0 {
		t.Errorf("promoted %t, process %d plays", promoted, p.current.gen)
	}
}

// An order to an audio process that is gone goes nowhere: not to the file that the kernel has given
// its number to meanwhile.
func TestOrderToAudioThatIsGone(t *testing.T) {
	p, _ := newProcess(t, "jack")
	ours, theirs, err := sys.SocketPair()
	if err != nil {
		t.Fatal(err)
	}
	number, silent := ours.FD(), make(chan struct{})
	p.current = process{gen: 1, proc: sys.Process{FD: -1}, socket: ours, running: true, open: true, silent: silent}
	go p.listen(p.current)
	_ = theirs.Close()
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
	ring, _, err := shm.NewSlot(p.mem.Geometry, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer ring.Close()
	attached := p.Attach(ring)
	p.Play()
	if attached || !strings.Contains(p.current.reason, "closed") {
		t.Errorf("the ring was handed over: %t; the audio process ends: %q", attached, p.current.reason)
	}
	polled := []sys.PollFD{{FD: next.FD()}, {FD: other.FD()}}
	if sys.Poll(polled, nil, 0); polled[0].Ready || polled[1].Ready {
		t.Error("another process got the order")
	}
}

// An order carries the ring of the right worker.
func TestAttach(t *testing.T) {
	p, _ := newProcess(t, "jack")
	ours, theirs, err := sys.SocketPair()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	defer theirs.Close()
	ring, _, err := shm.NewSlot(p.mem.Geometry, 1, 7)
	if err != nil {
		t.Fatal(err)
	}
	defer ring.Close()
	p.current = process{gen: 1, proc: sys.Process{FD: -1}, socket: ours, running: true}
	if p.Attach(ring) {
		t.Fatal("handed over, without a device")
	}
	p.current.open = true
	if !p.Attach(ring) {
		t.Fatal("not handed over")
	}
	o, fds, err := wire.Receive[wire.Order](theirs)
	if err != nil || o.Attach == nil || *o.Attach != (wire.AttachOrder{Slot: 1, Generation: 7}) || len(fds) != 1 {
		t.Fatalf("the audio process was sent %+v, %d descriptors, %v", o, len(fds), err)
	}
	_ = syscall.Close(fds[0])
}
