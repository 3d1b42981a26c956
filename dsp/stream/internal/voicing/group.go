// Package voicing decides which voice plays which note. A [Group] allocates voices to notes, steals
// them, sustains them and puts silent ones to sleep. Groups know pitches, gates and levels, but no
// modules: the caller resets and gates these as the group says.
package voicing

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
)

// Keys is the number of MIDI note numbers. Number 69 is 440 Hz.
const Keys = 128

// sleepSeconds is how long a released voice must be silent before it sleeps. The time is shorter
// than the time between two echoes of one voice, and longer than a cycle of the lowest tone.
const sleepSeconds = 0.05

// Group is the voices that share the notes of a voice group in a patch. A sleeping voice is not
// rendered. One goroutine uses a group.
type Group struct {
	config    patch.Voices
	rate      float64
	voices    []*Voice
	outputs   [][][]float32 // by voice: signals that leave it, which tell whether it is silent
	notes     uint64        // that have begun
	lastPitch float64       // in octaves, for glides
}

// NewGroup makes a group whose voices all sleep, for a rate in Hz.
func NewGroup(config patch.Voices, rate float64) Group {
	g := Group{config: config, rate: rate, voices: make([]*Voice, config.Count),
		outputs: make([][][]float32, config.Count)}
	for i := range g.voices {
		g.voices[i] = new(Voice)
	}
	return g
}

// Len returns the number of voices.
func (g *Group) Len() int { return len(g.voices) }

// Voice returns voice i.
func (g *Group) Voice(i int) *Voice { return g.voices[i] }

// Unison returns the number of voices that play one note.
func (g *Group) Unison() int { return g.config.Unison }

// Notes returns the number of notes that have begun.
func (g *Group) Notes() uint64 { return g.notes }

// AddOutput adds the block of a signal that leaves a voice. A voice of another group is ignored.
func (g *Group) AddOutput(v *Voice, block []float32) {
	for i := range g.voices {
		if g.voices[i] == v {
			g.outputs[i] = append(g.outputs[i], block)
		}
	}
}

// Reset puts the group back to where NewGroup left it. Outputs stay.
func (g *Group) Reset() {
	g.notes, g.lastPitch = 0, 0
	for _, v := range g.voices {
		v.sleep()
	}
}

// Share lets the group use the voices of the group that it replaces, as many as both have.
func (g *Group) Share(old *Group) { copy(g.voices, old.voices) }

// Continue takes over the note count and the glide's start from the group that it replaces.
func (g *Group) Continue(old *Group) { g.notes, g.lastPitch = old.notes, old.lastPitch }

// Begin gives a voice to the note key, number u of Unison. Begin returns the voice, and whether the
// voice slept. After the last one the caller calls Began.
func (g *Group) Begin(key int, velocity float64, u int) (i int, woke bool) {
	place := 0.0 // -0.5 to 0.5
	if g.config.Unison > 1 {
		place = float64(u)/float64(g.config.Unison-1) - 0.5
	}
	i = g.allocate(key)
	v, ramp := g.voices[i], dsp.RampFrames(g.rate)
	if woke = !v.Awake; woke {
		v.sleep()
		v.Awake = true
		v.velocity.Jump(velocity)
	}
	v.velocity.To(velocity, ramp)
	v.pressure.To(0, ramp)
	v.Held, v.sustained, v.Key, v.note, v.silent = true, false, key, g.notes, 0
	v.detune, v.level = g.config.Detune/1200*place, freshLevel
	pitch := octave(key)
	v.pitch.Jump(pitch)
	if g.config.Glide > 0 && g.notes > 0 {
		v.pitch.Jump(g.lastPitch)
		v.pitch.To(pitch, max(1, uint32(g.config.Glide*g.rate)))
	}
	v.spread, v.random = float32(2*place), hashed(g.notes*patch.MaxUnison+uint64(u))
	return i, woke
}

// Began counts a note after all its voices have begun.
func (g *Group) Began(key int) {
	g.lastPitch = octave(key)
	g.notes++
}

// octave is a key's pitch in octaves above 440 Hz.
func octave(key int) float64 { return float64(key-69) / 12 }

// hashed maps a count to [-1, 1). The mixing is SplitMix64's (Steele, Lea and Flood, Fast
// splittable pseudorandom number generators, 2014).
func hashed(n uint64) float32 {
	n = (n + 1) * 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return float32(int64(n^n>>31)>>40) / (1 << 23)
}

// allocate picks the voice for a note: a sleeping voice, else a released one, else the one that the
// patch's steal rule names. A voice that this note already took, in unison, comes last.
func (g *Group) allocate(key int) int {
	best := 0
	for i := 1; i < len(g.voices); i++ {
		if g.before(g.voices[i], g.voices[best], key) {
			best = i
		}
	}
	return best
}

// before tells whether to take a rather than b.
func (g *Group) before(a, b *Voice, key int) bool {
	if a.Awake != b.Awake {
		return !a.Awake
	}
	if !a.Awake {
		return false // the first sleeping voice
	}
	if mine, yours := a.plays(g.notes), b.plays(g.notes); mine != yours {
		return yours
	}
	if a.Held != b.Held {
		return !a.Held
	}
	switch same := a.Key == key; {
	case g.config.Steal == patch.StealSame && same != (b.Key == key):
		return same
	case g.config.Steal == patch.StealQuietest && a.level != b.level:
		return a.level < b.level
	}
	return a.note < b.note
}

// Press ramps the pressure on a key, 0 to 1.
func (g *Group) Press(key int, pressure float64) {
	for _, v := range g.voices {
		if v.Plays(key) {
			v.pressure.To(pressure, dsp.RampFrames(g.rate))
		}
	}
}

// SleepSilent measures the voices' outputs after a block of that many frames. Released voices that
// have been silent for 50 ms (sleepSeconds) then sleep.
func (g *Group) SleepSilent(frames int) {
	enough := uint32(sleepSeconds * g.rate)
	for i, v := range g.voices {
		if v.Awake {
			v.sleepIfSilent(g.outputs[i], uint32(frames), enough)
		}
	}
}

// Save appends the group's state.
func (g *Group) Save(e *dsp.Encoder) {
	e.Uint64(g.notes)
	e.Float64(g.lastPitch)
	for _, v := range g.voices {
		v.save(e)
	}
}

// Restore reads a state that Save wrote. An invalid state fails the decoder.
func (g *Group) Restore(d *dsp.Decoder) {
	g.notes, g.lastPitch = d.Uint64(), d.Float64()
	for _, v := range g.voices {
		v.restore(d)
	}
}
