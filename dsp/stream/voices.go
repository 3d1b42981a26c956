package stream

import (
	"math"
	"slices"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
)

// keys is how many notes there are, by the numbers of MIDI: 69 is 440 Hz.
const keys = 128

// restSeconds is how long a voice whose note has ended must be silent before it sleeps: shorter than any echo that is meant to
// belong to a voice, and longer than a cycle of the lowest tone.
const restSeconds = 0.05

// controls concern all notes.
type controls struct {
	pedal    bool
	bend     dsp.Ramp // in octaves
	pressure dsp.Ramp
	wheel    dsp.Ramp

	frames [3][]float64 // of the present block: bend, pressure, wheel
}

// voices are what the notes of a group are played on. A voice that sleeps is not rendered; one that is woken begins anew.
type voices struct {
	patch.Voices
	rate  float64
	list  []*voice
	heard [][][]float32 // by voice, the signals that leave it: by their silence it is known to have ended
	count uint64        // notes that have begun
	last  float64       // pitch of the last note, for glides
}

// voice plays one note.
type voice struct {
	awake     bool
	held      bool // the note's gate is open
	sustained bool // the note has ended, the pedal holds it
	key       int
	born      uint64  // the number of its note
	quiet     uint32  // frames that it has been silent since its note ended
	level     float32 // what it was heard at, falling slowly; of one that has just begun more than any other
	detune    float64 // in octaves
	spread    float32
	random    float32
	pitch     dsp.Ramp
	velocity  dsp.Ramp
	pressure  dsp.Ramp
}

func newControls(plan *patch.Plan) (c controls) {
	engine := plan.Nodes()[0].Values
	c.bend.Jump(engine[patch.EngineBend] / 12)
	c.pressure.Jump(engine[patch.EnginePressure])
	c.wheel.Jump(engine[patch.EngineWheel])
	for i := range c.frames {
		c.frames[i] = make([]float64, plan.Block)
	}
	return c
}

func newVoices(plan *patch.Plan, group int) voices {
	v := voices{Voices: plan.Voices[group], rate: float64(plan.Rate)}
	v.list, v.heard = make([]*voice, v.Count), make([][][]float32, v.Count)
	for i := range v.list {
		v.list[i] = new(voice)
	}
	return v
}

// reset makes the voices as newVoices made them.
func (v *voices) reset() {
	v.count, v.last = 0, 0
	for i := range v.list {
		v.list[i].sleep()
	}
}

// sleep makes a voice as it was before its first note.
func (x *voice) sleep() { *x = voice{} }

// findHeard lists the signals that leave the voices.
func (s *Stream) findHeard() {
	note := func(sig signal) {
		if sig.voice == nil {
			return
		}
		for g := range s.voices {
			v := &s.voices[g]
			if i := slices.Index(v.list, sig.voice); i >= 0 {
				v.heard[i] = append(v.heard[i], sig.buf)
			}
		}
	}
	for i := range s.nodes {
		if s.nodes[i].group != patch.NoGroup {
			continue
		}
		for _, u := range s.nodes[i].units {
			for _, in := range u.in {
				for _, sig := range in.from {
					note(sig)
				}
			}
		}
	}
	for _, out := range s.outs {
		for _, sig := range out.from {
			note(sig)
		}
	}
}

// note begins a note of a group (velocity above 0) or ends it.
func (s *Stream) note(group, key int, velocity float64) {
	v := &s.voices[group]
	if velocity == 0 {
		s.endNote(group, key)
		return
	}
	for i, x := range v.list { // a note that is played again before it ended
		if x.held && x.key == key {
			s.release(group, i)
		}
	}
	pitch := float64(key-69) / 12
	for u := range v.Unison {
		place := 0.0 // -0.5 to 0.5
		if v.Unison > 1 {
			place = float64(u)/float64(v.Unison-1) - 0.5
		}
		i := v.pick(key)
		s.begin(group, i, key, velocity, pitch, v.Detune/1200*place)
		v.list[i].spread, v.list[i].random = float32(2*place), scattered(v.count*patch.MaxUnison+uint64(u))
	}
	v.last = pitch
	v.count++
}

