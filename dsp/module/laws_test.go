package module_test

import (
	"testing"

	"github.com/music-chronus/chronus/dsp/module"
	"github.com/music-chronus/chronus/dsp/moduletest"
)

func TestLaws(t *testing.T) {
	for _, d := range module.All {
		t.Run(d.Type, func(t *testing.T) { moduletest.Run(t, d) })
	}
}

func TestByType(t *testing.T) {
	for _, d := range module.All {
		if module.ByType(d.Type) != d {
			t.Errorf("%s is not found", d.Type)
		}
	}
	if module.ByType("theremin") != nil {
		t.Error("found what is not there")
	}
}
