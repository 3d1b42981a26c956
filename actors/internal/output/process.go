package output

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/music-chronus/chronus/actors/internal/memory"
	"github.com/music-chronus/chronus/actors/internal/timing"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// Backends with a meaning of their own.
const (
	AutoBackend = "auto"
	nullBackend = "null" // a clock without a device
)

// The sockets in the runtime directory, on which audio processes listen.
const (
	MainSocket      = "audio.sock"       // of the process that plays
	CandidateSocket = "audio-next.sock"  // of the process that is to take over
	SpareSocket     = "audio-spare.sock" // of the process that waits
)

// Config says what to play on, and how to start the audio process.
type Config struct {
	RuntimeDir string        // of the sockets
	Preferred  wire.Target   // the requested device
	Fallback   []wire.Target // devices to play on while that one cannot be opened
	Rate       int           // Hz
	Channels   int
	Period     int // frames that the device is to take at a time; 0: its own choice
	ClientName string
	MinLead    int                  // blocks; 0: what the device needs
	LeadFor    func(period int) int // the lead in blocks that a period in frames needs
	Timeouts   timing.Timeouts
	Spawn      func(files []int, env []string) (sys.Process, error)
}

// Observer receives what happens to the audio process. Event, Processes and Ended are called with
// the Process locked, and must not call back.
type Observer interface {
	Event(report.Event)
	// Processes lists the living audio processes, the one that plays first.
	Processes(pids []int)
	// Ended reports the end of the process that plays.
	Ended(Exit)
	// Notice passes on what a process said. The receiver calls Process.Notice, with the Set locked.
	Notice(generation uint64, n wire.Notice)
}

// Exit is the end of an audio process.
type Exit struct {
	Generation uint64
	Exit       sys.Exit
	NeverOpen  bool // it never had a device
}

// process is one audio process.
type process struct {
	gen     uint64
	proc    sys.Process
	socket  *sys.Socket
	running bool // the process lives
	open    bool // it has a device
	info    wire.Opened
	reason  string        // why it said that it failed
	problem string        // of the device, which plays on
	silent  chan struct{} // closed once its last notice has been read
}

// Process is the audio process of an engine, with those that are to take over from it.
type Process struct {
	cfg Config
	mem memory.Memory
	obs Observer

	mu          sync.Mutex // guards everything below; locked after replica.Set's
	current     process
	candidate   process      // looks for the preferred device; see fallback.go
	candidateAt time.Time    // when candidate last started or ended
	spare       process      // waits for an order
	spareAt     time.Time    // when spare was last started, or ended
	generation  uint64       // of the last process started
	wiring      *wire.Wiring // the last connections of the device's ports; nil: unknown
	route       route
	unheardAt   time.Time // when Unheard was last reported; zero: the sound is heard

	playing         bool // the engine has begun to play
	preferredPlayed bool
	tookOver        bool // the engine took over another's processes
	stopping        bool
}

// New returns a Process that runs nothing yet. SetObserver comes before any other call.
func New(cfg Config, mem memory.Memory) *Process { return &Process{cfg: cfg, mem: mem} }

// SetObserver sets the Observer.
func (p *Process) SetObserver(o Observer) { p.obs = o }

// Start starts the audio process unless it runs, and asks it to open the device.
func (p *Process) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current.running || p.stopping {
		return nil
	}
	order := p.openOrder()
	if p.current.reason == "" {
		order.Known = p.current.info.Period // the device was not the cause of the end
	} else if p.spare.running {
		p.discardSpare()
	}
	if err := p.launch(&p.current, p.socket(MainSocket), order); err != nil {
		return fmt.Errorf("audio process: %w", err)
	}
	return nil
}

// launch has the spare process, or a new one, open a device in the place a, and listen at socket.
func (p *Process) launch(a *process, socket string, order wire.OpenOrder) error {
	if !p.spare.running {
		if err := p.startSpare(); err != nil {
			return err
		}
	}
	if err := os.Rename(p.socket(SpareSocket), socket); err != nil {
		return err
	}
	*a, p.spare, p.spareAt = p.spare, process{}, time.Now()
	p.record()
	p.connect(a, socket, order)
	return nil
}

// startSpare starts a process that waits for an order. Starting a process takes a third of the time
// until it plays, so one waits.
func (p *Process) startSpare() error {
	listener, err := sys.Listen(p.socket(SpareSocket))
	if err != nil {
		return err
	}
	defer listener.Close()
	journal, err := p.mem.Journal.ReadOnlyFD()
	if err != nil {
		return err
	}
	defer func() { _ = sys.CloseFD(journal) }()
	files := []int{p.mem.Control.FD(), journal, listener.FD(), p.mem.Checkpoints.FD(), p.mem.Plans.FD()}
	proc, err := p.cfg.Spawn(files, p.environment())
	if err != nil {
		return err
	}
	p.generation++
	p.spare = process{gen: p.generation, proc: proc, running: true}
	p.record()
	return nil
}

