// Package module has the modules that patches are made of, one file each: description, state
// and loop. A file names the source of its method. The laws that all of them keep are in dsp/moduletest.
package module

import "github.com/music-chronus/chronus/dsp"

// All are the modules that exist, in a fixed order.
var All = []*dsp.Desc{&Sine, &ADSR, &Biquad}

// ByType returns the description of the type called name, nil if there is none.
func ByType(name string) *dsp.Desc {
	for _, d := range All {
		if d.Type == name {
			return d
		}
	}
	return nil
}
