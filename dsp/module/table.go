// Package module lists the modules that patches are made of. Each module is a file in the package
// of its family, with its description, its state and its loop; the file names the source of its
// method. Package moduletest has the laws that all modules keep.
package module

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/module/control"
	"github.com/music-chronus/chronus/dsp/module/dynamics"
	"github.com/music-chronus/chronus/dsp/module/effect"
	"github.com/music-chronus/chronus/dsp/module/filter"
	"github.com/music-chronus/chronus/dsp/module/oscillator"
	"github.com/music-chronus/chronus/dsp/module/reverb"
	"github.com/music-chronus/chronus/dsp/module/sampler"
	"github.com/music-chronus/chronus/dsp/module/shaper"
)

// Family is a group of modules as the reference shows them.
type Family struct {
	Name    string
	Doc     string // what the modules have in common, in sentences
	Modules []*dsp.Desc
}

// Families lists the modules by family. A new module is added at the end of its family.
var Families = []Family{
	{"Sources", "They make sound. Frequencies are in Hz. Notes arrive at the input pitch, in octaves above 440 Hz.",
		[]*dsp.Desc{&oscillator.Sine, &oscillator.Saw, &oscillator.Square, &oscillator.Triangle, &oscillator.Supersaw,
			&oscillator.Wavetable, &oscillator.FM, &oscillator.Pluck, &oscillator.Noise, &sampler.Sampler}},
	{"Filters", "They filter sound, or resonate. Cutoffs are in Hz. The input cutoff moves them in octaves.",
		[]*dsp.Desc{&filter.Biquad, &filter.SVF, &filter.Ladder, &filter.Acid, &filter.Formant, &filter.Comb}},
	{"Controls", "They make or change the signals that move parameters: envelopes, oscillations, values.",
		[]*dsp.Desc{&control.ADSR, &control.LFO, &control.Env, &control.AD, &control.Slew, &control.Hold,
			&control.Constant, &control.Scale, &control.Follow}},
	{"Shapers", "They change level, place in the stereo field, and waveform.",
		[]*dsp.Desc{&shaper.VCA, &shaper.Mix, &shaper.Pan, &shaper.Crossfade, &shaper.Width, &shaper.Shape,
			&shaper.Crush, &shaper.Ring, &shaper.Send, &shaper.Bus}},
	{"Dynamics", "They change a level depending on a level, or measure it.",
		[]*dsp.Desc{&dynamics.Compressor, &dynamics.Limiter, &dynamics.Expander, &dynamics.Meter}},
	{"Effects", "They are stereo, and mix their input with the processed sound.",
		[]*dsp.Desc{&effect.Delay, &effect.Chorus, &effect.Flanger, &effect.Phaser, &reverb.Reverb, &reverb.Freeverb,
			&effect.Tremolo, &effect.EQ}},
}

// All lists the modules in the order of Families.
var All = all()

func all() (list []*dsp.Desc) {
	for _, f := range Families {
		list = append(list, f.Modules...)
	}
	return list
}

// ByType returns the description of the type with that name, nil if there is none.
func ByType(name string) *dsp.Desc {
	for _, d := range All {
		if d.Type == name {
			return d
		}
	}
	return nil
}
