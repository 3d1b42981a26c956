package audio

import (
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// Player is the audio callback. It plays the active ring block by block, sets the lead, and flips
// when the active worker's lead shrinks to the guard. Fill allocates nothing, takes no lock, and
// makes no system call except the futex wake. Its steps are those of docs/failover-protocol.md.
type Player struct {
	words   shm.Playback
	journal shm.Journal
	guard   uint64
	slots   int

	rings [shm.MaxSlots]*shm.AudioReader // rings that the callback reads; nil: none
	next  [shm.MaxSlots]atomic.Pointer[shm.AudioReader]
	reads [shm.MaxSlots]atomic.Uint64 // their generations; 0: none

	block []float32 // block being played, after the fader
	at    int       // index of its next sample to play
	fader fader
	mix   mixer

	held       atomic.Bool  // the device calls, but nothing is played
	ending     atomic.Bool  // fade out, whatever the transport
	announced  atomic.Int64 // frames at a time, from Prepare; 0: unchanged
	burst      atomic.Int64 // frames that the device takes before a worker can answer
	calls      atomic.Int64
	lead       leadControl
	flips      flipControl
	clock      func() int64 // nanoseconds
	shortSince int64        // when Ready first found too few blocks; 0: it has enough
	started    bool         // this player may have moved the clock
	finished   atomic.Bool
}

// NewPlayer makes a player for a device with this number of channels, which may differ from the
// engine's: see mixer.
func NewPlayer(words shm.Playback, journal shm.Journal, channels int) *Player {
	g := words.Geometry()
	n := int(g.Block * g.Channels)
	return &Player{
		words: words, journal: journal, guard: uint64(g.Guard), slots: int(g.Slots), clock: sys.Monotonic,
		block: make([]float32, n), at: n,
		fader: newFader(int(g.Rate), int(g.Channels)),
		mix:   mixer{from: int(g.Channels), to: channels},
		lead: leadControl{
			frames: int(g.Block), guard: uint64(g.Guard), limit: uint64(g.Ring), current: words.Lead(),
		},
	}
}

// Expect sets how many frames at a time the device takes. Call it before the device calls Fill.
func (p *Player) Expect(frames int) {
	p.lead.demand.most, p.lead.demand.spanEnd = frames, p.clock()+int64(demandSpan)
	p.lead.burst = frames
	p.burst.Store(int64(frames))
}

// prepareWait is the most time that Prepare waits for workers.
const prepareWait = 200 * time.Millisecond

// Prepare raises the lead for a device that is about to take this many frames at a time. It waits
// until the active worker has rendered them. It must not run in the callback, but may run beside
// it.
func (p *Player) Prepare(frames int) {
	p.announced.Store(int64(frames))
	if p.words.Transport() != shm.Play || p.held.Load() {
		return
	}
	g := p.words.Geometry()
	l := leadControl{
		frames: int(g.Block), guard: p.guard, limit: uint64(g.Ring), asked: p.words.RequestedLead(), burst: frames,
	}
	if lead := l.target(); lead > p.words.Lead() {
		_, extra := p.words.LeadParts()
		p.words.SetLead(lead, frames, extra)
		p.words.Wake()
		pollFor(prepareWait, func() bool {
			return p.journal.Published(p.words.Active().Slot()) >= p.words.Clock()+lead
		})
	}
}

// Attach gives slot another ring, which the next call of Fill uses. View.Mapped and Reads then
// return its generation. Until then the old ring must stay mapped.
func (p *Player) Attach(slot int, ring shm.AudioReader) { p.next[slot].Store(&ring) }

// Reads returns the generation of the ring that the callback reads for slot; 0: none. The callback
// never returns to an earlier one.
func (p *Player) Reads(slot int) uint64 { return p.reads[slot].Load() }

// Hold silences the player, and stops it from moving the clock, until Hold(false).
func (p *Player) Hold(on bool) { p.held.Store(on) }

// FadeOut fades this player to silence, whatever the transport.
func (p *Player) FadeOut() { p.ending.Store(true) }

// Faded reports whether this player plays only silence from now on: it is held, or its fade has
// ended.
func (p *Player) Faded() bool { return p.held.Load() || p.finished.Load() }

// Burst returns how many frames the device takes before a worker can answer, as measured recently.
func (p *Player) Burst() int { return int(p.burst.Load()) }

// Fits reports whether the rings can hold the lead for a device that takes this many frames at a
// time. most is the largest number that fits.
func (p *Player) Fits(frames int) (most int, ok bool) {
	most = int((p.lead.limit - p.guard) / 2 * uint64(p.lead.frames))
	return most, frames <= most
}

// Calls returns the number of calls of Fill.
func (p *Player) Calls() int64 { return p.calls.Load() }

// Fill is the callback. out is interleaved, and holds whole frames of the device's channels.
func (p *Player) Fill(out []float32) {
	p.calls.Add(1)
	now := p.clock()
	p.lead.asked = p.words.RequestedLead()
	if p.held.Load() {
		p.lead.update(now, len(out)/p.mix.to)
		p.burst.Store(int64(p.lead.burst))
		clear(out)
		return
	}
	if !p.started { // until now the engine or another audio process has set the lead
		p.started, p.lead.current = true, p.words.Lead()
	}
	if frames := p.announced.Swap(0); frames > 0 {
		p.lead.demand.most = max(p.lead.demand.most, int(frames))
		p.lead.current = p.words.Lead()
	}
	lead := p.lead.update(now, len(out)/p.mix.to)
	p.burst.Store(int64(p.lead.burst))
	full := p.hasFullLead(now)
	p.setLead(lead)
	p.takeNewRings()
	if p.silent() {
		clear(out)
		p.words.EndCall()
		return
	}
	for len(out) > 0 {
		if p.at == len(p.block) {
			p.advance()
		}
		took, gave := p.mix.mix(out, p.block[p.at:])
		p.at += took
		out = out[gave:]
	}
	p.checkLead(now, full)
	p.words.EndCall()
}

// silent reports whether to play silence, before the start or after a fade. It tells the engine of
// a fade's end only under transport Fade: a process that is replaced says nothing.
func (p *Player) silent() bool {
	t := p.words.Transport()
	switch leave := p.ending.Load(); {
	case t == shm.Idle:
		p.finished.Store(leave)
		return true
	case t == shm.Play && !leave:
		return false
	}
	p.fader.close()
	if p.fader.closed() && silence(p.block[p.at:]) {
		p.finished.Store(true)
		if t == shm.Fade {
			p.words.SetFaded()
		}
	}
	return p.finished.Load()
}

// silence reports whether all samples are 0.
func silence(samples []float32) bool {
	for _, x := range samples {
		if x != 0 {
			return false
		}
	}
	return true
}

// takeNewRings starts to read the rings that were attached since the last call.
func (p *Player) takeNewRings() {
	for s := range p.slots {
		if r := p.next[s].Load(); r != p.rings[s] {
			p.rings[s] = r
			p.reads[s].Store(r.Generation())
			p.words.SetMapped(s, r.Generation())
		}
	}
}

// advance puts the next block into p.block: block c = clock from the active ring, else from any
// ring that holds it, also of a dead worker, else concealment, which keeps the clock. It skips a
// copy that differs from what its worker wrote.
func (p *Player) advance() {
	p.at = 0
	c := p.words.Clock()
	active := p.words.Active().Slot()
	for i := range p.slots {
		s := (active + i) % p.slots
		r := p.rings[s]
		if r == nil {
			continue
		}
		written, ok := r.Hash(c, p.journal.Head(s))
		if !ok {
			continue
		}
		copy(p.block, r.Block(c))
		hash := shm.Hash(p.block)
		if hash != written {
			p.words.CountDamaged() // a bit has changed in the ring itself
			continue
		}
		p.compare(c, s, hash)
		p.words.Advance(hash, i > 0)
		p.fader.apply(p.block)
		return
	}
	p.fader.conceal(p.block)
	p.words.CountConcealed()
}

// compare checks that the other rings hold the same block c as slot's ring, from which it is
// played.
func (p *Player) compare(c uint64, slot int, hash uint64) {
	for s, r := range p.rings[:p.slots] {
		if r == nil || s == slot {
			continue
		}
		if other, ok := r.Hash(c, p.journal.Head(s)); ok && other != hash {
			p.words.SetMismatch(c)
		}
	}
}

// patience is how long a device without a clock of its own waits for a stopped worker, before
// checkLead decides as in real time.
const patience = 20e6 // ns

// Ready reports whether a device without a clock of its own can take frames without concealment,
// and without falling below the guard.
func (p *Player) Ready(frames int) bool {
	if p.words.Transport() == shm.Idle || p.held.Load() {
		return p.held.Load() // a held player fills any number of frames with silence
	}
	if p.words.Transport() == shm.Fade || p.ending.Load() {
		return true
	}
	blocks := uint64(frames*p.mix.from/len(p.block) + 1)
	if p.journal.Published(p.words.Active().Slot()) >= p.words.Clock()+blocks+p.guard+p.lead.blocks()-1 {
		p.shortSince = 0
		return true
	}
	now := p.clock()
	if p.shortSince == 0 {
		p.shortSince = now
	}
	if now-p.shortSince > patience {
		p.checkLead(now, false)
	}
	p.words.EndCall()
	return false
}
