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
	types := map[string]bool{}
	for _, d := range module.All {
		if module.ByType(d.Type) != d {
			t.Errorf("%s is not found", d.Type)
		}
		if types[d.Type] {
			t.Errorf("two modules have the type %s", d.Type)
		}
		types[d.Type] = true
	}
	if module.ByType("theremin") != nil {
		t.Error("found a type that does not exist")
	}
}
