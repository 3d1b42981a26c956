package stream

import (
	"bytes"
	"testing"

	"github.com/music-chronus/chronus/dsp"
)

func where(t *testing.T, a, b *Stream) {
	for i := range a.nodes {
		x, y := dsp.NewEncoder(nil), dsp.NewEncoder(nil)
		a.nodes[i].save(x)
		b.nodes[i].save(y)
		if !bytes.Equal(x.Bytes(), y.Bytes()) {
			t.Logf("node %d %s differs", i, a.plan.Nodes()[i].ID)
			for u := range a.nodes[i].units {
				for o := range a.nodes[i].units[u].out {
					p, q := a.nodes[i].units[u].out[o], b.nodes[i].units[u].out[o]
					t.Logf(" unit %d out %d: first %g %g, last %g %g", u, o, p[0], q[0], p[63], q[63])
				}
			}
		}
	}
	for g := range a.voices {
		for i := range a.voices[g].list {
			t.Logf("voice %d %+v", i, *a.voices[g].list[i])
			t.Logf("      %d %+v", i, *b.voices[g].list[i])
		}
	}
}
