package actors_test

import (
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/audio/pipe"
	"github.com/music-chronus/chronus/dsp"
)

// A program that takes the sound itself loses no frame of it when workers are killed.
func TestSinkSurvivesKills(t *testing.T) {
	sink, err := pipe.Listen(filepath.Join(t.TempDir(), "sink"), pipe.Options{Period: 128})
	if err != nil {
		t.Fatal(err)
	}
	var took sync.WaitGroup
	frames, loud := 0, false
	took.Go(func() {
		_ = sink.Pace(func(out []float32) {
			frames += len(out) / 2
			loud = loud || out[0] > 0.05
		})
	})
	e := embed(t, actors.Host{System: actor.NewActorSystem()}, func(c *actors.Config) { c.Backend, c.Device = "pipe", sink.Path() })
	taped(t, e, func() {
		if err := e.Handle().Gate(t.Context(), "adsr1", 1); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			st := until(t, e, "redundant", redundant)
			if _, err := e.Kill(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			until(t, e, "another is heard", func(now actors.Status) bool { return now.Active.Epoch > st.Active.Epoch && now.Redundant })
		}
	})
	st := status(t, e)
	e.Stop()
	_ = sink.Close()
	took.Wait()
	if st.Concealed != 0 || st.Xruns != 0 || st.Backend != "pipe" {
		t.Errorf("concealed %d, xruns %d, on %s", st.Concealed, st.Xruns, st.Backend)
	}
	if !loud || uint64(frames) < st.Clock*uint64(st.Block) {
		t.Errorf("%d frames were taken of %d, loud: %t", frames, st.Clock*uint64(st.Block), loud)
	}
}

// ownModules are modules that this program has and no other.
func ownModules() []*dsp.Desc {
	return []*dsp.Desc{{
		Type: "halver", Doc: "Halves.", Inputs: []dsp.Port{{Name: "in"}}, Outputs: []dsp.Port{{Name: "out"}},
		New: func(float64) dsp.Module { return halver{} },
	}}
}

type halver struct{}

func (halver) Set(int, float64)     {}
func (halver) Gate(bool)            {}
func (halver) Reset()               {}
func (halver) Save(*dsp.Encoder)    {}
func (halver) Restore(*dsp.Decoder) {}
func (halver) Render(in, out [][]float32) {
	for i, v := range in[0] {
		out[0][i] = v / 2
	}
}

// A program's own module runs in the workers, and is named where a patch goes wrong. One that takes
// the type of ours is refused.
func TestOwnModules(t *testing.T) {
	text := func(gain string) []byte {
		return []byte("version: 1\nnodes:\n  - {id: a, type: sine, params: {gain: " + gain + "}}\n  - {id: b, type: halver}\ncables: [a > b > out]\n")
	}
	e := embed(t, actors.Host{System: actor.NewActorSystem()}, func(c *actors.Config) { c.Modules, c.Patch = ownModules(), text("0.5") })
	until(t, e, "half as loud", func(st actors.Status) bool { return st.Peak > 0.24 && st.Peak < 0.26 })
	st := until(t, e, "redundant", redundant)
	if _, err := e.Kill(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	until(t, e, "another is heard", func(now actors.Status) bool { return now.Active.Epoch > st.Active.Epoch && now.Redundant })
	if _, err := e.Handle().NewPatch(t.Context(), "quieter", text("0.25")); err != nil {
		t.Error(err)
	}
	until(t, e, "a quarter", func(st actors.Status) bool { return st.Peak > 0.12 && st.Peak < 0.13 })
	for _, tt := range []struct {
		change func(*actors.Config)
		want   string
	}{
		{func(c *actors.Config) { c.Patch = text("0.5") }, "halver"},
		{func(c *actors.Config) { c.Modules = append(ownModules(), ownModules()...) }, "twice"},
		{func(c *actors.Config) {
			c.Modules = []*dsp.Desc{{Type: "sine", New: func(float64) dsp.Module { return halver{} }}}
		}, "another name"},
		{func(c *actors.Config) { c.Modules = []*dsp.Desc{{Type: "x"}} }, "New"},
	} {
		cfg := actors.Config{Backend: "null", Lead: testLead, Grace: time.Second}
		tt.change(&cfg)
		e, err := actors.Embed(t.Context(), actors.Host{System: actor.NewActorSystem()}, cfg)
		if err == nil {
			e.Stop()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %q", err, tt.want)
		}
	}
}