// scattered is a number in [-1, 1) for a count, by SplitMix64's mixing (Steele, Lea, Flood, Fast splittable pseudorandom number generators, 2014).
func scattered(n uint64) float32 {
	n = (n + 1) * 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return float32(int64(n^n>>31)>>40) / (1 << 23)
}

// begin has voice i of a group play a note.
func (s *Stream) begin(group, i, key int, velocity, pitch, detune float64) {
	v := &s.voices[group]
	x, ramp := v.list[i], dsp.RampFrames(v.rate)
	if !x.awake {
		x.sleep()
		x.awake = true
		s.eachUnit(group, i, func(_ *node, u *unit) {
			u.Reset()
			u.forget()
		})
		s.nodes[s.plan.NoteNode(group)].units[i].forget()
		x.velocity.Jump(velocity)
	}
	x.velocity.To(velocity, ramp)
	x.pressure.To(0, ramp)
	x.held, x.sustained, x.key, x.born, x.quiet, x.detune = true, false, key, v.count, 0, detune
	x.level = freshLevel
	x.pitch.Jump(pitch)
	if v.Glide > 0 && v.count > 0 {
		x.pitch.Jump(v.last)
		x.pitch.To(pitch, max(1, uint32(v.Glide*v.rate)))
	}
	s.gateVoice(group, i, true)
}

// pick is the voice for a note: one that sleeps, else of those whose notes have ended, else of all, the one that the patch says to steal. One that this
// very note has taken already, in unison, comes last.
func (v *voices) pick(key int) int {
	best := 0
	for i := 1; i < len(v.list); i++ {
		if v.before(v.list[i], v.list[best], key) {
			best = i
		}
	}
	return best
}

// before tells whether a is to be taken rather than b.
func (v *voices) before(a, b *voice, key int) bool {
	if a.awake != b.awake {
		return !a.awake
	}
	if !a.awake {
		return false // the first of those that sleep
	}
	if mine, yours := a.taken(v.count), b.taken(v.count); mine != yours {
		return yours
	}
	if a.held != b.held {
		return !a.held
	}
	switch same := a.key == key; {
	case v.Steal == patch.StealSame && same != (b.key == key):
		return same
	case v.Steal == patch.StealQuietest && a.level != b.level:
		return a.level < b.level
	}
	return a.born < b.born
}

// taken tells whether the note of a number has just taken the voice.
func (x *voice) taken(number uint64) bool { return x.born == number && x.held }

// endNote ends a note; where the pedal holds it, later.
func (s *Stream) endNote(group, key int) {
	for i, x := range s.voices[group].list {
		switch {
		case !x.held || x.key != key:
		case s.all.pedal:
			x.sustained = true
		default:
			s.release(group, i)
		}
	}
}

// silenceNotes ends all notes of a group, whatever the pedal.
func (s *Stream) silenceNotes(group int) {
	for i, x := range s.voices[group].list {
		if x.held {
			s.release(group, i)
		}
	}
}

// release closes the gates of voice i.
func (s *Stream) release(group, i int) {
	x := s.voices[group].list[i]
	x.held, x.sustained = false, false
	s.gateVoice(group, i, false)
}

// sustain moves the pedal.
func (s *Stream) sustain(on bool) {
	s.all.pedal = on
	for g := range s.voices {
		for i, x := range s.voices[g].list {
			if !on && x.sustained {
				s.release(g, i)
			}
		}
	}
}

// press sets the pressure on a note.
func (v *voices) press(key int, pressure float64) {
	for _, x := range v.list {
		if x.held && x.key == key {
			x.pressure.To(pressure, dsp.RampFrames(v.rate))
		}
	}
}

func (s *Stream) gateVoice(group, i int, on bool) {
	s.eachUnit(group, i, func(n *node, u *unit) {
		if n.gated {
			u.Gate(on)
		}
	})
}