// discardSpare ends the spare process, whose view of the devices is stale since one was lost.
func (p *Process) discardSpare() {
	stale := p.spare.proc
	p.spare = process{}
	go stale.Discard(p.cfg.Timeouts.Stop)
}

// record reports the living processes.
func (p *Process) record() {
	var pids []int
	for _, a := range []*process{&p.current, &p.candidate, &p.spare} {
		if a.running {
			pids = append(pids, a.proc.PID)
		}
	}
	p.obs.Processes(pids)
}

func (p *Process) socket(name string) string { return filepath.Join(p.cfg.RuntimeDir, name) }

// openOrder is what an audio process is asked for. Before the engine has played, only the
// requested device is good enough; afterwards any is.
func (p *Process) openOrder() wire.OpenOrder {
	played := p.playing || p.tookOver
	return wire.OpenOrder{
		Target: p.preferred(), Others: p.cfg.Fallback, OrNull: played, Again: played,
		Rate: p.cfg.Rate, Channels: p.cfg.Channels, Period: p.cfg.Period,
		ClientName: p.cfg.ClientName, Wiring: p.wiring,
	}
}

// Open reports whether a device plays, or is ready to.
func (p *Process) Open() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current.open
}

// Period returns the frames that the device takes at a time, 0 if no device has been open.
func (p *Process) Period() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current.info.Period
}

// Attach hands a worker's ring to the audio process. Attach returns false if no device is open, or
// the process cannot be reached: then the caller tries again.
func (p *Process) Attach(ring *shm.Segment) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.current.open {
		return false
	}
	fd, err := ring.ReadOnlyFD()
	if err != nil {
		return false
	}
	defer func() { _ = sys.CloseFD(fd) }()
	slot, gen := ring.Slot()
	order := wire.Order{Attach: &wire.AttachOrder{Slot: slot, Generation: gen}}
	return wire.Send(p.current.socket, order, fd) == nil
}

// Play lets the device play. A process that cannot be reached is killed; the next one plays as soon
// as it has a device.
func (p *Process) Play() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.play()
}

func (p *Process) play() {
	if err := wire.Send(p.current.socket, wire.Order{Start: true}); err != nil {
		p.current.reason = err.Error()
		_ = p.current.proc.Signal(syscall.SIGKILL)
	}
}

// fit raises the lead to what the device needs.
func (p *Process) fit() {
	a := &p.current
	p.keepRoute()
	if note := p.deviation(a.info); note != "" {
		a.info.Note = strings.TrimPrefix(a.info.Note+"; "+note, "; ")
	}
	p.mem.Control.RaiseLead(max(p.cfg.MinLead, p.cfg.LeadFor(a.info.Period)))
}

// Opened starts the device that Notice or Reap reported as open, once the caller has attached all
// rings.
func (p *Process) Opened() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mem.Control.Transport() == shm.Play { // else there is nothing to play yet
		p.play()
	}
	a := &p.current
	p.obs.Event(report.AudioOpened{
		PID: a.proc.PID, Backend: a.info.Backend, Device: a.info.Device,
		Rate: a.info.Rate, Channels: a.info.Channels, Period: a.info.Period, Note: a.info.Note,
	})
}

// Stop keeps Process from starting anything.
func (p *Process) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopping = true
}

// Processes returns the living processes.
func (p *Process) Processes() (list []sys.Process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range []*process{&p.current, &p.candidate, &p.spare} {
		if a.running {
			list = append(list, a.proc)
		}
	}
	return list
}

// Status describes the device.
func (p *Process) Status() report.OutputStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	info := &p.current.info
	st := report.OutputStatus{
		Rate: p.cfg.Rate, Block: int(p.mem.Geometry.Block), Channels: p.cfg.Channels, Period: info.Period,
		Backend: info.Backend, Device: info.Device, Preferred: p.preferred().String(),
		OnFallback: info.OnFallback, Problem: p.current.problem, Unheard: p.unheard(),
		Note: info.Note, Path: info.Path, Advice: info.Advice,
	}
	if p.current.running {
		st.AudioPID = p.current.proc.PID
	}
	if p.wiring != nil {
		st.Wiring = p.wiring.Ports
	}
	return st
}
