package actors

import (
	"crypto/rand"
	"encoding/hex"
	"runtime/debug"
	"time"

	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// meterEvery is the time over which levels and loads are taken.
const meterEvery = time.Second

// meter is what the engine process sees of the sound: how loud it is, how busy the workers are, what is being played. It looks at rings and
// commands from outside, so that the path of the sound knows nothing of it. The rig's lock holds it.
type meter struct {
	amp   float64
	was   float64 // the amp before it was muted
	muted bool
	keep  func(muted bool, was float64) // puts that on record; nil: nobody does
	kept  bool                          // muted, on record

	begun   uint64            // notes and gates
	held    map[uint32]bool   // those that have not ended
	playing bool              // the transport
	next    uint64            // the next block to look at
	peak    float32           // since the second began
	since   time.Time         // of that
	level   float32           // the peak of the last whole second
	heard   time.Time         // when it was last above silence
	usage   map[int]workerUse // by process
	load    map[int]float64   // of a core, by process
}

// workerUse is the processor time that a worker had taken.
type workerUse struct {
	cpu time.Duration
	at  time.Time
}

func newMeter(p *patch.Plan) *meter {
	return &meter{
		amp: p.Nodes()[0].Values[patch.EngineAmp], playing: p.SeqNode() != 0 && p.Music.Play,
		held: map[uint32]bool{}, usage: map[int]workerUse{}, load: map[int]float64{},
	}
}

// begin takes the values of a sound that an earlier engine has begun.
func (m *meter) begin(v *space.Values) {
	m.amp = v.Param(0, patch.EngineAmp)
	seq := v.Plan().SeqNode()
	m.playing = seq != 0 && v.Param(seq, patch.SeqPlay) != patch.PlayStop
}

// note takes notice of a command that has been numbered.
func (m *meter) note(c shm.Command, plan *patch.Plan) {
	if m == nil {
		return
	}
	k := uint32(c.Op)<<24 ^ uint32(c.Node)<<8 ^ uint32(c.Param)
	switch {
	case c.Op == shm.OpSet && c.Node == 0 && c.Param == patch.EngineAmp:
		m.amp = c.Value
		m.muted = m.muted && c.Value == 0
		m.keepMuted()
	case c.Op == shm.OpSet && c.Node > 0 && plan != nil && int(c.Node) == plan.SeqNode() && c.Param == patch.SeqPlay:
		m.playing = c.Value != patch.PlayStop
	case c.Op == shm.OpPlan, c.Op == shm.OpNote && c.Value == 0 && int(c.Param) > 127: // other nodes; all of them
		clear(m.held)
	case (c.Op == shm.OpNote || c.Op == shm.OpGate) && c.Value > 0:
		m.begun++
		m.held[k] = true
	case c.Op == shm.OpNote || c.Op == shm.OpGate:
		delete(m.held, k)
	}
}

// replan takes notice of another plan: one that goes on where the one before was keeps what is the same in both, as values.follow
// does; with one that all workers begin anew with, nothing is as it was set.
func (m *meter) replan(was, now *planned) {
	if m == nil || was == nil || was.plan == nil || now.plan == nil {
		return
	}
	anew := now.seq == 0 && was.before != now.number
	if anew {
		m.amp, m.muted = now.plan.Nodes()[0].Values[patch.EngineAmp], false
		m.keepMuted()
		clear(m.held)
	}
	i, k := was.plan.SeqNode(), now.plan.SeqNode()
	if anew || i == 0 || k == 0 || was.plan.Nodes()[i].Sum != now.plan.Nodes()[k].Sum || was.plan.Music.Play != now.plan.Music.Play {
		m.playing = k != 0 && now.plan.Music.Play
	}
}

// tendMeter looks at the blocks that were played since the last look, as far as the active worker's ring still has them.
func (r *rig) tendMeter(now time.Time) {
	m := r.meter
	if m == nil {
		return
	}
	if s := r.slots[r.control.Active().Slot()]; s.ring != nil {
		ring, clock, head := s.ring.AudioReader(), r.control.Clock(), r.journal.Head(s.number)
		if m.next > clock || m.next+uint64(r.geo.Ring)/4 < clock {
			m.next = clock - min(clock, 4) // after a pause, or at the beginning
		}
		for ; m.next < clock; m.next++ {
			if ring.Holds(m.next, head) {
				m.peak = max(m.peak, peakOf(ring.Block(m.next)))
			}
		}
	}
	if m.peak > silence {
		m.heard = now
	}
	if now.Sub(m.since) >= meterEvery {
		m.level, m.peak, m.since = m.peak, 0, now
		r.weighWorkers(now)
	}
}

// silence is the level, linear, under which nothing is heard: -80 dB.
const silence = 1e-4

func peakOf(samples []float32) (peak float32) {
	for _, v := range samples {
		peak = max(peak, v, -v)
	}
	return peak
}

// weighWorkers takes the processor time of each worker over the last second.
func (r *rig) weighWorkers(now time.Time) {
	use, load := map[int]workerUse{}, map[int]float64{}
	for _, s := range r.slots {
		if s.phase == empty {
			continue
		}
		pid := s.proc.PID
		cpu, err := sys.CPUTime(pid)
		if err != nil {
			continue
		}
		use[pid] = workerUse{cpu, now}
		if was, ok := r.meter.usage[pid]; ok && now.After(was.at) {
			load[pid] = float64(cpu-was.cpu) / float64(now.Sub(was.at))
		}
	}
	r.meter.usage, r.meter.load = use, load
}

// describe adds to a status what the meter knows.
func (m *meter) describe(st *Status) {
	if m == nil {
		return
	}
	st.Peak, st.Muted, st.NotesStarted, st.NotesHeld, st.Transport = float64(m.level), m.muted, m.begun, len(m.held), m.playing
	if !m.heard.IsZero() {
		st.LastAudible = m.heard
	}
	for i := range st.Workers {
		st.Workers[i].Load = m.load[st.Workers[i].PID]
	}
}

// newBoot names one life of an engine.
func newBoot() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // it never fails
	return hex.EncodeToString(b)
}

// Version is the version of the module, as Go's build knows it.
func Version() string {
	if b, ok := debug.ReadBuildInfo(); ok {
		for _, d := range append(b.Deps, &b.Main) {
			if d.Path == "github.com/music-chronus/chronus" && d.Version != "" {
				return d.Version
			}
		}
	}
	return "(devel)"
}

// sign adds to a status what is the same as long as the engine lives.
func (e *Engine) sign(st *Status) {
	st.Since, st.Warnings, st.BootID, st.Version, st.Protocol = e.since, e.warnings, e.boot, Version(), shm.Version
}
