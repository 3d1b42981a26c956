package moduletest

import (
	"math"
	"testing"

	"github.com/music-chronus/chronus/dsp"
)

// follower is a one-pole low-pass. It keeps every law, and breaks one with a mistake.
type follower struct {
	level, share float64
	mistake      string
	sink         []byte
}

func describe(mistake string) *dsp.Desc {
	d := &dsp.Desc{
		Type: "follower", Doc: "Follows its input.",
		Inputs: []dsp.Port{{Name: "in", Doc: "followed"}}, Outputs: []dsp.Port{{Name: "out", Doc: "the follower"}},
		Params: []dsp.Param{{Name: "share", Min: 0.001, Max: 1, Default: 0.5, Doc: "of the way, each frame"}},
		New:    func(float64) dsp.Module { return &follower{share: 0.5, mistake: mistake} },
	}
	switch mistake {
	case "no doc":
		d.Doc = ""
	case "default out of range":
		d.Params[0].Default = 2
	case "another default":
		d.Params[0].Default = 0.25
	}
	return d
}

func (f *follower) Set(_ int, v float64) { f.share = v }
func (f *follower) Gate(bool)            {}

func (f *follower) Render(in, outs [][]float32) {
	out := outs[0]
	if f.mistake == "steps by block" {
		f.level /= 2
	}
	if f.mistake == "allocates" {
		f.sink = make([]byte, 100)
	}
	for i, x := range in[0] {
		f.level += float64((float64(x) - f.level) * f.share)
		if f.level < tail && f.level > -tail {
			f.level = 0
			if f.mistake == "never 0" {
				f.level = 1e-30
			}
		}
		out[i] = float32(f.level)
		if f.mistake == "infinite" && f.share == 1 {
			out[i] = float32(math.Inf(1))
		}
		if f.mistake == "never quiet" {
			out[i] += 0.5
		}
	}
}

func (f *follower) Reset() {
	if f.mistake != "resets half" {
		f.level = 0
	}
}

func (f *follower) Save(e *dsp.Encoder) {
	if f.mistake != "saves half" {
		e.Float64(f.level)
	}
	e.Float64(f.share)
	if f.mistake == "grows" && f.level != 0 {
		e.Float64(1)
	}
}

func (f *follower) Restore(d *dsp.Decoder) {
	if f.mistake != "saves half" {
		f.level = d.Float64()
	}
	switch {
	case f.mistake == "takes anything":
		f.share = 0.5
	case f.mistake == "panics" && d.Remaining() < 8:
		panic("too short")
	default:
		f.share = d.Float64()
	}
	if f.mistake == "grows" && f.level != 0 {
		d.Float64()
	}
}

// A module without a mistake keeps all laws, and each mistake breaks its law.
func TestLawsFindMistakes(t *testing.T) {
	for _, law := range Laws {
		if err := law.Check(describe("")); err != nil {
			t.Errorf("%s: %v", law.Name, err)
		}
	}
	caught := map[string]bool{}
	for _, tt := range []struct{ mistake, law string }{
		{"no doc", "described"}, {"default out of range", "described"}, {"another default", "described"},
		{"steps by block", "partition"}, {"saves half", "restore"}, {"takes anything", "refuse"}, {"panics", "refuse"},
		{"grows", "size"}, {"resets half", "reset"}, {"allocates", "allocs"}, {"infinite", "finite"},
		{"never 0", "silence"}, {"never quiet", "silence"},
	} {
		for _, law := range Laws {
			if law.Name != tt.law {
				continue
			}
			caught[law.Name] = true
			err := law.Check(describe(tt.mistake))
			if err == nil {
				t.Errorf("a module that %q keeps the law %s", tt.mistake, tt.law)
			}
			t.Logf("%s: %v", tt.mistake, err)
		}
	}
	for _, law := range Laws {
		if !caught[law.Name] {
			t.Errorf("no mistake breaks the law %s", law.Name)
		}
	}
}
