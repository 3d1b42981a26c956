package module

import (
	"testing"

	"github.com/music-chronus/chronus/dsp/moduletest"
)

func TestLaws(t *testing.T) {
	for _, d := range All {
		t.Run(d.Type, func(t *testing.T) { moduletest.Run(t, d) })
	}
}

func TestByType(t *testing.T) {
	for _, d := range All {
		if ByType(d.Type) != d {
			t.Errorf("%s is not found", d.Type)
		}
	}
	if ByType("theremin") != nil {
		t.Error("found what is not there")
	}
}
