package voicing

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
)

// Voice plays one note at a time.
type Voice struct {
	Awake bool
	Held  bool // the note's gate is open
	Key   int  // MIDI note number

	sustained bool    // the note has ended, and the pedal holds the gate open
	note      uint64  // the number of its note in the group
	silent    uint32  // frames of silence since the note ended
	level     float32 // peak, falling slowly; freshLevel when a note begins
	detune    float64 // in octaves
	spread    float32 // place among the voices of a note in unison, -1 to 1
	random    float32 // -1 to 1
	pitch     dsp.Ramp
	velocity  dsp.Ramp
	pressure  dsp.Ramp
}

// A new note begins at freshLevel, so that it is not the quietest voice before it has sounded. In
// blocks of 64 frames the level falls below 1 within half a second.
const (
	freshLevel = 40
	levelDecay = 0.99 // factor a block
)

// sleep is the state before a voice's first note.
func (v *Voice) sleep() { *v = Voice{} }

// Plays tells whether the voice holds the note of a key.
func (v *Voice) Plays(key int) bool { return v.Held && v.Key == key }

// plays tells whether the voice was just taken by the note of a number.
func (v *Voice) plays(note uint64) bool { return v.note == note && v.Held }

// Sustained tells whether only the pedal holds the note.
func (v *Voice) Sustained() bool { return v.sustained }

// Sustain marks a note that has ended while the pedal is down.
func (v *Voice) Sustain() { v.sustained = true }

// Release ends the note. The caller closes the gates.
func (v *Voice) Release() { v.Held, v.sustained = false, false }

// Render writes the outputs of the voice's note node, by index (patch.NotePitch and following), for
// the frames [from, to) of the block. Controls.Prepare has been called for these frames.
func (v *Voice) Render(all *Controls, out [][]float32, from, to int) {
	gate := float32(0)
	if v.Held {
		gate = 1
	}
	for k := from; k < to; k++ {
		out[patch.NotePitch][k] = float32(v.pitch.Next() + v.detune + all.frames[0][k])
		out[patch.NoteVelocity][k] = float32(v.velocity.Next())
		out[patch.NoteGate][k] = gate
		out[patch.NotePressure][k] = float32(max(v.pressure.Next(), all.frames[1][k]))
		out[patch.NoteWheel][k] = float32(all.frames[2][k])
		out[patch.NoteSpread][k] = v.spread
		out[patch.NoteRandom][k] = v.random
	}
}

func (v *Voice) sleepIfSilent(outputs [][]float32, frames, enough uint32) {
	peak := float32(0)
	for _, block := range outputs {
		for _, y := range block {
			peak = max(peak, float32(math.Abs(float64(y))))
		}
	}
	v.level = max(peak, float32(v.level*levelDecay))
	switch {
	case v.Held || peak > 0:
		v.silent = 0
	case v.silent > enough:
		v.sleep()
	default:
		v.silent += frames
	}
}

func (v *Voice) save(e *dsp.Encoder) {
	e.Bool(v.Awake)
	e.Bool(v.Held)
	e.Bool(v.sustained)
	e.Uint32(uint32(v.Key))
	e.Uint64(v.note)
	e.Uint32(v.silent)
	e.Float32(v.level)
	e.Float64(v.detune)
	e.Float32(v.spread)
	e.Float32(v.random)
	v.pitch.Save(e)
	v.velocity.Save(e)
	v.pressure.Save(e)
}

func (v *Voice) restore(d *dsp.Decoder) {
	v.Awake, v.Held, v.sustained = d.Bool(), d.Bool(), d.Bool()
	v.Key, v.note, v.silent = int(d.Uint32()), d.Uint64(), d.Uint32()
	if v.Key >= Keys {
		d.Fail()
	}
	v.level, v.detune, v.spread, v.random = d.Float32(), d.Float64(), d.Float32(), d.Float32()
	v.pitch.Restore(d)
	v.velocity.Restore(d)
	v.pressure.Restore(d)
}
