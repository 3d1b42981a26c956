package chaos

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/music-chronus/chronus/cmd/chronus/internal/chaos/plan"
)

// countClasses counts the classes of the elements of a picture.
func countClasses(t *testing.T, svg []byte) map[string]int {
	t.Helper()
	classes := map[string]int{}
	for dec := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return classes
		}
		if err != nil {
			t.Fatalf("the picture is no XML: %v", err)
		}
		if e, ok := token.(xml.StartElement); ok {
			for _, a := range e.Attr {
				if a.Name.Local == "class" {
					classes[a.Value]++
				}
			}
		}
	}
}

// A picture of an hour takes bounded memory, and shows each of many faults in its lane.
func TestPicture(t *testing.T) {
	var w waveform
	const hour = 3600 * 48000 / 64
	loud := hour / 3
	for n := range int64(hour) {
		x := float32(0.1)
		if n == int64(loud) {
			x = 0.9
		}
		w.add(n, []float32{x, -x / 2})
	}
	if len(w.bins) > maxBins || w.end() != hour {
		t.Fatalf("%d bins, %d blocks", len(w.bins), w.end())
	}
	if b := w.bins[int64(loud)/w.span]; b.hi != 0.9 || b.lo != -0.45 {
		t.Errorf("the one loud block is %+v", b)
	}
	p := Report{Engine: Setup{Rate: 48000, Block: 64, Workers: 2}, wave: &w, base: []int64{0}, Failure: "<&>"}
	p.Gaps = []Gap{{0, 1000, 50}, {0, 900, 0}, {0, 500, 3}}
	for i := range 3000 {
		k := plan.Kinds[i%3].Name
		p.Faults = append(p.Faults, Fault{N: i + 1, Kind: k, Block: uint64(rand.IntN(hour)), Note: `"<`})
	}
	p.Kinds = []Kind{{Kind: "kill"}, {Kind: "term"}, {Kind: "segv"}}
	var b bytes.Buffer
	if err := p.Draw(&b); err != nil {
		t.Fatal(err)
	}
	if c := countClasses(t, b.Bytes()); c["fault"] != 3000 || c["concealed"] != 2 || c["kind"] != 3 || c["caption"] != 3 {
		t.Errorf("%v", c)
	}
}

// A changed block counts for the last fault before it, and a report with one does not pass.
func TestAttribute(t *testing.T) {
	r := &run{Options: Options{Plan: &plan.Plan{}}, faults: []Fault{
		{N: 1, Kind: "kill", Block: 10}, {N: 2, Kind: "stop", Block: 20}, {N: 3, Kind: "kill", Segment: 1, Block: 5},
	}, segments: []*segment{{changed: []uint64{3, 12, 19, 20, 400}, blocks: 500}, {changed: []uint64{4, 5}, blocks: 30}}}
	r.changed.Store(7)
	p := r.report(nil)
	if a, b, c := p.Faults[0].Changed, p.Faults[1].Changed, p.Faults[2].Changed; a != 2 || b != 2 || c != 1 {
		t.Errorf("attributed %d, %d, %d", a, b, c)
	}
	if p.OK() || p.Changed != 7 || p.Compared != 530 || len(p.Kinds) != 2 || p.Kinds[0].Count != 2 || p.Kinds[0].Changed != 3 {
		t.Errorf("%+v", p)
	}
}

func TestQuantiles(t *testing.T) {
	var v []float64
	for i := range 1000 {
		v = append(v, float64(i))
	}
	rand.Shuffle(len(v), func(i, j int) { v[i], v[j] = v[j], v[i] })
	if q := QuantilesOf(slices.Clone(v)); q.Median != 500 || q.P99 != 990 || q.Max != 999 || q.Count != 1000 {
		t.Errorf("%+v", q)
	}
	if q := QuantilesOf(nil); q != (Quantiles{}) {
		t.Errorf("%+v", q)
	}
}

// Each kind of fault has an injector.
func TestInjectors(t *testing.T) {
	for _, name := range plan.KindNames() {
		if injectors[name] == nil {
			t.Errorf("no injector of fault %s", name)
		}
	}
	if len(injectors) != len(plan.Kinds) {
		t.Errorf("%d injectors, %d kinds", len(injectors), len(plan.Kinds))
	}
}