// eachUnit visits the modules of voice i. The probe names the node.
func (s *Stream) eachUnit(group, i int, visit func(n *node, u *unit)) {
	for k := range s.nodes {
		n := &s.nodes[k]
		if n.group != group || n.note {
			continue
		}
		s.probe.Store(uint64(k) + 1)
		for u := range n.width {
			visit(n, &n.units[i*n.width+u])
		}
	}
}

// prepare computes what is the same for all voices, for the frames [from, to) of the block.
func (c *controls) prepare(from, to int) {
	for i, r := range [...]*dsp.Ramp{&c.bend, &c.pressure, &c.wheel} {
		for k := range c.frames[i][from:to] {
			c.frames[i][from+k] = r.Next()
		}
	}
}

// play renders the note node of a voice.
func (x *voice) play(all *controls, out [][]float32, from, to int) {
	gate := float32(0)
	if x.held {
		gate = 1
	}
	for k := from; k < to; k++ {
		out[patch.NotePitch][k] = float32(x.pitch.Next() + x.detune + all.frames[0][k])
		out[patch.NoteVelocity][k] = float32(x.velocity.Next())
		out[patch.NoteGate][k] = gate
		out[patch.NotePressure][k] = float32(max(x.pressure.Next(), all.frames[1][k]))
		out[patch.NoteWheel][k] = float32(all.frames[2][k])
		out[patch.NoteSpread][k] = x.spread
		out[patch.NoteRandom][k] = x.random
	}
}

// rest measures the voices at the end of a block, and lets those sleep that have ended.
func (s *Stream) rest() {
	enough := uint32(restSeconds * float64(s.plan.Rate))
	for g := range s.voices {
		for i, x := range s.voices[g].list {
			if x.awake {
				x.rest(s.voices[g].heard[i], uint32(s.plan.Block), enough)
			}
		}
	}
}

// freshLevel keeps a voice from being the quietest before it has sounded: it falls below 1 within half a second, in blocks of 64 frames.
const (
	freshLevel = 40
	levelFalls = 0.99 // a block
)

func (x *voice) rest(heard [][]float32, frames, enough uint32) {
	peak := float32(0)
	for _, buf := range heard {
		for _, y := range buf {
			peak = max(peak, float32(math.Abs(float64(y))))
		}
	}
	x.level = max(peak, float32(x.level*levelFalls))
	switch {
	case x.held || peak > 0:
		x.quiet = 0
	case x.quiet > enough:
		x.sleep()
	default:
		x.quiet += frames
	}
}

func (c *controls) save(e *dsp.Encoder) {
	e.Bool(c.pedal)
	for _, r := range [...]*dsp.Ramp{&c.bend, &c.pressure, &c.wheel} {
		r.Save(e)
	}
}

func (c *controls) restore(d *dsp.Decoder) {
	c.pedal = d.Bool()
	for _, r := range [...]*dsp.Ramp{&c.bend, &c.pressure, &c.wheel} {
		r.Restore(d)
	}
}

func (v *voices) save(e *dsp.Encoder) {
	e.Uint64(v.count)
	e.Float64(v.last)
	for _, x := range v.list {
		e.Bool(x.awake)
		e.Bool(x.held)
		e.Bool(x.sustained)
		e.Uint32(uint32(x.key))
		e.Uint64(x.born)
		e.Uint32(x.quiet)
		e.Float32(x.level)
		e.Float64(x.detune)
		e.Float32(x.spread)
		e.Float32(x.random)
		x.pitch.Save(e)
		x.velocity.Save(e)
		x.pressure.Save(e)
	}
}

func (v *voices) restore(d *dsp.Decoder) {
	v.count, v.last = d.Uint64(), d.Float64()
	for _, x := range v.list {
		x.awake, x.held, x.sustained = d.Bool(), d.Bool(), d.Bool()
		x.key, x.born, x.quiet = int(d.Uint32()), d.Uint64(), d.Uint32()
		if x.key >= keys {
			d.Fail()
		}
		x.level, x.detune, x.spread, x.random = d.Float32(), d.Float64(), d.Float32(), d.Float32()
		x.pitch.Restore(d)
		x.velocity.Restore(d)
		x.pressure.Restore(d)
	}
}
