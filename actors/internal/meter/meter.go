package meter

import (
	"sync"
	"time"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// window is the time over which levels and loads are taken.
const window = time.Second

// silence is the linear level under which output is inaudible: -80 dB.
const silence = 1e-4

// Meter observes one engine. Its methods may be called from any goroutine. A nil Meter measures
// nothing.
type Meter struct {
	mu    sync.Mutex // guards everything below; a leaf: nothing is locked under it
	amp   float64    // of the engine, as last set
	mute  mute
	begun uint64          // notes and gates since the engine started
	held  map[uint32]bool // notes and gates that have not ended
	plays bool            // the sequencer's transport

	next        uint64    // the next block to read
	peak        float32   // since the window began
	since       time.Time // the begin of the window
	level       float32   // peak of the last complete window
	lastAudible time.Time

	usage map[int]usage   // by process
	load  map[int]float64 // of a core, by process
}

// usage is the processor time that a process had used at a time.
type usage struct {
	cpu time.Duration
	at  time.Time
}

// New returns a Meter of an engine that begins with a plan.
func New(p *patch.Plan) *Meter {
	return &Meter{
		amp: p.Nodes()[0].Values[patch.EngineAmp], plays: p.SeqNode() != 0 && p.Music.Play,
		held: map[uint32]bool{}, usage: map[int]usage{}, load: map[int]float64{},
	}
}

// Begin sets the values of a sound that an engine before this one began: the engine's amp, and
// whether the transport plays.
func (m *Meter) Begin(amp float64, plays bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.amp, m.plays = amp, plays
}

// Command observes a command of a plan that has been numbered.
func (m *Meter) Command(c shm.Command, plan *patch.Plan) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	key := uint32(c.Op)<<24 ^ uint32(c.Node)<<8 ^ uint32(c.Param)
	allOff := c.Op == shm.OpNote && c.Value == 0 && int(c.Param) > 127
	switch {
	case c.Op == shm.OpSet && c.Node == 0 && c.Param == patch.EngineAmp:
		m.amp = c.Value
		m.mute.on = m.mute.on && c.Value == 0
		m.mute.save()
	case c.Op == shm.OpSet && c.Node > 0 && plan != nil && int(c.Node) == plan.SeqNode() && c.Param == patch.SeqPlay:
		m.plays = c.Value != patch.PlayStop
	case c.Op == shm.OpPlan, allOff: // another plan has other nodes
		clear(m.held)
	case (c.Op == shm.OpNote || c.Op == shm.OpGate) && c.Value > 0:
		m.begun++
		m.held[key] = true
	case c.Op == shm.OpNote || c.Op == shm.OpGate:
		delete(m.held, key)
	}
}

// PlanChanged observes another plan. A plan that workers go on with keeps what is the same in both.
// With fromScratch, all workers begin at its start, with the values of its text.
func (m *Meter) PlanChanged(was, now *patch.Plan, fromScratch bool) {
	if m == nil || was == nil || now == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if fromScratch {
		m.amp, m.mute.on = now.Nodes()[0].Values[patch.EngineAmp], false
		m.mute.save()
		clear(m.held)
	}
	i, k := was.SeqNode(), now.SeqNode()
	if fromScratch || i == 0 || k == 0 || was.Nodes()[i].Sum != now.Nodes()[k].Sum || was.Music.Play != now.Music.Play {
		m.plays = k != 0 && now.Music.Play
	}
}

// Played reads the blocks that were played since the last call, as far as the ring still has them.
// head is the ring's, clock the next block to be played, size the ring's length in blocks.
func (m *Meter) Played(ring shm.AudioReader, head shm.Head, clock, size uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.next > clock || m.next+size/4 < clock {
		m.next = clock - min(clock, 4) // after a pause, or at the beginning
	}
	for ; m.next < clock; m.next++ {
		if ring.Holds(m.next, head) {
			m.peak = max(m.peak, peakOf(ring.Block(m.next)))
		}
	}
}

// Tick ends the window if it is over. workers returns the processes of the workers.
func (m *Meter) Tick(now time.Time, workers func() []sys.Process) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.peak > silence {
		m.lastAudible = now
	}
	if now.Sub(m.since) >= window {
		m.level, m.peak, m.since = m.peak, 0, now
		m.measureLoad(workers(), now)
	}
}

func peakOf(samples []float32) (peak float32) {
	for _, v := range samples {
		peak = max(peak, v, -v)
	}
	return peak
}

// measureLoad computes the load of each process since the last window.
func (m *Meter) measureLoad(list []sys.Process, now time.Time) {
	use, load := map[int]usage{}, map[int]float64{}
	for _, p := range list {
		pid := p.PID
		cpu, err := sys.CPUTime(pid)
		if err != nil {
			continue
		}
		use[pid] = usage{cpu, now}
		if was, ok := m.usage[pid]; ok && now.After(was.at) {
			load[pid] = float64(cpu-was.cpu) / float64(now.Sub(was.at))
		}
	}
	m.usage, m.load = use, load
}

// Reading is what a Meter shows.
type Reading struct {
	report.PlayStatus
	load map[int]float64
}

// Load returns the load of a worker's process, of a core, over the last second.
func (r Reading) Load(pid int) float64 { return r.load[pid] }

// Read returns the present readings.
func (m *Meter) Read() Reading {
	if m == nil {
		return Reading{}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return Reading{report.PlayStatus{
		Peak: float64(m.level), LastAudible: m.lastAudible, Muted: m.mute.on,
		NotesStarted: m.begun, NotesHeld: len(m.held), Transport: m.plays,
	}, m.load}
}
