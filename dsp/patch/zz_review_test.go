package patch

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/dsp/module"
)

func roundTrip(t *testing.T, what string, p *Patch) {
	t.Helper()
	text := p.Format()
	q, err := Parse("x", text)
	if err != nil {
		t.Errorf("%s: %v\n%s", what, err, text)
		return
	}
	again := q.Format()
	if string(again) != string(text) {
		t.Errorf("%s: formats differ\n%s\n---\n%s", what, text, again)
	}
	a, e1 := Compile(p, 48000, 64, 2)
	b, e2 := Compile(q, 48000, 64, 2)
	if (e1 == nil) != (e2 == nil) {
		t.Errorf("%s: %v / %v\n%s", what, e1, e2, text)
		return
	}
	if e1 == nil {
		var x, y []string
		for _, n := range a.nodes {
			x = append(x, fmt.Sprint(n.ID, n.Values))
		}
		for _, n := range b.nodes {
			y = append(y, fmt.Sprint(n.ID, n.Values))
		}
		if len(x) != len(y) {
			t.Errorf("%s: nodes", what)
		}
	}
}

func TestReviewOddIDs(t *testing.T) {
	for _, id := range []string{"null", "true", "false", "yes", "no", "on", "off", "y", "n", "inf", "nan", "e1", "x0", "a_", "o", "note", "seq", "freq", "id", "type", "version", "infinity"} {
		p, err := Parse("x", Default())
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Create(id, "sine", ""); err != nil {
			t.Logf("create %s: %v", id, err)
			continue
		}
		if err := p.Connect(id, "out"); err != nil {
			t.Errorf("connect %s: %v", id, err)
		}
		roundTrip(t, "node "+id, p)
		if err := p.CreateTrack(id, ""); err != nil {
			t.Logf("track %s: %v", id, err)
			continue
		}
		if err := p.Lane(id, 0, id+".freq"); err != nil {
			t.Log(err)
		}
		roundTrip(t, "track "+id, p)
	}
	for _, name := range []string{"a\x7fb", "tab\there", "\u2028x", "é", "quote\"'", "back\\slash", "#x: y", "\U0001F600", "nul\x00", "\u0085", "{{", "\ufeff", "\u200b"} {
		p, _ := Parse("x", Default())
		p.Name = name
		text := p.Format()
		q, err := Parse("x", text)
		if err != nil || q.Name != name {
			t.Errorf("name %q: %v, got %v", name, err, q)
		}
	}
}

// yaml ids in texts
func TestReviewTextIDs(t *testing.T) {
	for _, id := range []string{`"null"`, `"true"`, `"no"`} {
		text := "version: 1\nnodes:\n  - {id: " + id + ", type: sine}\ncables: [" + strings.Trim(id, `"`) + " > out]\n"
		p, err := Parse("x", []byte(text))
		if err != nil {
			t.Logf("%s: %v", id, err)
			continue
		}
		roundTrip(t, "text "+id, p)
	}
}

// random edits
func TestReviewRandomEdits(t *testing.T) {
	var types []string
	for _, m := range module.All {
		types = append(types, m.Type)
	}
	types = append(types, "back")
	seeds := [][]byte{Default()}
	for _, n := range Presets() {
		text, err := Preset(n)
		if err != nil {
			t.Fatal(err)
		}
		seeds = append(seeds, text)
	}
	good, odd := 0, 0
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 1))
		p, err := Parse("x", seeds[rng.IntN(len(seeds))])
		if err != nil {
			t.Fatal(err)
		}
		pick := func() string {
			ids := append(p.ids(), "out", "zz")
			id := ids[rng.IntN(len(ids))]
			if rng.IntN(3) == 0 {
				ports := append(p.ports(id, true), p.ports(id, false)...)
				if len(ports) > 0 {
					id += "." + ports[rng.IntN(len(ports))].Name
				}
			}
			return id
		}
		for range 12 {
			before := string(p.Format())
			var err error
			var what string
			switch rng.IntN(7) {
			case 0:
				a, k := fmt.Sprint("n", rng.IntN(4)), types[rng.IntN(len(types))]
				g := ""
				if len(p.Voices) > 0 && rng.IntN(2) == 0 {
					g = p.Voices[0].ID
				}
				what = "create " + a + " " + k
				err = p.Create(a, k, g)
			case 1:
				a := pick()
				what = "delete " + a
				err = p.Delete(a)
			case 2, 3:
				a, b := pick(), pick()
				what = "connect " + a + " " + b
				err = p.Connect(a, b)
			case 4, 5:
				// an existing cable
				if len(p.Runs) == 0 {
					continue
				}
				r := p.Runs[rng.IntN(len(p.Runs))]
				i := rng.IntN(len(r.Ends) - 1)
				from, to := r.Ends[i], r.Ends[i+1]
				from.Port, to.Port = p.portOf(from, true), p.portOf(to, false)
				what = "disconnect " + from.String() + " " + to.String()
				c1, e1 := Compile(p, 48000, 64, 2)
				err = p.Disconnect(from.String(), to.String())
				if err != nil {
					t.Fatalf("seed %d: %s: %v\n%s", seed, what, err, before)
				}
				if e1 == nil {
					q := p.Clone()
					if err := q.Connect(from.String(), to.String()); err != nil {
						t.Fatalf("seed %d: %s, again: %v\n%s", seed, what, err, before)
					}
					c2, e2 := Compile(q, 48000, 64, 2)
					if e2 != nil || c2.Hash != c1.Hash {
						t.Fatalf("seed %d: %s and connect again gives another plan: %v\n%s\n---\n%s", seed, what, e2, before, q.Format())
					}
				}
			case 6:
				id := fmt.Sprint("t", rng.IntN(3))
				what = "track"
				if rng.IntN(2) == 0 {
					err = p.CreateTrack(id, "")
				} else {
					err = p.DeleteTrack(id)
				}
			}
			if err != nil {
				if after := string(p.Format()); after != before {
					t.Fatalf("seed %d: %s failed and changed the patch: %v", seed, what, err)
				}
			}
			_, e1 := Compile(p, 48000, 64, 2)
			q, perr := Parse("x", p.Format())
			if perr != nil {
				odd++
				t.Fatalf("seed %d: after %s: %v\n%s", seed, what, perr, p.Format())
			}
			_, e2 := Compile(q, 48000, 64, 2)
			if (e1 == nil) != (e2 == nil) {
				t.Fatalf("seed %d: after %s: %v / %v", seed, what, e1, e2)
			}
			if e1 == nil {
				good++
			}
		}
	}
	t.Log(good, odd)
}
