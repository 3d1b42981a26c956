package voicing_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream/internal/voicing"
)

const (
	rate  = 48000
	block = 64
)

// begin begins a note on all voices of its unison, and returns these.
func begin(g *voicing.Group, key int) (voices []int) {
	for u := range g.Unison() {
		i, _ := g.Begin(key, 1, u)
		voices = append(voices, i)
	}
	g.Began(key)
	return voices
}

// keys lists the keys of the voices, 0 for a sleeping one.
func keys(g *voicing.Group) (list []int) {
	for i := range g.Len() {
		list = append(list, g.Voice(i).Key)
	}
	return list
}

// A note takes a sleeping voice, else a released one, else the one that the steal rule names.
func TestAllocation(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config patch.Voices
		notes  []int // a negative key releases the note
		want   []int
	}{
		{"sleeping voices", patch.Voices{Count: 3, Unison: 1}, []int{60, 62}, []int{60, 62, 0}},
		{"the oldest note", patch.Voices{Count: 2, Unison: 1}, []int{60, 62, 64}, []int{64, 62}},
		{"a released voice", patch.Voices{Count: 2, Unison: 1}, []int{60, 62, -62, 64}, []int{60, 64}},
		{"the same note", patch.Voices{Count: 2, Unison: 1, Steal: patch.StealSame}, []int{60, 62, 62}, []int{60, 62}},
		{"unison", patch.Voices{Count: 3, Unison: 2}, []int{60, 62}, []int{62, 60, 62}},
		{"more unison than voices left", patch.Voices{Count: 2, Unison: 2}, []int{60, 62}, []int{62, 62}},
	} {
		g := voicing.NewGroup(tt.config, rate)
		for _, key := range tt.notes {
			if key > 0 {
				begin(&g, key)
				continue
			}
			for i := range g.Len() {
				if v := g.Voice(i); v.Plays(-key) {
					v.Release()
				}
			}
		}
		if got := keys(&g); !slices.Equal(got, tt.want) {
			t.Errorf("%s: keys %v, want %v", tt.name, got, tt.want)
		}
	}
}

// The rule quietest takes the voice with the lowest peak, but not one whose note has just begun.
func TestStealQuietest(t *testing.T) {
	g := voicing.NewGroup(patch.Voices{Count: 3, Unison: 1, Steal: patch.StealQuietest}, rate)
	begin(&g, 60)
	begin(&g, 62)
	for i, peak := range []float32{0.5, 0.1} {
		g.AddOutput(g.Voice(i), slices.Repeat([]float32{peak}, block))
	}
	for range 1000 {
		g.SleepSilent(block)
	}
	begin(&g, 64)
	if got := begin(&g, 65); got[0] != 1 {
		t.Errorf("key 65 took voice %d of keys %v, want voice 1", got[0], keys(&g))
	}
}

// A voice sleeps 50 ms after its note has ended and its outputs are silent, and not before.
func TestSleep(t *testing.T) {
	g := voicing.NewGroup(patch.Voices{Count: 1, Unison: 1}, rate)
	begin(&g, 60)
	v, output := g.Voice(0), make([]float32, block)
	g.AddOutput(v, output)
	blocks := func() (n int) {
		for n = 0; v.Awake && n < 100; n++ {
			g.SleepSilent(block)
		}
		return n
	}
	if n := blocks(); n != 100 {
		t.Errorf("a voice slept %d blocks into a held note", n)
	}
	v.Release()
	output[5] = 1e-9
	if n := blocks(); n != 100 {
		t.Errorf("a voice that is heard slept after %d blocks", n)
	}
	output[5] = 0
	if n := blocks(); n != 39 { // 2,400 frames take 37.5 blocks, and the next one ends it
		t.Errorf("a silent voice slept after %d blocks, want 39", n)
	}
}

// A restored group continues like the saved one.
func TestSaveRestore(t *testing.T) {
	config := patch.Voices{Count: 3, Unison: 2, Glide: 0.1, Detune: 10}
	one, two := voicing.NewGroup(config, rate), voicing.NewGroup(config, rate)
	begin(&one, 60)
	one.Press(60, 0.5)
	one.Voice(1).Sustain()
	begin(&one, 67)
	e := dsp.NewEncoder(nil)
	one.Save(e)
	d := dsp.NewDecoder(e.Bytes())
	if two.Restore(d); d.Err() != nil || d.Remaining() != 0 {
		t.Fatalf("%v, %d bytes are left", d.Err(), d.Remaining())
	}
	controls := voicing.NewControls(block)
	render := func(g *voicing.Group) string {
		begin(g, 72)
		controls.Prepare(0, block)
		text := fmt.Sprint(keys(g), g.Notes())
		for i := range g.Len() {
			out := make([][]float32, patch.NoteRandom+1)
			for k := range out {
				out[k] = make([]float32, block)
			}
			g.Voice(i).Render(&controls, out, 0, block)
			text += fmt.Sprint(out, g.Voice(i).Sustained())
		}
		return text
	}
	if render(&one) != render(&two) {
		t.Error("the restored group continues differently")
	}
}

// A key beyond the last is an invalid state.
func TestRestoreRejectsKey(t *testing.T) {
	g := voicing.NewGroup(patch.Voices{Count: 1, Unison: 1}, rate)
	g.Voice(0).Key = voicing.Keys
	e := dsp.NewEncoder(nil)
	g.Save(e)
	d := dsp.NewDecoder(e.Bytes())
	if g.Restore(d); d.Err() == nil {
		t.Errorf("key %d was accepted", voicing.Keys)
	}
}
