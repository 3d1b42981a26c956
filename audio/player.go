package audio

import (
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// Player is the audio callback: it plays the active ring, block after block, sets the lead, and flips
// when the active worker's lead shrinks to the guard. Fill allocates nothing, locks nothing, and makes no
// system call but the futex wake. Its steps are those of docs/failover-protocol.md.
type Player struct {
	words   shm.Playback
	journal shm.Journal
	guard   uint64
	slots   int

	rings [shm.MaxSlots]*shm.AudioReader // what the callback reads; nil: nothing
	next  [shm.MaxSlots]atomic.Pointer[shm.AudioReader]
	reads [shm.MaxSlots]atomic.Uint64 // generations of rings

	block []float32 // the block being played, as it is heard
	at    int       // samples of it already given out
	fader fader
	mix   mixer

	held       atomic.Bool  // the device is to call, but not yet to play
	ending     atomic.Bool  // this process was told to end
	announced  atomic.Int64 // frames that the device will take at a time, of Prepare; 0: as before
	burst      atomic.Int64 // frames that the device takes before a worker can answer
	calls      atomic.Int64
	lead       leadControl
	flips      flipControl
	clock      func() int64 // nanoseconds
	shortSince int64        // when Ready first found too little, 0: it did not
	started    bool         // this player has moved the clock, or might have
	finished   atomic.Bool
}

// NewPlayer makes a player for a device of the given number of channels, which may differ from
// the engine's. mixing is described at mixer.
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

// Expect says, before the device calls, that it takes so many frames at a time.
func (p *Player) Expect(frames int) {
	p.lead.demand.most, p.lead.demand.spanEnd = frames, p.clock()+int64(demandSpan)
	p.lead.burst = frames
	p.burst.Store(int64(frames))
}

// prepareWait is how long Prepare waits for the workers at the most.
const prepareWait = 200 * time.Millisecond

// Prepare raises the lead for a device that is about to take so many frames at a time, and waits until
// the active worker has rendered as much. It is not for the callback, which may run meanwhile.
func (p *Player) Prepare(frames int) {
	p.announced.Store(int64(frames))
	if p.words.Transport() != shm.Play || p.held.Load() {
		return
	}
	g := p.words.Geometry()
	l := leadControl{frames: int(g.Block), guard: p.guard, limit: uint64(g.Ring), asked: p.words.RequestedLead(), burst: frames}
	if lead := l.target(); lead > p.words.Lead() {
		_, extra := p.words.LeadParts()
		p.words.SetLead(lead, frames, extra)
		p.words.Wake()
		pollFor(prepareWait, func() bool {
			return p.journal.Published(p.words.Active().Slot()) >= p.words.Clock()+lead
		})
	}
}

// Attach hands the callback another ring for slot. It is taken up at the next call, which says so in
// View.Mapped and in Reads; until then the old ring may be read and must stay mapped.
func (p *Player) Attach(slot int, ring shm.AudioReader) { p.next[slot].Store(&ring) }

// Reads is the generation of the ring that the callback reads for slot, 0 for none. It never reads
// an earlier one again.
func (p *Player) Reads(slot int) uint64 { return p.reads[slot].Load() }

// Hold keeps the player silent, and out of everybody's way, until it is let go.
func (p *Player) Hold(on bool) { p.held.Store(on) }

// FadeOut makes this player, and not the transport alone, fade to silence.
func (p *Player) FadeOut() { p.ending.Store(true) }

// Faded tells whether this player gives out nothing but silence from now on: it is held, or its
// fade has ended.
func (p *Player) Faded() bool { return p.held.Load() || p.finished.Load() }

// Burst is how many frames the device takes before a worker can answer, as measured of late.
func (p *Player) Burst() int { return int(p.burst.Load()) }

// Fits tells whether the rings can hold the lead that a device needs, which takes so many frames at a
// time, and how many it may take.
func (p *Player) Fits(frames int) (most int, ok bool) {
	most = int((p.lead.limit - p.guard) / 2 * uint64(p.lead.frames))
	return most, frames <= most
}

// Calls counts the calls of Fill.
func (p *Player) Calls() int64 { return p.calls.Load() }

// Fill is the callback. out is interleaved, a whole number of frames for the device's channels.
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
	if !p.started { // until now another process, or the engine, has set the lead
		p.started, p.lead.current = true, p.words.Lead()
	}
	if frames := p.announced.Swap(0); frames > 0 {
		p.lead.demand.most = max(p.lead.demand.most, int(frames))
		p.lead.current = p.words.Lead()
	}
	lead := p.lead.update(now, len(out)/p.mix.to)
	p.burst.Store(int64(p.lead.burst))
	healthy := p.hasFullLead(now)
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
	p.checkLead(now, healthy)
	p.words.EndCall()
}

// silent tells whether nothing is to be played: not yet, or no more. The end of a fade is told to the
// engine only if it has asked for one: a process that leaves another to play says nothing.
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

// silence tells whether all samples are 0.
func silence(samples []float32) bool {
	for _, x := range samples {
		if x != 0 {
			return false
		}
	}
	return true
}

// takeNewRings takes up the rings that were handed over since the last call.
func (p *Player) takeNewRings() {
	for s := range p.slots {
		if r := p.next[s].Load(); r != p.rings[s] {
			p.rings[s] = r
			p.reads[s].Store(r.Generation())
			p.words.SetMapped(s, r.Generation())
		}
	}
}

// advance puts the next block into p.block: block c = clock from the active ring, else from
// another that holds it, a dead worker's too, else concealment, which leaves the clock where it is. A copy that is not what its
// worker wrote is passed over.
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

// compare looks whether the other rings have the same block c as the one that is played, from slot.
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

// patience is how long a faster-than-real-time device waits for a worker that has stopped
// before the lead is judged as it would be in real time.
const patience = 20e6 // ns

// Ready tells a device that has no clock of its own whether frames can be taken without concealing
// and without running into the guard.
func (p *Player) Ready(frames int) bool {
	if p.words.Transport() == shm.Idle || p.held.Load() {
		return p.held.Load() // it is to be silent, as fast as it likes
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
