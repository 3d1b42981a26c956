package stream_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream"
)

// bigPatch has about 12 MB of state, in the delays of 16 voices.
const bigPatch = `version: 1
voices:
  count: 16
  nodes:
    - {id: osc, type: saw}
    - {id: env, type: adsr}
    - {id: echo, type: delay}
cables:
  - note.pitch > osc.pitch
  - osc > echo > env > out
`

// bigChanges are a small change, a node that is added, and a large one, another delay in every
// voice.
var bigChanges = []struct{ what, from, to string }{
	{"small", "    - {id: env", "    - {id: lfo, type: lfo}\n    - {id: env"},
	{"large", "    - {id: env", "    - {id: echo2, type: delay}\n    - {id: env"},
}

// followed returns the bytes that preparing a transition allocates, and the sizes of the states
// before and after it.
func followed(t testing.TB, from, to string) (bytes uint64, was, now int) {
	t.Helper()
	s := newStream(t, from, 64, 2)
	plan := newStream(t, to, 64, 2).Plan()
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	next, err := s.PrepareTransition(plan)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	return after.TotalAlloc - before.TotalAlloc, s.Size(), next.Size()
}

func BenchmarkFollow(b *testing.B) {
	for _, c := range bigChanges {
		b.Run(c.what, func(b *testing.B) {
			var sum uint64
			size := 0
			for b.Loop() {
				n, _, now := followed(b, bigPatch, strings.Replace(bigPatch, c.from, c.to, 1))
				sum, size = sum+n, now
			}
			b.ReportMetric(float64(sum)/float64(b.N)/1e6, "MB/change")
			b.ReportMetric(float64(size)/1e6, "MB-state")
		})
	}
}

// Preparing a transition allocates memory for new nodes and little more: continuing nodes are
// neither made nor saved.
func TestFollowTakesWhatIsNew(t *testing.T) {
	for _, c := range bigChanges {
		took, was, now := followed(t, bigPatch, strings.Replace(bigPatch, c.from, c.to, 1))
		if most := uint64(now-was)*11/10 + 1<<20; took > most {
			t.Errorf("%s: of %d bytes of state %d are new; it took %d", c.what, now, now-was, took)
		}
	}
}

// Size is exact for a stream in a transition as for a new one.
func TestSizeIsExact(t *testing.T) {
	texts := []string{"", bigPatch}
	for _, name := range []string{"songs/acid", "songs/night", "keys/organ", "fx/drone"} {
		text, err := patch.Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	for _, c := range bigChanges {
		texts = append(texts, strings.Replace(bigPatch, c.from, c.to, 1))
	}
	texts = append(texts, strings.Replace(bigPatch, "count: 16", "count: 3", 1),
		strings.Replace(bigPatch, "count: 16", "count: 17", 1))
	before := newStream(t, bigPatch, 64, 2)
	for _, text := range texts {
		s := newStream(t, text, 64, 2)
		b, err := s.Save(nil)
		if want := len(b) + stream.PendingMax*stream.CommandBytes; err != nil || s.Size() != want {
			t.Errorf("%s: Size says %d, and it is %d: %v", s.Plan().Name, s.Size(), want, err)
		}
		next, err := before.PrepareTransition(s.Plan())
		if err != nil || next.Size() != s.Size() {
			t.Errorf("%s: one that goes on has %d, a new one %d: %v", s.Plan().Name, next.Size(), s.Size(), err)
		}
	}
}
