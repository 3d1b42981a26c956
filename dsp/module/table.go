// Package module has the modules that patches are made of, one file each: description, state
// and loop. A file names the source of its method. The laws that all of them keep are in dsp/moduletest.
package module

import "github.com/music-chronus/chronus/dsp"

// Family is a kind of modules.
type Family struct {
	Name    string
	Doc     string
	Modules []*dsp.Desc
}

// Families are the modules by family. A new module goes at the end of its family.
var Families = []Family{
	{"Sources", "They make sound. Frequencies are in Hz; what is played is added at the input pitch, in octaves above 440 Hz.",
		[]*dsp.Desc{&Sine, &Saw, &Square, &Triangle, &Supersaw, &Wavetable, &FM, &Pluck, &Noise, &Sampler}},
	{"Filters", "They take from sound, or ring. Cutoffs are in Hz, and moved in octaves by the input cutoff.",
		[]*dsp.Desc{&Biquad, &SVF, &Ladder, &Acid, &Formant, &Comb}},
	{"Controls", "They make or change signals that move parameters: envelopes, oscillations, values.",
		[]*dsp.Desc{&ADSR, &LFO, &Env, &AD, &Slew, &Hold, &Constant, &Scale, &Follow}},
	{"Shapers", "They change level, place and shape.",
		[]*dsp.Desc{&VCA, &Mix, &Pan, &Crossfade, &Width, &Shape, &Crush, &Ring, &Send, &Bus}},
	{"Dynamics", "They change level by level, or measure it.",
		[]*dsp.Desc{&Compressor, &Limiter, &Expander, &Meter}},
	{"Effects", "They are stereo, and have a mix of what came in and what they make of it.",
		[]*dsp.Desc{&Delay, &Chorus, &Flanger, &Phaser, &Reverb, &Freeverb, &Tremolo, &EQ}},
}

// All are the modules that exist, in a fixed order.
var All = all()

func all() (list []*dsp.Desc) {
	for _, f := range Families {
		list = append(list, f.Modules...)
	}
	return list
}

// ByType returns the description of the type called name, nil if there is none.
func ByType(name string) *dsp.Desc {
	for _, d := range All {
		if d.Type == name {
			return d
		}
	}
	return nil
}
